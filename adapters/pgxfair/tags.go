package pgxfair

import (
	"bytes"
	"encoding/binary"
	"net"
	"sync/atomic"
)

// A tagReader is a network connection that notices when the session is made
// dirty. It follows what the server sends, so that it does not matter by which
// method a statement was run.
type tagReader struct {
	net.Conn
	dirty atomic.Bool

	head [5]byte // type and length of a message
	have int     // bytes of it so far
	left int     // bytes of the message after head
	body []byte  // as far as it is wanted
}

// mostOfBody is enough of a command tag.
const mostOfBody = 32

// take reports whether the session was made dirty since it was called last. r
// may be nil.
func (r *tagReader) take() bool { return r != nil && r.dirty.Swap(false) }

func (r *tagReader) Read(b []byte) (int, error) {
	n, err := r.Conn.Read(b)
	r.follow(b[:n])
	return n, err
}

// follow looks at the next bytes from the server.
func (r *tagReader) follow(b []byte) {
	for len(b) > 0 {
		if r.have < len(r.head) {
			n := copy(r.head[r.have:], b)
			r.have += n
			b = b[n:]
			if r.have < len(r.head) {
				return
			}
			r.left = int(binary.BigEndian.Uint32(r.head[1:])) - 4
			r.body = r.body[:0]
		}
		n := max(0, min(r.left, len(b)))
		if kind := r.head[0]; kind == 'C' || kind == 'S' {
			r.body = append(r.body, b[:min(n, mostOfBody-len(r.body))]...)
		}
		b, r.left = b[n:], r.left-n
		if r.left <= 0 {
			r.judge()
			r.have = 0
		}
	}
}

// judge looks at a message that is complete: at the tag of a command, or at a
// setting that has changed.
func (r *tagReader) judge() {
	switch r.head[0] {
	case 'S':
		r.dirty.Store(true)
	case 'C':
		tag, _, _ := bytes.Cut(r.body, []byte{0})
		verb, _, _ := bytes.Cut(tag, []byte{' '})
		if !harmless[string(verb)] {
			r.dirty.Store(true)
		}
	}
}

// harmless are the first words of the tags of commands that do not change a
// session. SELECT is what a function is called in, so there are exceptions.
var harmless = map[string]bool{
	"SELECT": true, "INSERT": true, "UPDATE": true, "DELETE": true, "MERGE": true, "COPY": true,
	"SHOW": true, "EXPLAIN": true,
	"BEGIN": true, "START": true, "COMMIT": true, "ROLLBACK": true, "SAVEPOINT": true, "RELEASE": true,
	"FETCH": true, "MOVE": true, "CLOSE": true, "LOCK": true,
}

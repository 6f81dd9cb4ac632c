package pgxfair

import (
	"bytes"
	"encoding/binary"
	"net"
	"sync/atomic"
)

// A laundry is a network connection that notices when the session is made
// dirty. It follows what the server sends, so that it does not matter by which
// method a statement was run.
type laundry struct {
	net.Conn
	dirty atomic.Bool

	head [5]byte // type and length of a message
	have int     // bytes of it, or of body
	left int     // bytes of the message after head
	body []byte  // as far as it is wanted
}

// mostOfBody is enough of a command tag.
const mostOfBody = 32

// take reports whether the session was made dirty since it was called last. l
// may be nil.
func (l *laundry) take() bool { return l != nil && l.dirty.Swap(false) }

func (l *laundry) Read(b []byte) (int, error) {
	n, err := l.Conn.Read(b)
	l.follow(b[:n])
	return n, err
}

// follow looks at the next bytes from the server.
func (l *laundry) follow(b []byte) {
	for len(b) > 0 {
		if l.have < len(l.head) {
			n := copy(l.head[l.have:], b)
			l.have += n
			b = b[n:]
			if l.have < len(l.head) {
				return
			}
			l.left = int(binary.BigEndian.Uint32(l.head[1:])) - 4
			l.body = l.body[:0]
		}
		n := max(0, min(l.left, len(b)))
		if kind := l.head[0]; kind == 'C' || kind == 'S' {
			l.body = append(l.body, b[:min(n, mostOfBody-len(l.body))]...)
		}
		b, l.left = b[n:], l.left-n
		if l.left <= 0 {
			l.judge()
			l.have = 0
		}
	}
}

// judge looks at a message that is complete: at the tag of a command, or at a
// setting that has changed.
func (l *laundry) judge() {
	switch l.head[0] {
	case 'S':
		l.dirty.Store(true)
	case 'C':
		tag, _, _ := bytes.Cut(l.body, []byte{0})
		verb, _, _ := bytes.Cut(tag, []byte{' '})
		if !harmless[string(verb)] {
			l.dirty.Store(true)
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

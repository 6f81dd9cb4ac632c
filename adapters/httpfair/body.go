package httpfair

import (
	"bytes"
	"io"
	"net/http"
	"sync"
	"time"
)

const (
	defaultReadAhead = 64 << 10

	// readAheadDelay is how long a request has waited when its body begins to be
	// read. One that is served or refused at once costs a timer.
	readAheadDelay = 10 * time.Millisecond
)

// An aheadBody is the body of a request. While the request waits for a slot, a
// goroutine reads the first bytes into memory.
type aheadBody struct {
	inner io.ReadCloser
	most  int64
	timer *time.Timer

	mu      sync.Mutex
	waiting bool          // for the slot
	done    chan struct{} // closed when the goroutine has ended; nil: it has not begun
	ahead   bytes.Buffer
	err     error // of inner
	panicky any   // what inner panicked with
}

// readAhead begins to read up to most bytes of the body of r if the request waits
// for a while. It returns nil if there is nothing to read ahead.
func readAhead(r *http.Request, most int64) *aheadBody {
	if most <= 0 || r.Body == nil || r.Body == http.NoBody || r.Header.Get("Expect") != "" {
		return nil
	}
	b := &aheadBody{inner: r.Body, most: most, waiting: true}
	b.timer = time.AfterFunc(readAheadDelay, b.read)
	return b
}

func (b *aheadBody) read() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.waiting {
		return
	}
	b.done = make(chan struct{})
	defer close(b.done)
	chunk := make([]byte, 4<<10)
	// Asking for one more byte is what finds the end.
	for b.waiting && b.err == nil && b.panicky == nil && int64(b.ahead.Len()) <= b.most {
		n := b.fill(chunk[:min(int64(len(chunk)), b.most-int64(b.ahead.Len())+1)])
		b.ahead.Write(chunk[:n])
	}
}

// fill reads without the lock. A panic is that of whoever reads the body next:
// here it would end the process.
func (b *aheadBody) fill(chunk []byte) (n int) {
	var err error
	b.mu.Unlock()
	defer func() {
		v := recover()
		b.mu.Lock()
		b.err, b.panicky = err, v
	}()
	n, err = b.inner.Read(chunk)
	return n
}

// stop ends the wait. No further read begins.
func (b *aheadBody) stop() {
	b.timer.Stop()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting = false
}

// settle ends the read that is still under way, if any: the server must not get
// the request back before. Over HTTP/1 the connection ends with the answer then.
func (b *aheadBody) settle(w http.ResponseWriter) {
	b.stop()
	if b.reading() == nil {
		return
	}
	if http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0)) == nil {
		<-b.done
	}
}

// reading returns what is closed when the read under way has ended, nil if there is
// none.
func (b *aheadBody) reading() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case <-b.done:
		return nil
	default:
		return b.done
	}
}

// Read returns what was read ahead, and then the rest.
func (b *aheadBody) Read(p []byte) (int, error) {
	for {
		b.mu.Lock()
		n, _ := b.ahead.Read(p)
		err, panicky := b.err, b.panicky
		b.mu.Unlock()
		if n > 0 || len(p) == 0 {
			return n, nil
		}
		if panicky != nil {
			panic(panicky)
		}
		if err != nil {
			return 0, err
		}
		reading := b.reading()
		if reading == nil {
			break
		}
		<-reading
	}
	return b.inner.Read(p)
}

func (b *aheadBody) Close() error { return b.inner.Close() }

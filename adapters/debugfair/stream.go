package debugfair

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	mostStreams = 32
	queue       = 8 // frames that a reader may be behind
	writeTime   = 5 * time.Second
)

// A stream is somebody who watches, by server-sent events.
type stream struct {
	frames chan []byte // closed when the stream is to end
	ended  bool
}

// offer sends a frame. A reader that is too far behind is given up: it may come
// again, and gets what it has missed in one piece.
func (s *stream) offer(frame []byte) {
	if s.ended {
		return
	}
	select {
	case s.frames <- frame:
	default:
		s.ended = true
		close(s.frames)
	}
}

func (p *Page) endLocked(s *stream) {
	if !s.ended {
		s.ended = true
		close(s.frames)
	}
	delete(p.streams, s)
}

// join begins a stream for a reader that has seen everything up to the frame of
// the given ID, and returns what to send it first. It returns nil if there are
// as many as there may be, or the page is closed.
func (p *Page) join(after string) (*stream, *backlog) {
	boot, number, _ := strings.Cut(after, "-")
	seen, err := strconv.ParseUint(number, 10, 64)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.streams) >= mostStreams {
		return nil, nil
	}
	b := &backlog{Whole: boot != p.boot || err != nil || seen > p.latest.seq, Frame: p.latest}
	if b.Whole {
		seen = 0
	}
	for _, w := range p.pools {
		moments := w.history.since(seen, time.UnixMilli(p.latest.At).Add(-lookBack))
		if len(moments) > 0 && moments[0].Seq > seen+1 {
			b.Whole = true
		}
		at, past := recall(w.Name, moments)
		b.At = at
		b.Pools = append(b.Pools, past)
	}
	s := &stream{frames: make(chan []byte, queue)}
	p.streams[s] = true
	select {
	case p.came <- struct{}{}:
	default:
	}
	return s, b
}

func (p *Page) leave(s *stream) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.endLocked(s)
}

// serveEvents sends frames as they come, until the reader goes, is too slow, or
// the page is closed.
func (p *Page) serveEvents(w http.ResponseWriter, r *http.Request) {
	after := r.Header.Get("Last-Event-ID")
	if after == "" {
		after = r.URL.Query().Get("after")
	}
	s, b := p.join(after)
	if s == nil {
		w.Header().Set("Retry-After", "5")
		http.Error(w, "closed, or too many watch already", http.StatusServiceUnavailable)
		return
	}
	defer p.leave(s)
	first, err := json.Marshal(b)
	if err != nil {
		panic(err) // nothing in it can fail to be encoded
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // nginx
	c := http.NewResponseController(w)
	send := func(event []byte) bool {
		// Where the server has no deadlines to set, its own apply.
		_ = c.SetWriteDeadline(time.Now().Add(writeTime))
		_, err := w.Write(event)
		return err == nil && c.Flush() == nil
	}
	if !send(fmt.Appendf(nil, "retry: 1000\nevent: backlog\nid: %s\ndata: %s\n\n", b.Frame.ID, first)) {
		return
	}
	for {
		select {
		case <-r.Context().Done():
			return
		case frame, ok := <-s.frames:
			if !ok || !send(frame) {
				return
			}
		}
	}
}

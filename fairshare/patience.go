package fairshare

import (
	"slices"
	"time"
)

// patience ends the waits that last longer than Config.AcquireTimeout, with one
// timer for all of them: since the limit is the same for everybody, it runs out
// in the order in which they began.
type patience struct {
	limit time.Duration // 0: none
	stays []stay        // that may still be waiting, the oldest first
	timer *time.Timer   // set while there are any
}

type stay struct {
	Request
	until time.Duration
}

func (s stay) over() bool { return s.w.Seq() != s.seq }

// begin watches over a request that has just joined the queue.
func (p *patience) begin(l *Line, r Request) {
	if p.limit == 0 {
		return
	}
	if len(p.stays) >= 64 && len(p.stays) >= 2*l.sched.Waiting() {
		p.stays = slices.DeleteFunc(p.stays, stay.over)
	}
	s := stay{r, r.w.Since() + p.limit}
	at := len(p.stays)
	for at > 0 && p.stays[at-1].until > s.until {
		at-- // the wait of a Retry began earlier than that of others
	}
	p.stays = slices.Insert(p.stays, at, s)
	switch {
	case p.timer == nil:
		p.timer = time.AfterFunc(s.until-l.now, l.loosePatience)
	case at == 0:
		p.timer.Reset(s.until - l.now)
	}
}

// loosePatience ends the waits whose time is up.
func (l *Line) loosePatience() {
	l.Lock()
	defer l.Unlock()
	p := &l.patience
	if p.timer == nil {
		return
	}
	l.readClockLocked()
	large := l.sched.HasLarge()
	for len(p.stays) > 0 && (p.stays[0].over() || p.stays[0].until <= l.now) {
		l.FailLocked(p.stays[0].Request, "", ErrAcquireTimeout, 0)
		p.stays[0] = stay{}
		p.stays = p.stays[1:]
	}
	l.leftLocked(large)
	if len(p.stays) == 0 {
		p.stop()
		return
	}
	p.timer.Reset(p.stays[0].until - l.now)
}

func (p *patience) stop() {
	if p.timer != nil {
		p.timer.Stop()
	}
	p.stays, p.timer = nil, nil
}

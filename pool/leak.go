package pool

import (
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/fairpool/fairpool/fairshare"
)

// A Leak is a lease that lasts, or lasted, for longer than Guard.LeakAfter, or
// that was lost, see Guard.DetectLost.
type Leak struct {
	Tenant   string
	Resource uint64
	Held     time.Duration // so far, or in the end
	Stack    string        // of the Acquire
	Returned bool          // the second report: it has ended
	Lost     bool          // nobody could have ended it any more
}

// An origin is how a lease came about.
type origin struct {
	grant  fairshare.Grant
	tenant string
	at     time.Time
	stack  []uintptr
}

// originOf returns the origin of a lease, nil if it was not recorded.
func (s *slot[T]) originOf(g fairshare.Grant) *origin {
	if o := s.origin.Load(); o != nil && o.grant == g {
		return o
	}
	return nil
}

// packagePrefix begins the names of this package's functions.
const packagePrefix = "github.com/fairpool/fairpool/pool."

// text is the stack as a panic would show it, from the caller of this package
// upwards.
func (o *origin) text() string {
	var b strings.Builder
	frames := runtime.CallersFrames(o.stack)
	for {
		frame, more := frames.Next()
		inside := b.Len() == 0 && strings.HasPrefix(frame.Function, packagePrefix)
		if frame.Function != "" && !inside {
			fmt.Fprintf(&b, "%s\n\t%s:%d\n", frame.Function, frame.File, frame.Line)
		}
		if !more {
			return b.String()
		}
	}
}

// lease makes the lease of a grant, and remembers what has to be known about
// it.
func (p *Pool[T]) lease(g fairshare.Grant, tenant string) Lease[T] {
	g.Accept()
	l := Lease[T]{grant: g}
	told := p.config.Trace.Release != nil
	if !told && !p.recorded {
		return l
	}
	s := p.owner(g)
	if s == nil {
		return l
	}
	if told {
		s.lent = lent{tenant, p.line.Now()}
		l.token = &p.token
	}
	if p.recorded {
		var stack [32]uintptr
		o := &origin{grant: g, tenant: tenant, at: time.Now()}
		o.stack = append(o.stack, stack[:runtime.Callers(2, stack[:])]...)
		s.origin.Store(o)
		if p.config.Guard.DetectLost {
			// The lost lease refers to the token; nothing that lasts does.
			l.token = &token{}
			l.token.cleanup = runtime.AddCleanup(l.token, p.lost, o)
		}
	}
	return l
}

// A token comes with a lease whose end is noticed: by the Trace, or because none
// came. The cleanup is that of Guard.DetectLost.
type token struct {
	cleanup runtime.Cleanup
}

// lost takes back a lease that nobody can end any more.
func (p *Pool[T]) lost(o *origin) {
	s := p.owner(o.grant)
	if s == nil || o.grant.Finish() == nil {
		return
	}
	p.reportLeak(o, Leak{Resource: s.number, Held: time.Since(o.at), Lost: true})
	p.line.Lock()
	defer p.line.Unlock()
	p.lostLeases++
	p.takeBackLocked(s, Lost)
}

// leakingLocked reports the leases that last too long, once each, and returns
// when to look again, 0 if nothing is leased.
func (p *Pool[T]) leakingLocked(now time.Duration) (next time.Duration) {
	after := p.config.Guard.LeakAfter
	for _, held := range p.line.SlotsLocked() {
		s := held.Owner.(*slot[T])
		g, out := held.GrantLocked()
		if !out || s.leaked {
			continue
		}
		due := held.SinceLocked() + after
		if now >= due {
			if o := s.originOf(g); o != nil {
				s.leaked = true
				p.leaks++
				p.reportLeak(o, Leak{Resource: s.number, Held: now - held.SinceLocked()})
				continue
			}
			due = now + after // it is being prepared
		}
		if next == 0 || due < next {
			next = due
		}
	}
	return next
}

// leakEndedLocked reports the end of a lease that was reported.
func (p *Pool[T]) leakEndedLocked(s *slot[T]) {
	s.leaked = false
	if o := s.origin.Load(); o != nil {
		held := p.line.NowLocked() - s.SinceLocked()
		p.reportLeak(o, Leak{Resource: s.number, Held: held, Returned: true})
	}
}

// reportLeak tells of a leak. The stack becomes text off the lock.
func (p *Pool[T]) reportLeak(o *origin, l Leak) {
	if p.reports.logger == nil && p.config.Trace.Leak == nil {
		return
	}
	msg := "lease held for long"
	switch {
	case l.Returned:
		msg = "lease held for long has ended"
	case l.Lost:
		msg = "lease was lost and is taken back"
	}
	p.reports.tell(func() {
		l.Tenant, l.Stack = o.tenant, o.text()
		if leak := p.config.Trace.Leak; leak != nil {
			p.guard("Trace", func() { leak(l) })
		}
		p.reports.write(msg, "tenant", l.Tenant, "resource", l.Resource, "held", l.Held, "stack", l.Stack)
	})
}

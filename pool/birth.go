package pool

import (
	"context"
	"errors"
	"reflect"
	"time"
)

// construct is the constructor that the register calls, in a goroutine of its
// own, with a context that ends when the register is closed.
func (p *Pool[T]) construct(ctx context.Context) (*slot[T], error) {
	s := &slot[T]{pool: p, number: p.numbers.Add(1)}
	s.Owner = s
	building := p.span(ctx, p.config.Trace.BuildStart, p.config.Trace.BuildDone, Event{Resource: s.number})
	ctx, cancel := context.WithTimeoutCause(building.ctx, p.config.BuildTimeout, ErrBuildTimeout)
	defer cancel()
	err := ctx.Err() // the trace may have taken until after Close
	if err == nil {
		err = protect("Constructor", func() (err error) {
			s.value, err = p.config.Constructor(ctx)
			return err
		})
	}
	if err == nil && isNil(s.value) {
		err = errNilResource
	}
	err = ownError(ctx, err, ErrBuildTimeout, "Constructor", p.config.BuildTimeout)
	p.end(building, err)
	return s, err
}

var errNilResource = errors.New("pool: Constructor returned nil")

// isNil reports whether v is nothing that anybody could use: a nil interface,
// pointer, map, channel or function.
func isNil(v any) bool {
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Pointer, reflect.Map, reflect.Chan, reflect.Func, reflect.UnsafePointer:
		return r.IsNil()
	}
	return false
}

// destruct is the destructor that the register calls, in a goroutine of its
// own.
func (p *Pool[T]) destruct(s *slot[T]) {
	event := Event{Resource: s.number, Retired: s.retired}
	destroying := p.span(context.Background(), p.config.Trace.DestroyStart, p.config.Trace.DestroyDone, event)
	timer := time.AfterFunc(p.config.DestroyTimeout, func() { p.hangs(s) })
	err := protect("Destructor", func() error {
		p.config.Destructor(s.value)
		return nil
	})
	hung := !timer.Stop()
	p.end(destroying, err)

	p.line.Lock()
	p.dying--
	if hung {
		p.hanging--
	}
	p.destroyed++
	if err != nil {
		p.destroyErr = err
		p.destroyFailures++
		p.reports.log("destructor failed", "resource", s.number, "error", err)
	}
	p.succeedLocked(s)
	p.balanceLocked()
	p.news.tell()
	p.line.Unlock()
	if s.leave != nil {
		s.leave.Done()
	}
}

// hangs reports a destructor that takes too long. Its place stays taken, but
// its tenant does not pay for it any longer.
func (p *Pool[T]) hangs(s *slot[T]) {
	p.line.Lock()
	defer p.line.Unlock()
	p.destroyHangs++
	p.hanging++
	p.reports.log("destructor hangs", "resource", s.number, "retired", string(s.retired), "timeout", p.config.DestroyTimeout)
	p.inheritLocked(s)
	p.dischargeLocked(s)
	p.balanceLocked() // nobody has to count on its place any longer
}

// dischargeLocked ends the charge for a slot that is dying, and reports whether
// there was one.
func (p *Pool[T]) dischargeLocked(s *slot[T]) bool {
	if !s.charged {
		return false
	}
	s.charged = false
	p.line.ReleaseLocked(&s.Slot)
	p.line.DropLocked(&s.Slot)
	return true
}

// succeedLocked starts the build that the end of s calls for. If its tenant has
// wrecked it and somebody waits for the place, the tenant pays for the build
// too.
func (p *Pool[T]) succeedLocked(s *slot[T]) {
	p.inheritLocked(s)
	if s.succeed {
		if !p.buildLocked(build[T]{replaces: s}) {
			p.replacedLocked(s, nil)
		}
		return
	}
	if p.dischargeLocked(s) {
		p.rebuildLocked(s)
	}
}

// rebuildLocked starts the build of another resource in the place of s, if
// somebody waits for it, at the cost of the tenant that was charged for s last.
func (p *Pool[T]) rebuildLocked(s *slot[T]) {
	if p.fresh < p.line.DemandLocked() {
		p.buildLocked(build[T]{payer: s})
	}
}

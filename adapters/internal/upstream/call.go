package upstream

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/fairpool/fairpool/adapters/internal/gate"
	"github.com/fairpool/fairpool/fairshare"
)

// A Call is one in flight. It holds a slot until End.
type Call struct {
	upstream *Upstream
	ctx      context.Context
	release  func(served bool)
	epoch    uint64
	ended    atomic.Bool
	served   atomic.Bool

	// For the report of a leak.
	tenant string
	what   string
	begun  time.Time
	stack  []uintptr
	timer  *time.Timer
	late   atomic.Bool // it was reported

	cleanup runtime.Cleanup // guarded by Upstream.mu
	abort   func()          // ends the call on the wire
}

// A Leak is a call that lasts, or lasted, for longer than Config.LeakAfter, or
// that nobody can end any more.
type Leak struct {
	Tenant string
	Call   string
	Held   time.Duration
	Stack  string
	Ended  bool
	Lost   bool
}

// Begin waits for a slot on behalf of the tenant that ctx carries. It describes
// the call, for a report, as what. The caller calls End.
func (u *Upstream) Begin(ctx context.Context, what func() string) (*Call, *gate.Refusal) {
	ctx, release, refusal := u.enter(ctx)
	if refusal != nil {
		return nil, refusal
	}
	c := &Call{upstream: u, ctx: ctx, release: release}
	if u.config.Leak != nil {
		c.tenant, c.what, c.begun = fairshare.TenantFrom(ctx), what(), time.Now()
		var stack [32]uintptr
		c.stack = append(c.stack, stack[:runtime.Callers(2, stack[:])]...)
		if after := u.config.LeakAfter; after > 0 {
			c.timer = time.AfterFunc(after, c.overdue)
		}
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	c.epoch = u.aimd.started(time.Now())
	return c, nil
}

// Context returns the context of the call. It ends at the latest when the call
// does, if the slot is one that can be asked back.
func (c *Call) Context() context.Context { return c.ctx }

// Succeeded notes that the other side has accepted the call, which has not
// ended.
func (c *Call) Succeeded() {
	c.served.Store(true)
	c.upstream.succeeded(c.epoch)
}

// Overloaded notes that the other side has refused the call, which has not
// ended, for want of capacity, and wants no other for the given time.
func (c *Call) Overloaded(pause time.Duration) { c.upstream.overloaded(c.epoch, pause) }

// End gives the slot back. Further calls do nothing.
func (c *Call) End() {
	if !c.ended.CompareAndSwap(false, true) {
		return
	}
	if c.timer != nil {
		c.timer.Stop()
	}
	u := c.upstream
	u.mu.Lock()
	u.aimd.ended()
	c.cleanup.Stop()
	u.mu.Unlock()
	c.release(c.served.Load())
	if c.late.Load() {
		c.tell(Leak{Ended: true})
	}
}

// EndWith has the call end, by abort and End, when nothing refers any more to
// the object by which its user would have ended it. Neither abort nor the call
// may refer to the object.
func EndWith[T any](object *T, c *Call, abort func()) {
	c.abort = abort
	cleanup := runtime.AddCleanup(object, func(c *Call) { go c.lose() }, c)
	u := c.upstream
	u.mu.Lock()
	defer u.mu.Unlock()
	c.cleanup = cleanup
	if c.ended.Load() { // meanwhile, by itself
		cleanup.Stop()
	}
}

func (c *Call) lose() {
	if c.ended.Load() {
		return
	}
	u := c.upstream
	u.mu.Lock()
	u.lost++
	u.mu.Unlock()
	c.abort()
	c.tell(Leak{Lost: true})
	c.End()
}

func (c *Call) overdue() {
	if c.ended.Load() || !c.late.CompareAndSwap(false, true) {
		return
	}
	u := c.upstream
	u.mu.Lock()
	u.leaks++
	u.mu.Unlock()
	c.tell(Leak{})
}

// tell reports a leak. A panic in the report must not end the process.
func (c *Call) tell(l Leak) {
	u := c.upstream
	if u.config.Leak == nil {
		return
	}
	defer func() {
		if v := recover(); v != nil {
			u.mu.Lock()
			defer u.mu.Unlock()
			u.err = &fairshare.PanicError{Func: "Leak", Value: v, Stack: string(debug.Stack())}
		}
	}()
	l.Tenant, l.Call, l.Held, l.Stack = c.tenant, c.what, time.Since(c.begun), c.callers()
	u.config.Leak(l)
}

// callers is the stack as a panic would show it.
func (c *Call) callers() string {
	var b strings.Builder
	frames := runtime.CallersFrames(c.stack)
	for {
		frame, more := frames.Next()
		if frame.Function != "" {
			fmt.Fprintf(&b, "%s\n\t%s:%d\n", frame.Function, frame.File, frame.Line)
		}
		if !more {
			return b.String()
		}
	}
}

package turns

import (
	"fmt"
	"iter"
	"runtime"
	"strings"
	"time"
)

// A turn is a goroutine of the program.
type turn struct {
	name  string
	next  func() (struct{}, bool)
	yield func(struct{}) bool
	what  string      // it is about to do
	where string      // in the program, when tracing
	ready func() bool // whether it can; nil: yes
	takes bool        // its time: others may go first without interrupting it
	over  bool
}

// A run is the program from its start to its end, by one sequence of choices.
type run struct {
	*search
	turns     []*turn
	now       *turn // whose turn it is
	preempted int
	tracing   bool
	trace     []string
}

// current is nil outside of Explore, where nobody takes turns.
var current *run

// Go starts a goroutine.
func Go(name string, fn func()) {
	t := &turn{name: name, what: "starts"}
	t.next, _ = iter.Pull(func(yield func(struct{}) bool) {
		t.yield = yield
		fn()
	})
	current.turns = append(current.turns, t)
}

// Point is before something that others may notice, or that they may change
// the outcome of.
func Point(what string) { Await(what, nil) }

// Await is Point for something that has to wait until ready.
func Await(what string, ready func() bool) {
	if current == nil || current.now == nil {
		return
	}
	t := current.now
	t.what, t.ready = what, ready
	if current.tracing {
		t.where = place()
	}
	t.yield(struct{}{})
}

// Pause is Point for something that takes long.
func Pause(what string) {
	if current != nil && current.now != nil {
		current.now.takes = true
	}
	Point(what)
}

// place is where in the program it happens.
func place() string {
	var callers [20]uintptr
	frames := runtime.CallersFrames(callers[:runtime.Callers(3, callers[:])])
	for {
		f, more := frames.Next()
		if !strings.Contains(f.File, "/interleave/turns/") || !more {
			parts := strings.Split(f.File, "/")
			return fmt.Sprintf(" (%s:%d)", strings.Join(parts[max(0, len(parts)-2):], "/"), f.Line)
		}
	}
}

// A failure is what Fail says.
type failure string

// Fail ends the exploration: something is wrong.
func Fail(what string) { panic(failure(what)) }

// Choose returns each number below n, one in one run and one in another.
func Choose(n int) int {
	if current == nil || current.now == nil {
		return 0
	}
	return current.choose(n)
}

// Now is the time, which stands still.
func Now() time.Time { return time.Unix(1, 0) }

// Since is the time since t.
func Since(t time.Time) time.Duration { return Now().Sub(t) }

// play lets everybody have their turns, and returns what went wrong.
func (r *run) play(program func() (check func() string)) (wrong string) {
	defer func() {
		r.now = nil
		switch v := recover().(type) {
		case nil:
		case failure:
			wrong = string(v)
		default:
			wrong = fmt.Sprintf("panic: %v", v)
		}
	}()
	check := program()
	for {
		able := r.able()
		if len(able) == 0 {
			break
		}
		r.now = able[r.whose(able)]
		r.now.takes = false
		r.points++
		if r.tracing {
			r.trace = append(r.trace, r.now.name+": "+r.now.what+r.now.where)
		}
		if _, more := r.now.next(); !more {
			r.now.over = true
		}
	}
	for _, t := range r.turns {
		if !t.over {
			return fmt.Sprintf("dead-lock: %s for ever %s", t.name, t.what)
		}
	}
	r.now = nil
	return check()
}

// able lists who can go on, first of all whoever did last.
func (r *run) able() []*turn {
	r.list = r.list[:0]
	if r.now != nil && r.now.able() {
		r.list = append(r.list, r.now)
	}
	for _, t := range r.turns {
		if t != r.now && t.able() {
			r.list = append(r.list, t)
		}
	}
	return r.list
}

func (t *turn) able() bool { return !t.over && (t.ready == nil || t.ready()) }

// whose picks one of those who can go on. To interrupt one that can is allowed
// a number of times.
func (r *run) whose(able []*turn) int {
	if able[0] != r.now || r.now.takes {
		return r.choose(len(able))
	}
	if r.preempted == r.bound {
		return 0
	}
	i := r.choose(len(able))
	if i > 0 {
		r.preempted++
	}
	return i
}

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
	timer bool        // it has not run out yet
	over  bool
}

// A run is the program from its start to its end, by one sequence of choices.
type run struct {
	*search
	turns   []*turn
	now     *turn // whose turn it is
	out     int   // of turn, so far
	tracing bool
	trace   []string
}

// current is nil outside of Explore, where nobody takes turns.
var current *run

// Go starts a goroutine.
func Go(name string, fn func()) { start(name, fn) }

func start(name string, fn func()) *turn {
	t := &turn{name: name, what: "starts"}
	t.next, _ = iter.Pull(func(yield func(struct{}) bool) {
		t.yield = yield
		fn()
	})
	current.turns = append(current.turns, t)
	return t
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

// Interrupt reports whether something goes wrong for no reason, which it may as
// often as goroutines may be interrupted.
func Interrupt() bool {
	if current == nil || current.now == nil || current.out == current.bound || current.choose(2) == 0 {
		return false
	}
	current.out++
	return true
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
	for taken := 0; ; taken++ {
		able := r.able()
		if len(able) == 0 {
			break
		}
		r.now = able[r.whose(able)]
		if taken == tooMany {
			return fmt.Sprintf("live-lock: after %d turns, %s still %s", taken, r.now.name, r.now.what)
		}
		r.now.takes, r.now.timer = false, false
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

// tooMany is more turns than a program takes that ends: those of a Semaphore or
// Pool take some hundred.
const tooMany = 10_000

// able lists who can go on: first of all whoever did last, unless the search is
// a narrow one and that takes its time; timers last.
func (r *run) able() []*turn {
	r.list = r.list[:0]
	yields := r.narrow && r.now != nil && r.now.takes
	if r.now != nil && !yields && r.now.able() {
		r.list = append(r.list, r.now)
	}
	for _, timer := range [...]bool{false, true} {
		for _, t := range r.turns {
			if t != r.now && t.timer == timer && t.able() {
				r.list = append(r.list, t)
			}
		}
		if yields && !timer {
			r.list = append(r.list, r.now)
		}
	}
	return r.list
}

func (t *turn) able() bool { return !t.over && (t.ready == nil || t.ready()) }

// whose picks one of those who can go on. To interrupt one that can is allowed
// a number of times, and, if the search is a narrow one, so is anybody but the
// first to come after one that cannot.
func (r *run) whose(able []*turn) int {
	if !r.narrow && (able[0] != r.now || r.now.takes) {
		return r.choose(len(able))
	}
	if r.out == r.bound {
		return 0
	}
	i := r.choose(len(able))
	if i > 0 {
		r.out++
	}
	return i
}

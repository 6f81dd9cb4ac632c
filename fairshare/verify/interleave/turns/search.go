package turns

import "fmt"

// An Outcome is what an exploration has found.
type Outcome struct {
	Runs, Points int
	Wrong        string   // "" if nothing is
	Trace        []string // how that came about
}

// A search goes through all sequences of choices, depth first.
type search struct {
	bound  int
	narrow bool // every choice counts
	path   []choice
	at     int // in path
	points int
	list   []*turn
}

type choice struct{ of, taken int }

// Explore runs the program in every order in which it may go, with at most
// bound interruptions of a goroutine that could have gone on, and stops when
// something is wrong: everybody waits, somebody panics or calls Fail, or check,
// called at the end, returns something. The program sets the scene and starts
// goroutines with Go.
func Explore(bound int, program func() (check func() string)) Outcome {
	return (&search{bound: bound}).explore(program)
}

// ExploreNarrowly is Explore where each choice counts: when a goroutine waits,
// takes its time or ends, the first of the others goes on, in the order in which
// they were started, and a timer runs out when nobody else can go on, except for
// bound times.
func ExploreNarrowly(bound int, program func() (check func() string)) Outcome {
	return (&search{bound: bound, narrow: true}).explore(program)
}

func (s *search) explore(program func() func() string) Outcome {
	for runs := 1; ; runs++ {
		if wrong, _ := s.once(program, false); wrong != "" {
			again, trace := s.once(program, true)
			if again != wrong {
				wrong = fmt.Sprintf("the program is not the same each time: %q, then %q", wrong, again)
			}
			return Outcome{runs, s.points, wrong, trace[max(0, len(trace)-longEnough):]}
		}
		if !s.next() {
			return Outcome{Runs: runs, Points: s.points}
		}
	}
}

// longEnough is how much of a run without end there is to see.
const longEnough = 300

func (s *search) once(program func() func() string, tracing bool) (wrong string, trace []string) {
	s.at = 0
	current = &run{search: s, tracing: tracing}
	defer func() { current = nil }()
	wrong = current.play(program)
	return wrong, current.trace
}

// choose returns the choice that is due, or makes it.
func (s *search) choose(n int) int {
	if n == 1 {
		return 0
	}
	if s.at == len(s.path) {
		s.path = append(s.path, choice{of: n})
	}
	c := s.path[s.at]
	s.at++
	if c.of != n {
		Fail(fmt.Sprintf("the program is not the same each time: %d choices, then %d", c.of, n))
	}
	return c.taken
}

// next moves on to the next sequence, false if there is none.
func (s *search) next() bool {
	for n := len(s.path); n > 0; n = len(s.path) {
		if last := &s.path[n-1]; last.taken+1 < last.of {
			last.taken++
			return true
		}
		s.path = s.path[:n-1]
	}
	return false
}

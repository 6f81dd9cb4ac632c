package protocol

import (
	"fmt"
	"slices"
	"strings"
)

// A Result is what an exploration has found.
type Result struct {
	States    int // distinct states reached
	Moves     int // ways from one to the next
	Quiet     int // states in which nothing happens unless somebody outside acts
	Ends      int // states in which nothing can happen any more
	Depth     int // moves of the longest of the shortest ways to a state
	Longest   int // moves of the longest run there is
	Violation *Violation
}

// A Violation is a state that must not be, and a shortest way there.
type Violation struct {
	What  string
	Trace []string
}

func (v *Violation) Error() string {
	return fmt.Sprintf("%s, after\n  %s", v.What, strings.Join(v.Trace, "\n  "))
}

// Explore visits every state that the scenario can get into, breadth first, and
// stops at the first that breaks a property. It gives up, with a violation that
// says so, beyond limit states.
func Explore(sc Scenario, limit int) Result {
	r := explore(sc, limit)
	if r.Violation != nil && !sc.Plain {
		// The reductions exchange callers on the way; without them it reads
		// better.
		plain := sc
		plain.Plain = true
		if p := explore(plain, limit); p.Violation != nil && p.Violation.Trace != nil {
			r.Violation = p.Violation
		}
	}
	return r
}

func explore(sc Scenario, limit int) Result {
	x := explorer{sc: &sc, seen: make(map[state]int32)}
	x.add(sc.start(), -1, label{})
	var r Result
	m := moves{sc: &sc}
	for at := 0; at < len(x.from); at++ {
		if at == x.levelEnd {
			r.Depth++
			x.levelEnd = len(x.from)
			x.level, x.next = x.next, x.level[:0]
			x.levelStart = at
		}
		s := x.level[at-x.levelStart]
		m.of(s)
		r.Moves += len(m.all)
		what := s.broken(&sc)
		if what == "" && m.internal == 0 {
			if sc.quiet != nil {
				q := s
				q.sort(&sc)
				sc.quiet[q] = struct{}{}
			}
			r.Quiet++
			what = s.stuck(&sc)
			if what == "" && m.due == 0 {
				what = s.unsettled(&sc)
			}
			if what == "" && len(m.all) == 0 {
				r.Ends++
				what = s.unfinished()
			}
		}
		if what == "" {
			what = m.fault
		}
		if what != "" {
			r.States = len(x.from)
			r.Violation = &Violation{what, x.trace(at)}
			return r
		}
		for _, next := range m.all {
			x.add(next.state, at, next.label)
		}
		x.ends = append(x.ends, int32(len(x.ways)))
		if len(x.from) > limit {
			r.States = len(x.from)
			r.Violation = &Violation{What: fmt.Sprintf("there are more than %d states", limit)}
			return r
		}
	}
	r.States = len(x.from)
	var circle []label
	if r.Longest, circle = x.longest(); circle != nil {
		r.Violation = &Violation{"live-lock: it may go on like this for ever", x.describe(circle)}
	}
	return r
}

// An explorer knows the states by the order in which they were found. It keeps
// those in the making, and of all how they were reached first, and which others
// they lead to.
type explorer struct {
	sc    *Scenario
	seen  map[state]int32
	ways  []way   // out of one state after the other
	ends  []int32 // of those of each state, in ways
	from  []int32
	by    []label
	level []state // those of the current depth, from levelStart to levelEnd
	next  []state

	levelStart, levelEnd int
}

func (x *explorer) add(s state, from int, by label) {
	at, known := x.seen[s]
	if !known {
		at = int32(len(x.from))
		x.seen[s] = at
	}
	if from >= 0 {
		x.ways = append(x.ways, way{at, by})
	}
	if known {
		return
	}
	x.from = append(x.from, int32(from))
	x.by = append(x.by, by)
	x.next = append(x.next, s)
}

func (x *explorer) trace(at int) []string {
	var steps []label
	for ; x.from[at] >= 0; at = int(x.from[at]) {
		steps = append(steps, x.by[at])
	}
	slices.Reverse(steps)
	return x.describe(steps)
}

func (x *explorer) describe(steps []label) []string {
	words := make([]string, len(steps))
	for i, l := range steps {
		words[i] = x.sc.describe(l)
	}
	return words
}

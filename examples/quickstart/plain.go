package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// plainView prints a line a second: for files, pipes and terminals that cannot
// do better.
func plainView(out io.Writer) view {
	return func(st *stage, _ func()) {
		p := plain{out: out}
		for {
			p.look(st)
			select {
			case <-time.After(20 * time.Millisecond):
			case <-st.ended:
				return
			}
		}
	}
}

// plain remembers what has been printed.
type plain struct {
	out       io.Writer
	preparing string
	runs      int
	next      time.Duration // when the next line of this run is due
}

// look prints what is new.
func (p *plain) look(st *stage) {
	preparing, runs := st.scene()
	if p.preparing != preparing {
		p.preparing = preparing
		fmt.Fprintln(p.out, preparing)
	}
	if len(runs) == 0 {
		return
	}
	t := runs[len(runs)-1]
	if p.runs < len(runs) {
		p.runs, p.next = len(runs), time.Second
		fmt.Fprintf(p.out, "\n%s: connections held + queries waiting\n%s\n", t.pool, plainHeading())
	}
	if at, moments := t.now(); at >= p.next {
		p.next = at.Truncate(time.Second) + time.Second
		fmt.Fprintln(p.out, plainLine(at, moments))
	}
}

func plainHeading() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%5s", "time")
	for _, tenant := range tenants {
		fmt.Fprintf(&b, "%10s", tenant)
	}
	fmt.Fprintf(&b, "%20s", "longest web wait")
	return b.String()
}

// plainLine is one moment of a run: for each tenant the connections that it
// holds and the queries that wait for one.
func plainLine(at time.Duration, moments []moment) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%3.0f s", at.Truncate(time.Second).Seconds())
	longest := time.Duration(0)
	for tenant, m := range moments {
		fmt.Fprintf(&b, "%10s", fmt.Sprintf("%d + %d", m.held, m.waiting))
		if tenant != batch {
			longest = max(longest, m.longest)
		}
	}
	fmt.Fprintf(&b, "%20s", short(longest))
	return b.String()
}

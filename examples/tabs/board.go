package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

// A board knows what each request has at every moment of a run.
type board struct {
	name string

	mu       sync.Mutex
	start    time.Time
	requests [2]progress
	notes    []string // to be printed with the next line
}

// progress is that of one request.
type progress struct {
	pages, done, titles int
	tabs                int // that load a page for it
	asked, last         time.Time
	waits               []time.Duration // for tabs
}

func newBoard(name string, jobs []job) *board {
	b := &board{name: name, start: time.Now()}
	for _, j := range jobs {
		b.requests[j.request].pages++
	}
	return b
}

func (b *board) change(j job, change func(p *progress)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(&b.requests[j.request])
}

func (b *board) asks(j job) {
	b.change(j, func(p *progress) {
		if p.asked.IsZero() {
			p.asked = time.Now()
		}
	})
}

func (b *board) begins(j job, waited time.Duration) {
	b.change(j, func(p *progress) {
		p.tabs++
		p.waits = append(p.waits, waited)
	})
}

func (b *board) ends(j job) { b.change(j, func(p *progress) { p.tabs-- }) }

func (b *board) isDone(j job) {
	b.change(j, func(p *progress) {
		p.done++
		p.last = time.Now()
	})
}

func (b *board) read(j job, title string) {
	b.change(j, func(p *progress) {
		if title != "" {
			p.titles++
		}
	})
}

func (b *board) fails(j job, err error) {
	b.change(j, func(*progress) { b.notes = append(b.notes, fmt.Sprintf("        %s: %s", j.url, reason(err))) })
}

// show prints a line every quarter of a second, and a last one when the function
// that it returns is called.
func (b *board) show(out io.Writer, tabs int) (stop func()) {
	over, shown := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(shown)
		ticks := time.NewTicker(250 * time.Millisecond)
		defer ticks.Stop()
		for {
			select {
			case <-ticks.C:
				fmt.Fprint(out, b.line(time.Now(), tabs))
			case <-over:
				fmt.Fprint(out, b.line(time.Now(), tabs))
				return
			}
		}
	}()
	return func() {
		close(over)
		<-shown
	}
}

// line is one moment: the tabs of each request, and the pages it still wants.
func (b *board) line(now time.Time, tabs int) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var line strings.Builder
	for _, note := range b.notes {
		line.WriteString(note + "\n")
	}
	b.notes = nil
	fmt.Fprintf(&line, "%5.2f s ", now.Sub(b.start).Seconds())
	for i, p := range b.requests {
		state := fmt.Sprintf("%2d to go", p.pages-p.done)
		switch {
		case p.asked.IsZero():
			state = "not yet here"
		case p.done == p.pages:
			state = "done"
		}
		fmt.Fprintf(&line, "  %s %-*s %2d  %-12s", requests[i], tabs, strings.Repeat("█", p.tabs), p.tabs, state)
	}
	return strings.TrimRight(line.String(), " ") + "\n"
}

// A result is what a run has come to.
type result struct {
	name     string
	requests [2]progress
	all      time.Duration
}

func (b *board) result() result {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := result{name: b.name, requests: b.requests}
	for _, p := range b.requests {
		r.all = max(r.all, p.last.Sub(b.start))
	}
	return r
}

// took is how long the request took, from its coming to its last page.
func (p progress) took() time.Duration { return p.last.Sub(p.asked) }

// wait returns the least wait for a tab that so large a part of the pages did
// not exceed.
func (p progress) wait(part float64) time.Duration {
	if len(p.waits) == 0 {
		return 0
	}
	waits := slices.Sorted(slices.Values(p.waits))
	return waits[int(part*float64(len(waits)-1))]
}

func printTable(out io.Writer, results []result) {
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "\n\trequest\tpages\ttitles\tfirst wait\tmedian\tlongest\ttook\tall pages/s\t\n")
	for _, r := range results {
		pages := r.requests[0].pages + r.requests[1].pages
		for i, p := range r.requests {
			if p.pages == 0 {
				continue
			}
			fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%.2f s\t%.2f s\t%.2f s\t%.2f s\t%.1f\t\n", r.name, requests[i], p.pages, p.titles,
				p.wait(0).Seconds(), p.wait(0.5).Seconds(), p.wait(1).Seconds(), p.took().Seconds(), float64(pages)/r.all.Seconds())
		}
	}
	w.Flush()
	if len(results) == 2 {
		before, after := results[0].requests[1].took(), results[1].requests[1].took()
		fmt.Fprintf(out, "\n%s was done in %.0f%% of the time\n", requests[1], 100*after.Seconds()/before.Seconds())
	}
}

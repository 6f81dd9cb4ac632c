package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// plainView prints a line a second until the run has ended: for files, pipes and
// terminals that cannot do better.
func plainView(out io.Writer) view {
	return func(t *tally, p proxy, ended <-chan struct{}, _ context.CancelFunc) { watch(out, t, p, ended) }
}

func watch(out io.Writer, t *tally, p proxy, ended <-chan struct{}) {
	fmt.Fprintf(out, "%s: requests served of those that ended in the last second\n", t.proxy)
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	was, refused := t.now(), int64(0)
	for second := 1; ; second++ {
		select {
		case <-ticker.C:
		case <-ended:
			fmt.Fprintln(out)
			return
		}
		is, all := t.now(), t.api.refused.Load()
		f, o := since(is[:1], was[:1]), since(is[1:], was[1:])
		fmt.Fprintf(out, "%3d s   flood %4d of %4d   others %3d of %3d   refused by the API %4d   %s\n",
			second, len(f.times), f.sent, len(o.times), o.sent, all-refused, p.state())
		was, refused = is, all
	}
}

// since is what has been added to accounts.
func since(is, was []account) account {
	a, b := sum(is), sum(was)
	return account{sent: a.sent - b.sent, times: make([]time.Duration, len(a.times)-len(b.times))}
}

// printResult prints what each tenant got from each proxy, and what the difference
// comes to.
func printResult(out io.Writer, tallies []*tally) {
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "proxy\ttenant\tsent\tserved\t\tp50\tp99\t")
	for _, t := range tallies {
		proxy := t.proxy
		for i, a := range t.now() {
			fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%.1f%%\t%s\t%s\t\n", proxy, tenants[i], a.sent, len(a.times),
				100*a.success(), short(a.quantile(0.50)), short(a.quantile(0.99)))
			proxy = ""
		}
	}
	w.Flush()
	first, second := tallies[0], tallies[1]
	before, after := sum(first.now()[1:]), sum(second.now()[1:])
	fmt.Fprintf(out, "\nthe nine others: %.1f%% served before, %.1f%% with the fair proxy; the API refused %d requests before, %d then, and served %d and %d\n",
		100*before.success(), 100*after.success(), first.api.refused.Load(), second.api.refused.Load(),
		first.api.served.Load(), second.api.served.Load())
}

// short writes a time with the digits that matter.
func short(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%.0f ms", d.Seconds()*1000)
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}

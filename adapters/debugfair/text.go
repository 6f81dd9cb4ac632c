package debugfair

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// writeText writes a frame for a terminal.
func writeText(out io.Writer, f *frame) {
	fmt.Fprintf(out, "%s  %s\n", f.Title, time.UnixMilli(f.At).Format("2006-01-02 15:04:05.000"))
	for i := range f.Pools {
		writePool(out, &f.Pools[i])
	}
}

func writePool(out io.Writer, s *shown) {
	size := fmt.Sprint(s.Now.Capacity)
	if s.MaxSize > s.Now.Capacity {
		size += fmt.Sprintf(" (at most %d)", s.MaxSize)
	}
	fmt.Fprintf(out, "\n%s: %d of %s held, %d idle, %d building; %d waiting", s.Name, s.Held, size, s.Now.Idle, s.Now.Building, s.Waiting)
	if s.Waiting > 0 {
		fmt.Fprintf(out, ", for up to %s", span(s.Now.Oldest))
	}
	fmt.Fprintf(out, "\nof the last minute: fairness %s, ", digits(s.Now.Fairness))
	if s.Now.P50 == s.Now.P50 {
		fmt.Fprintf(out, "wait p50 %s p99 %s\n", span(s.Now.P50), span(s.Now.P99))
	} else {
		fmt.Fprintf(out, "wait mean %s\n", span(s.Now.Mean))
	}
	for _, w := range s.Warnings {
		fmt.Fprintf(out, "! %s\n", strings.ReplaceAll(w, "\n", "\n  "))
	}
	writePairs(out, s.Counts)
	writePairs(out, s.Figures)
	if bar := bar(s, 120); bar != "" {
		fmt.Fprintf(out, "[%s]\n", bar)
	}
	if len(s.Rows) > 0 {
		fmt.Fprintln(out)
		// Names come last: nobody knows how wide they are.
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprint(w, "held\tentitled\twaiting\tfor\tservice\tdebt\tweight\trejected\t  tenant\n")
		for _, r := range s.Rows {
			fmt.Fprintf(w, "%d\t%.1f\t%d\t%s\t%s\t%s\t%s\t%d\t  %c %s\n", r.Held, float64(r.Entitled), r.Waiting, span(r.OldestWait),
				span(r.Service), span(r.Debt), digits(r.Weight), r.Rejected, letter(r.Color), r.Name)
		}
		if s.Others.Tenants > 0 {
			fmt.Fprintf(w, "%d\t\t%d\t\t\t\t\t\t  * %d others\n", s.Others.Held, s.Others.Waiting, s.Others.Tenants)
		}
		w.Flush()
	}
	if len(s.Holders) > 0 {
		fmt.Fprintln(out)
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprint(w, "held for\tresource\t  holder\n")
		for _, h := range s.Holders {
			revoked := ""
			if h.Revoked {
				revoked = "  (asked back)"
			}
			fmt.Fprintf(w, "%s\t%d\t  %c %s%s\n", span(h.Held), h.Resource, letter(h.Color), h.Tenant, revoked)
		}
		if more := s.Leases - len(s.Holders); more > 0 {
			fmt.Fprintf(w, "\t\t  and %d more\n", more)
		}
		w.Flush()
		for i, stack := range s.Stacks {
			var whose []string
			for _, h := range s.Holders {
				if h.Stack == i {
					whose = append(whose, fmt.Sprint(h.Resource))
				}
			}
			fmt.Fprintf(out, "\nacquired %s at\n%s\n", strings.Join(whose, ", "), stack)
		}
	}
}

func writePairs(out io.Writer, pairs [][2]string) {
	for i, p := range pairs {
		if i > 0 {
			fmt.Fprint(out, ", ")
		}
		fmt.Fprintf(out, "%s %s", p[0], p[1])
	}
	if len(pairs) > 0 {
		fmt.Fprintln(out)
	}
}

// bar shows the slots as letters, of which there are at most so many.
func bar(s *shown, most int) string {
	var b strings.Builder
	each := (max(s.Now.Capacity, s.Held) + most - 1) / most
	part := func(c rune, n int) {
		for ; each > 0 && n > 0; n -= each {
			b.WriteRune(c)
		}
	}
	for c, n := range s.Now.Held {
		part(letter(c), n)
	}
	part('+', s.Now.Building)
	part('~', s.Now.Moving)
	part('.', s.Now.Idle)
	part('_', s.Now.Capacity-s.Held-s.Now.Building-s.Now.Moving-s.Now.Idle)
	return b.String()
}

// letter stands for the tenant of a colour.
func letter(color int) rune {
	if color == colors {
		return '*'
	}
	return rune('A' + color)
}

// span is so many milliseconds, with about three digits.
func span(ms number) string {
	if ms != ms {
		return "-"
	}
	d := time.Duration(float64(ms) * float64(time.Millisecond))
	for unit := time.Microsecond; unit < time.Hour; unit *= 10 {
		if d.Abs() < 1000*unit {
			return d.Round(unit).String()
		}
	}
	return d.Round(time.Minute).String()
}

func digits(n number) string {
	if n != n {
		return "-"
	}
	return fmt.Sprintf("%.3g", float64(n))
}

package adversary

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/fairshare/sched"
	"github.com/stretchr/testify/require"
)

// A figure is something that once went wrong, measured again.
type figure struct {
	what    string
	was     string // before it was mended
	measure func(*testing.T) float64
	least   float64
	most    float64
}

var figures = []figure{
	{"8 requests in flight, each under a new name, beside 5 tenants on 4 slots, all with Exp(100 ms): slot-time over that of 8 steady names",
		"1.63", func(*testing.T) float64 { return freshOverSteady(4, 5, 8) }, 0.8, 1.1},
	{"the same, 20 beside 5 on 16 slots", "1.25", func(*testing.T) float64 { return freshOverSteady(16, 5, 20) }, 0.8, 1.1},
	{"the same, 1 beside 3 on 1 slot", "2.05", func(*testing.T) float64 { return freshOverSteady(1, 3, 1) }, 0.8, 1.2},
	{"a tenant of weight 1 beside one of weight 100, 5 workers each on 4 slots: slot-time over its due",
		"14.5", func(*testing.T) float64 { return lightOverDue(100, 5) }, 0.9, 1.05},
	{"the same, weight 1000", "142", func(*testing.T) float64 { return lightOverDue(1000, 5) }, 0.9, 1.2},
	{"the same, weight 10, 8 workers of the heavy one", "1.0", func(*testing.T) float64 { return lightOverDue(10, 8) }, 0.9, 1.05},
	{"a tenant of weight 0.01 is raised to 1, among 100 with holds of 1 s on 10 slots: seconds until its next slot",
		"995", func(*testing.T) float64 { return upgrade() }, 0, 12},
	{"a tenant of weight 0.001 returns after an absence and is raised to 1 at once, among 20 on 10 slots: slots that it holds in the first 50 s, over its due",
		"20.6", func(*testing.T) float64 { return raised() }, 0.5, 1.5},
	{"weight 0.1 and 1.9 in turn for 100 s, among 9 of weight 1: slot-time over its due",
		"0.81", func(*testing.T) float64 { return flipped(100 * time.Second) }, 0.95, 1.05},
	{"the same for 10 s", "0.30", func(*testing.T) float64 { return flipped(10 * time.Second) }, 0.9, 1.05},
	{"Service and Debt of a tenant of weight 1e-6 that holds a slot for 3 h, in years: not negative",
		"-292", serviceOfTiny, 0, 293},
	{"RejectLate an hour after 8 holds of a minute: part of the callers with 1 s of patience that are refused, where the wait would be 10 ms",
		"0.33", refusedAfterSlowSpell, 0, 0.01},
	{"a tenant that always waits beside 3 closed loops of one worker on 1 slot, no Burst: slot-time over its share",
		"1.13", func(*testing.T) float64 { return besideLoops(-1) }, 0.95, 1.05},
	{"the same with the default Burst", "1", func(*testing.T) float64 { return besideLoops(0) }, 0.95, 1.05},

	// What is inherent: the README's limits quote these.
	{"inherent: one worker with holds of 10 ms beside a tenant with holds of 10 s, 2 slots: slots that it holds of the one that is due",
		"0.001", func(*testing.T) float64 { return sequential(0) }, 0, 0.01},
	{"the same with Headroom 1", "1", func(*testing.T) float64 { return sequential(1) }, 0.9, 1},
	{"inherent: a tenant returns with holds of an hour, beside 10 with holds of 100 ms on 16 slots: slots that it has after 2 s, of the 1.5 that are due",
		"5", func(*testing.T) float64 { return grabbed() }, 1, 6},
	{"inherent: 8 new names with holds of 1 s, beside 5 tenants with 100 ms on 4 slots: part of the slots, where .615 is even",
		"1.00", func(*testing.T) float64 { return fresh(4, 5, 8, time.Second, false) }, 0.5, 0.95},
}

// What once went wrong stays within its bound.
func TestFiguresKeepToTheirBounds(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("takes a while, and nothing is concurrent")
	}
	lines := make([]string, len(figures))
	for i, f := range figures {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			x := f.measure(t)
			lines[i] = fmt.Sprintf("| %s | %s | %.3g | %g to %g |", f.what, f.was, x, f.least, f.most)
			t.Log(lines[i])
			require.GreaterOrEqual(t, x, f.least, f.what)
			require.LessOrEqual(t, x, f.most, f.what)
		})
	}
	if *writeFlag {
		t.Cleanup(func() {
			text := "# What went wrong once, measured again\n\nWritten by `go test ./fairshare/verify/adversary -run Figures -write`, in virtual time.\n\n" +
				"| what | before | now | bound |\n|---|---:|---:|---|\n" + strings.Join(lines, "\n") + "\n"
			require.NoError(t, os.WriteFile(filepath.Join("..", "results", "fairness.md"), []byte(text), 0o644))
		})
	}
}

const endless = 1 << 30

// fresh is the part of the slots that k requests in flight have, each under a
// name of its own, or of k tenants with one request each.
func fresh(slots, rivals, k int, hold time.Duration, steady bool) float64 {
	a := newArena(1, sched.Config{Capacity: slots})
	for i := range rivals {
		a.workers(a.party(fmt.Sprint("rival", i), sched.Share{}, float64(slots)), slots+1, a.exponential(100*time.Millisecond))
	}
	guest := a.party("guest", sched.Share{}, float64(k))
	if steady {
		for i := range k {
			var again func()
			again = func() { a.ask(guest, fmt.Sprint("steady", i), a.exponential(hold), nil, again) }
			again()
		}
	} else {
		guest.names = k
		(&player{settings: honest, a: a, p: guest, draw: a.exponential(hold)}).start()
	}
	a.run(20*time.Second, endless)
	a.measure()
	a.run(300*time.Second, endless)
	return guest.slotTime / float64(slots) / 300
}

func freshOverSteady(slots, rivals, k int) float64 {
	const hold = 100 * time.Millisecond
	return fresh(slots, rivals, k, hold, false) / fresh(slots, rivals, k, hold, true)
}

func lightOverDue(weight float64, workers int) float64 {
	a := newArena(1, sched.Config{Capacity: 4})
	heavy, light := a.party("heavy", sched.Share{Weight: weight}, 4), a.party("light", sched.Share{}, 4)
	a.workers(heavy, workers, a.exponential(100*time.Millisecond))
	a.workers(light, 12, a.exponential(100*time.Millisecond))
	a.run(50*time.Second, endless)
	a.measure()
	a.run(5000*time.Second, endless)
	return light.slotTime / light.due
}

func upgrade() float64 {
	a := newArena(1, sched.Config{Capacity: 10})
	for i := range 100 {
		a.workers(a.party(fmt.Sprint("rival", i), sched.Share{}, 10), 11, a.exponential(time.Second))
	}
	x := a.party("x", sched.Share{Weight: 0.01}, 10)
	a.workers(x, 11, constant(time.Second))
	a.run(5000*time.Second, endless)
	for n := len(x.waits); len(x.waits) == n; { // just granted
		a.run(10*time.Millisecond, endless)
	}
	a.run(5*time.Second, endless)
	a.setShare(x, sched.Share{Weight: 1})
	start := a.now
	for n := len(x.waits); len(x.waits) == n; {
		a.run(10*time.Millisecond, endless)
	}
	return (a.now - start).Seconds()
}

func raised() float64 {
	a := newArena(1, sched.Config{Capacity: 10})
	for i := range 20 {
		a.workers(a.party(fmt.Sprint("rival", i), sched.Share{}, 10), 11, a.exponential(time.Second))
	}
	x := a.party("x", sched.Share{Weight: 0.001}, 10)
	a.ask(x, x.name, constant(time.Second), nil, nil)
	a.run(5000*time.Second, endless)
	a.workers(x, 40, a.exponential(time.Second))
	a.setShare(x, sched.Share{Weight: 1})
	a.measure()
	a.run(50*time.Second, endless)
	return x.slotTime / x.due
}

func flipped(every time.Duration) float64 {
	a := newArena(1, sched.Config{Capacity: 4})
	for i := range 9 {
		a.workers(a.party(fmt.Sprint("rival", i), sched.Share{}, 4), 5, a.exponential(time.Second))
	}
	x := a.party("x", sched.Share{}, 4)
	p := &player{a: a, p: x, settings: settings{weightA: 0.1, weightB: 1.9, period: every.Seconds()}}
	p.plans()
	a.workers(x, 5, a.exponential(time.Second))
	a.run(400*time.Second, endless)
	a.measure()
	a.run(8000*time.Second, endless)
	return x.slotTime / x.due
}

func serviceOfTiny(*testing.T) float64 {
	a := newArena(1, sched.Config{Capacity: 2})
	low, other := a.party("low", sched.Share{Weight: 1e-6}, 2), a.party("other", sched.Share{Weight: 1e-6}, 2)
	a.ask(low, "low", constant(3*time.Hour), nil, nil)
	a.workers(other, 3, constant(3*time.Hour))
	a.run(3*time.Hour-time.Second, endless)
	st := a.s.Status(a.now, a.s.Find("low"))
	return min(st.Service, st.Service+st.Debt).Hours() / 24 / 365
}

func refusedAfterSlowSpell(t *testing.T) (part float64) {
	synctest.Test(t, func(t *testing.T) {
		s, err := fairshare.NewSemaphore(fairshare.Config{Capacity: 2, RejectLate: true})
		require.NoError(t, err)
		for range 8 {
			go func() {
				if p, err := s.Acquire(t.Context(), "a"); err == nil {
					time.Sleep(time.Minute)
					p.Release()
				}
			}()
		}
		time.Sleep(time.Hour)
		refused, all := 0, 0
		for range 5000 {
			for range 3 { // on two slots: the third would wait for 10 ms
				go func() {
					ctx, cancel := context.WithTimeout(t.Context(), time.Second)
					defer cancel()
					all++
					p, err := s.Acquire(ctx, "a")
					if err != nil {
						refused++
						return
					}
					time.Sleep(10 * time.Millisecond)
					p.Release()
				}()
			}
			time.Sleep(50 * time.Millisecond)
			synctest.Wait()
		}
		part = float64(refused) / float64(all)
	})
	return part
}

func besideLoops(burst time.Duration) float64 {
	a := newArena(3, sched.Config{Capacity: 1, Burst: burst})
	for i := range 3 {
		a.workers(a.party(fmt.Sprint("loop", i), sched.Share{}, 1), 1, a.exponential(100*time.Millisecond))
	}
	x := a.party("x", sched.Share{}, 1)
	a.workers(x, 2, a.exponential(100*time.Millisecond))
	a.run(20*time.Second, endless)
	a.measure()
	a.run(2000*time.Second, endless)
	return x.slotTime / x.due
}

func sequential(headroom int) float64 {
	a := newArena(1, sched.Config{Capacity: 2, Headroom: headroom})
	a.workers(a.party("long", sched.Share{}, 2), 3, constant(10*time.Second))
	short := a.party("short", sched.Share{}, 1)
	a.after(time.Second, func() { a.workers(short, 1, constant(10*time.Millisecond)) })
	a.run(20*time.Second, endless)
	a.measure()
	a.run(2000*time.Second, endless)
	return short.slotTime / 2000
}

func grabbed() float64 {
	a := newArena(1, sched.Config{Capacity: 16})
	for i := range 10 {
		a.workers(a.party(fmt.Sprint("rival", i), sched.Share{}, 16), 17, a.exponential(100*time.Millisecond))
	}
	x := a.party("x", sched.Share{}, 16)
	a.s.Tenant(a.stamp(), x.name)
	a.run(60*time.Second, endless)
	a.workers(x, 16, constant(time.Hour))
	a.run(2*time.Second, endless)
	return float64(x.held)
}

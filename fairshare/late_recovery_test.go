package fairshare_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
)

// A spell is something that makes waits long, once. When it returns, it is over.
type spell struct {
	name string
	cast func(l *load, slots int, prefix string)
}

// slowHolds has the tenants hold slots for d, with callers who have the time.
func slowHolds(l *load, prefix string, tenants, holds int, d time.Duration) {
	var all []*client
	for i := range tenants {
		all = append(all, &client{name: prefix + fmt.Sprint(i)})
	}
	for i := range holds {
		go l.turn(all[i%tenants], d)
	}
	synctest.Wait()
	for l.s.Stats().InUse > 0 {
		time.Sleep(time.Second)
	}
}

var spells = []spell{
	{"slow holds", func(l *load, slots int, prefix string) { slowHolds(l, prefix, 2, 10*slots, 30*time.Second) }},
	{"a few of an hour", func(l *load, slots int, prefix string) { slowHolds(l, prefix, 1, slots+1, time.Hour) }},
	{"a stopped backend", func(l *load, slots int, prefix string) {
		held := takeAll(l.s, prefix+"0")
		time.Sleep(20 * time.Minute)
		releaseAll(held)
	}},
	{"a pause over a backlog", func(l *load, slots int, prefix string) {
		l.s.Suspend()
		for range 20 * slots {
			go func() { l.turn(&client{name: prefix + "0"}, 10*time.Millisecond) }()
		}
		time.Sleep(20 * time.Minute)
		l.s.Resume()
	}},
}

// After any slow spell an Acquire that would be in time is not refused for longer
// than a few seconds, at whatever pace and share; and one that would be late is
// refused again as soon as holds are long again.
func TestAfterASlowSpellTheLateOnesAreThoseThatAreLate(t *testing.T) {
	for _, spell := range spells {
		for _, slots := range []int{1, 4} {
			for _, hold := range []time.Duration{10 * time.Millisecond, 60 * time.Millisecond} {
				for _, tenants := range []int{1, 3} {
					for _, patient := range []bool{false, true} {
						t.Run(fmt.Sprintf("%s, %d slots, %v, %d tenants, patient %v", spell.name, slots, hold, tenants, patient), func(t *testing.T) {
							synctest.Test(t, func(t *testing.T) { recovers(t, spell, slots, hold, tenants, patient) })
						})
					}
				}
			}
		}
	}
}

// recovers has the slots 80% busy after the spell with requests that have a
// hundred times the hold, and at least a second, to be served; with patient, one
// worker of each tenant has all the time in the world.
func recovers(t *testing.T, spell spell, slots int, hold time.Duration, tenants int, patient bool) {
	l := newLoad(t, prescient(slots), 1000*time.Hour)
	if !patient {
		spell.cast(l, slots, "")
	} else {
		spell.cast(l, slots, "other") // beside patient rivals a debt makes truly late
		l.clientsOf(tenants, "", 1, constant(hold))
	}
	const settle = 15 * time.Second
	start, late, asked := time.Now(), 0, 0
	gap := exponential(hold * 10 / time.Duration(8*slots))
	for n := 0; time.Since(start) < settle+5*time.Second; n++ {
		time.Sleep(gap(l.rng))
		counts := time.Since(start) > settle
		go func() {
			ctx, cancel := context.WithTimeout(background, max(time.Second, 100*hold))
			defer cancel()
			p, err := l.s.Acquire(ctx, fmt.Sprint(n%tenants))
			l.mu.Lock()
			if counts {
				asked++
				if errors.Is(err, fairshare.ErrLate) {
					late++
				}
			}
			l.mu.Unlock()
			if err == nil {
				time.Sleep(hold)
				p.Release()
			}
		}()
	}
	l.stop()
	time.Sleep(10 * time.Second)
	l.mu.Lock()
	t.Logf("%d of %d refused", late, asked)
	if late > asked/100 {
		t.Errorf("%d of %d refused", late, asked)
	}
	l.mu.Unlock()

	// What is late still is refused: holds of an hour again.
	held := make([]*pending, 0)
	for range slots {
		held = append(held, begin(background, l.s, "slow"))
	}
	for _, w := range held {
		w.granted(t)
	}
	time.Sleep(30 * time.Minute)
	releaseAll([]fairshare.Permit{held[0].permit})
	held[0] = begin(background, l.s, "slow")
	held[0].granted(t)
	time.Sleep(time.Minute)
	late = 0
	for range 20 {
		w := within(l.s, "late", 100*time.Millisecond)
		<-w.done
		if errors.Is(w.err, fairshare.ErrLate) {
			late++
		}
		time.Sleep(time.Second)
	}
	if late < 18 {
		t.Errorf("only %d of 20", late)
	}
	for _, w := range held {
		w.permit.Release()
	}
}

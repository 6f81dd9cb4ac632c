package pool_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
)

// A trick is what one of several tenants does with the resources that it gets.
type trick int

const (
	none     trick = iota
	honest         // breaks what it used, and says so
	lies           // breaks what it used, and returns it
	frames         // breaks nothing, and calls what others had broken at once
	hijacks        // takes what it used with it
	preparer       // breaks what it used, and returns it; the Prepare of the next finds out
)

func (t trick) String() string {
	return []string{"none", "honest", "lies", "frames", "hijacks", "lies, Prepare finds out"}[t]
}

// A sabotage is a set-up: everybody has jobs of 100 ms.
type sabotage struct {
	slots, tenants int
	weight         float64 // of the one with the trick
	build          time.Duration
}

func (s sabotage) String() string {
	return fmt.Sprintf("%d slots, %d tenants, weight %v, build %v", s.slots, s.tenants, s.weight, s.build)
}

// useful runs the set-up and returns the slots of use that the one with the trick
// had, and each of the others on average.
func (s sabotage) useful(t *testing.T, does trick) (own, other float64) {
	const work, length = 100 * time.Millisecond, 1000 * time.Second
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		broken, had := map[*thing]bool{}, map[*thing]string{}
		cfg := sharing(s.slots, fairshare.Config{Tenants: map[string]fairshare.Share{"t0": {Weight: s.weight}}})
		if does == preparer {
			cfg.Tenancy.Prepare = func(_ context.Context, th *thing, _ pool.Handover) error {
				mu.Lock()
				defer mu.Unlock()
				if broken[th] {
					return errBroken
				}
				return nil
			}
		}
		f := &factory{build: func(context.Context, int) error { time.Sleep(s.build); return nil }}
		p := newPool(t, f, cfg)
		end := time.Now().Add(length)
		var all sync.WaitGroup
		for i := range s.tenants {
			name := fmt.Sprint("t", i)
			tricky := i == 0
			for range 2 * s.slots {
				all.Go(func() {
					for time.Now().Before(end) {
						l, err := p.Acquire(background, name)
						if err != nil {
							continue
						}
						th := l.Value()
						mu.Lock()
						bad, before := broken[th], had[th]
						had[th] = name
						mu.Unlock()
						if bad || tricky && does == frames && before != "" && before != name {
							l.Destroy()
							continue
						}
						time.Sleep(work)
						mu.Lock()
						if tricky {
							own += work.Seconds()
						} else {
							other += work.Seconds()
						}
						broken[th] = tricky && (does == lies || does == preparer)
						mu.Unlock()
						switch {
						case tricky && does == honest:
							l.Destroy()
						case tricky && does == hijacks:
							f.hijack(l)
						default:
							l.Release()
						}
					}
				})
			}
		}
		all.Wait()
	})
	return own / length.Seconds(), other / length.Seconds() / float64(s.tenants-1)
}

func sabotages() []sabotage {
	return []sabotage{
		{2, 4, 1, 900 * time.Millisecond},
		{2, 2, 1, 900 * time.Millisecond},
		{4, 3, 1, 100 * time.Millisecond},
		{8, 6, 3, 300 * time.Millisecond},
		{3, 4, 0.5, 2 * time.Second},
	}
}

// Lying does not pay: whoever returns what it broke is found out by what happens
// to those who get it next.
func TestWhoeverReturnsItBrokenPaysAsIfItHadSaidSo(t *testing.T) {
	for _, s := range sabotages() {
		t.Run(s.String(), func(t *testing.T) {
			own, other := s.useful(t, honest)
			for _, trick := range []trick{lies, preparer, hijacks} {
				liar, victim := s.useful(t, trick)
				t.Logf("useful slots: honest %.3f, others %.3f; %v %.3f, others %.3f", own, other, trick, liar, victim)
				if liar > 2*own {
					t.Errorf("%v has %.3f useful slots, %.3f by being honest", trick, liar, own)
				}
				if victim < 0.6*other {
					t.Errorf("%v: the others have %.3f useful slots, %.3f beside an honest one", trick, victim, other)
				}
			}
		})
	}
}

// Framing does not pay: whoever calls everything broken pays for it.
func TestWhoeverCallsEverythingBrokenMakesNobodyElsePay(t *testing.T) {
	for _, s := range sabotages() {
		t.Run(s.String(), func(t *testing.T) {
			fair, due := s.useful(t, none)
			framer, other := s.useful(t, frames)
			t.Logf("useful slots: beside nobody's tricks %.3f and %.3f, the framer %.3f and the others %.3f", fair, due, framer, other)
			if framer > fair {
				t.Errorf("the framer has %.3f useful slots, %.3f without framing", framer, fair)
			}
			if other < 0.9*due {
				t.Errorf("the others have %.3f useful slots, not %.3f", other, due)
			}
		})
	}
}

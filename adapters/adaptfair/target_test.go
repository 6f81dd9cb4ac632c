package adaptfair_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/adapters/adaptfair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

// A backend serves so many calls at once, first come, first served. Nobody is told
// how many.
type backend struct {
	places  chan struct{}
	mu      sync.Mutex
	service time.Duration
	rng     *rand.Rand
	random  bool // exponential service times, else within a tenth of the mean
}

func (b *backend) call() {
	b.places <- struct{}{}
	b.mu.Lock()
	d := float64(b.service)
	if b.random {
		d *= b.rng.ExpFloat64()
	} else {
		d *= 0.9 + 0.2*b.rng.Float64()
	}
	b.mu.Unlock()
	time.Sleep(time.Duration(d))
	<-b.places
}

func (b *backend) set(service time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.service = service
}

// A result is what the tenants got. The seconds count from the beginning.
type result struct {
	goodput []int // of each second
	small   [][]time.Duration
	refused []int // of the small tenants
	limits  []int
}

// a tenant that floods with 80 clients, and nine small ones with ten calls a second.
func overload(t *testing.T, b *backend, seconds int, acquire func(ctx context.Context, tenant string) (func(), error), limit func() int, each func(second int)) result {
	r := result{goodput: make([]int, seconds+60), refused: make([]int, seconds+60), small: make([][]time.Duration, seconds+60)}
	var mu sync.Mutex
	begun := time.Now()
	one := func(tenant string) bool {
		from := time.Now()
		release, err := acquire(t.Context(), tenant)
		if err == nil {
			b.call()
			release()
		}
		mu.Lock()
		defer mu.Unlock()
		second := int(time.Since(begun) / time.Second)
		switch {
		case err == nil:
			r.goodput[second]++
			if tenant != "flood" {
				r.small[second] = append(r.small[second], time.Since(from))
			}
		case tenant != "flood":
			r.refused[second]++
		}
		return err == nil
	}
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for range 80 {
		all.Go(func() {
			for ctx.Err() == nil {
				if !one("flood") {
					time.Sleep(20 * time.Millisecond)
				}
			}
		})
	}
	for i := range 9 {
		rng := rand.New(rand.NewPCG(uint64(i), 1))
		all.Go(func() {
			for ctx.Err() == nil {
				time.Sleep(time.Duration(rng.ExpFloat64() * float64(100*time.Millisecond)))
				all.Go(func() { one(fmt.Sprint("small-", i)) })
			}
		})
	}
	for second := range seconds {
		each(second)
		time.Sleep(time.Second)
		r.limits = append(r.limits, limit())
	}
	stop()
	all.Wait()
	return r
}

var sharing = fairshare.Share{MaxWaiting: 20}

func fixed(t *testing.T, b *backend, capacity, seconds int, each func(int)) result {
	sem, err := fairshare.NewSemaphore(fairshare.Config{Capacity: capacity, Default: sharing})
	require.NoError(t, err)
	return overload(t, b, seconds, func(ctx context.Context, tenant string) (func(), error) {
		p, err := sem.Acquire(ctx, tenant)
		return p.Release, err
	}, func() int { return capacity }, each)
}

func adaptive(t *testing.T, b *backend, start, seconds int, each func(int)) (result, *adaptfair.Limiter) {
	sem, err := fairshare.NewSemaphore(fairshare.Config{Capacity: start, Default: sharing})
	require.NoError(t, err)
	gate, err := adaptfair.NewGate(sem, adaptfair.Config{})
	require.NoError(t, err)
	r := overload(t, b, seconds, func(ctx context.Context, tenant string) (func(), error) {
		p, err := gate.Acquire(ctx, tenant)
		return p.Release, err
	}, func() int { return gate.Limiter().Stats().Limit }, each)
	return r, gate.Limiter()
}

func quantile(all [][]time.Duration, q float64) time.Duration {
	times := slices.Sorted(slices.Values(slices.Concat(all...)))
	return times[int(q*float64(len(times)-1))]
}

func sum(counts []int) (total int) {
	for _, n := range counts {
		total += n
	}
	return total
}

func newBackend(places int, service time.Duration, random bool, seed uint64) *backend {
	return &backend{places: make(chan struct{}, places), service: service, rng: rand.New(rand.NewPCG(seed, 0)), random: random}
}

const seconds, settled = 60, 10

// change has the service take 20 ms, then twice as long, then 20 ms again.
func change(b *backend) func(int) {
	return func(second int) {
		switch second {
		case 20:
			b.set(40 * time.Millisecond)
		case 40:
			b.set(20 * time.Millisecond)
		}
	}
}

// skipUnderRace leaves out what runs for minutes of virtual time. The other tests run the same
// code under the race detector.
func skipUnderRace(t *testing.T) {
	if raceEnabled {
		t.Skip("runs without the race detector only")
	}
}

// Within ten seconds of the beginning and of each change the goodput is that of the
// best capacity, and the small tenants hardly notice.
func TestTheLimitFindsAndFollowsWhatAHiddenBackendBears(t *testing.T) {
	skipUnderRace(t)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for _, places := range []int{8, 30} {
		worse := time.Duration(3) // halves
		if places > 8 {
			worse = 4 // a call hardly waits at all with the best capacity
		}
		var right result
		synctest.Test(t, func(t *testing.T) {
			b := newBackend(places, 20*time.Millisecond, false, seed)
			right = fixed(t, b, places, seconds, change(b))
		})
		for _, start := range []int{1, 8, 20, 100} {
			t.Run(fmt.Sprintf("%d places, from %d", places, start), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := newBackend(places, 20*time.Millisecond, false, seed)
					r, limiter := adaptive(t, b, start, seconds, change(b))
					require.NoError(t, limiter.Stats().Err)
					t.Log(r.limits)
					for from := 0; from < seconds; from += 20 {
						a, z := from+settled, from+20
						got, best := sum(r.goodput[a:z]), sum(right.goodput[a:z])
						p99, bestP99 := quantile(r.small[a:z], 0.99), quantile(right.small[a:z], 0.99)
						t.Logf("from second %d: goodput %d, best %d; p99 %v, best %v", a, got, best, p99, bestP99)
						require.GreaterOrEqual(t, float64(got), 0.75*float64(best))
						require.LessOrEqual(t, p99, bestP99*worse/2)
						require.Zero(t, sum(r.refused[a:z]))
					}
				})
			})
		}
	}
}

// Where service times are random, a change shows less clearly. So the limit is a
// third too low or too high now and then, for a while.
func TestTheLimitIsAboutRightWhereServiceTimesAreRandom(t *testing.T) {
	skipUnderRace(t)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for _, start := range []int{1, 8, 20, 100} {
		var right, r result
		synctest.Test(t, func(t *testing.T) {
			b := newBackend(8, 20*time.Millisecond, true, seed)
			right = fixed(t, b, 8, 3*seconds, change(b))
		})
		synctest.Test(t, func(t *testing.T) {
			b := newBackend(8, 20*time.Millisecond, true, seed)
			r, _ = adaptive(t, b, start, 3*seconds, change(b))
		})
		got, best := sum(r.goodput[settled:]), sum(right.goodput[settled:])
		t.Logf("from %d: goodput %d, best %d; p50 %v, best %v; limits %v", start, got, best,
			quantile(r.small[settled:], 0.5), quantile(right.small[settled:], 0.5), r.limits)
		require.GreaterOrEqual(t, float64(got), 0.75*float64(best))
		require.LessOrEqual(t, quantile(r.small[settled:], 0.5), 2*quantile(right.small[settled:], 0.5))
		require.Less(t, sum(r.refused[settled:]), len(slices.Concat(r.small...))/50)
	}
}

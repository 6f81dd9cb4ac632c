package monitoring_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/adapters/promfair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
)

type conn struct{}

var background = context.Background()

// A scenario is a pool of two connections and what happens to it within half an
// hour or more.
type scenario struct {
	set    func(*pool.Config[*conn])
	use    func(*pool.Pool[*conn])
	alerts []string // that fire
}

var (
	playing sync.Mutex
	played  = make(map[string]*history)
)

// playOnce plays the scenario of a name, unless another test has.
func playOnce(t *testing.T, name string) *history {
	playing.Lock()
	defer playing.Unlock()
	if played[name] == nil {
		played[name] = scenarios[name].play(t)
	}
	return played[name]
}

// play has a pool live through the scenario and scrapes it all the while.
func (s scenario) play(t *testing.T) *history {
	h := &history{}
	synctest.Test(t, func(t *testing.T) {
		times, err := promfair.NewTimes(promfair.TimesOptions{Pool: "db", Holds: true})
		require.NoError(t, err)
		cfg := pool.Config[*conn]{
			Constructor: func(context.Context) (*conn, error) { time.Sleep(time.Second); return &conn{}, nil },
			MaxSize:     2,
			Trace:       times.Trace(),
		}
		if s.set != nil {
			s.set(&cfg)
		}
		p, err := pool.New(cfg)
		require.NoError(t, err)
		c, err := promfair.NewCollector(p, promfair.Options{Pool: "db", TopTenants: 3})
		require.NoError(t, err)
		r := prometheus.NewRegistry()
		r.MustRegister(times, c)
		go s.use(p)
		for range 160 { // 40 minutes
			h.scrape(t, r)
			time.Sleep(step)
		}
		p.Close()
		time.Sleep(2 * time.Hour) // until all have come to their end
	})
	return h
}

// hold has a tenant hold a connection for some time, again and again after some
// time, until the pool is closed.
func hold(p *pool.Pool[*conn], tenant string, held, then time.Duration) {
	for {
		l, err := p.Acquire(background, tenant)
		if errors.Is(err, pool.ErrClosed) {
			return
		}
		if err == nil {
			time.Sleep(held)
			l.Release()
		}
		time.Sleep(then)
	}
}

var scenarios = map[string]scenario{
	"all is well": {
		use: func(p *pool.Pool[*conn]) {
			for _, tenant := range []string{"a", "b", "c", "d", "e"} {
				go hold(p, tenant, time.Second, 4*time.Second)
			}
		},
	},
	"one holds all for a quarter of an hour": {
		use: func(p *pool.Pool[*conn]) {
			for range 2 {
				go hold(p, "hog", 15*time.Minute, time.Hour)
			}
			time.Sleep(time.Minute)
			hold(p, "small", time.Second, time.Second)
		},
		alerts: []string{"FairpoolTenantStarving", "FairpoolSaturated"},
	},
	"one of those without series of their own starves": {
		use: func(p *pool.Pool[*conn]) {
			for _, tenant := range []string{"a", "b", "c"} {
				for range 3 {
					go hold(p, tenant, 4*time.Minute, 0)
				}
			}
			time.Sleep(time.Minute)
			hold(p, "small", time.Second, time.Second)
		},
		alerts: []string{"FairpoolTenantStarving", "FairpoolSaturated"},
	},
	"all want more than there is, and get their shares": {
		use: func(p *pool.Pool[*conn]) {
			for range 4 { // each waits for two minutes
				go hold(p, "a", 40*time.Second, 0)
				go hold(p, "b", 40*time.Second, 0)
			}
		},
		alerts: []string{"FairpoolSaturated"},
	},
	"the database is down": {
		set: func(c *pool.Config[*conn]) {
			c.Constructor = func(context.Context) (*conn, error) { return nil, errors.New("connection refused") }
		},
		use:    func(p *pool.Pool[*conn]) { hold(p, "a", time.Second, 5*time.Second) },
		alerts: []string{"FairpoolBuildsFailing"},
	},
	"a flood": {
		set: func(c *pool.Config[*conn]) { c.Sharing.Default = fairshare.Share{MaxWaiting: 1, Max: 1} },
		use: func(p *pool.Pool[*conn]) {
			for range 5 {
				go hold(p, "flood", time.Second, time.Second)
			}
		},
		alerts: []string{"FairpoolRejecting"},
	},
	"callers that wait for themselves": {
		set: func(c *pool.Config[*conn]) { c.Guard.ForbidNested = true },
		use: func(p *pool.Pool[*conn]) {
			time.Sleep(5 * time.Minute)
			_ = p.Do(background, "a", func(ctx context.Context, _ *conn) error {
				return p.Do(ctx, "a", func(ctx context.Context, _ *conn) error {
					return p.Do(ctx, "a", nil)
				})
			})
		},
		alerts: []string{"FairpoolDeadlock"},
	},
	"a leak": {
		set:    func(c *pool.Config[*conn]) { c.Guard.LeakAfter = 10 * time.Minute },
		use:    func(p *pool.Pool[*conn]) { hold(p, "a", time.Hour, 0) },
		alerts: []string{"FairpoolLeaks"},
	},
	"destructors that hang": {
		set: func(c *pool.Config[*conn]) {
			c.Destructor = func(*conn) { time.Sleep(20 * time.Minute) }
			c.Age.MaxUses = 10
		},
		use:    func(p *pool.Pool[*conn]) { hold(p, "a", time.Second, 20*time.Second) },
		alerts: []string{"FairpoolDestructorsHang", "FairpoolTenantStarving"}, // their places are taken
	},
	"nobody has resumed it": {
		use: func(p *pool.Pool[*conn]) {
			time.Sleep(time.Minute)
			p.Suspend()
		},
		alerts: []string{"FairpoolSuspended"},
	},
}

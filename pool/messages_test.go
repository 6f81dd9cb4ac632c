package pool_test

import (
	"context"
	"errors"
	"flag"
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the messages to testdata instead of comparing them")

// requireReviewed compares messages with those that somebody has read, in a file.
func requireReviewed(t *testing.T, file string, messages []string) {
	t.Helper()
	for _, m := range messages {
		for line := range strings.SplitSeq(m, "\n") {
			require.Equal(t, 1, strings.Count(line, "pool: "), line)
			for _, bad := range []string{"fairshare:", "queue full: queue full", "line full", "all 1 slot", "1 leases", "1 resources", "of 0 resources alive", "%!"} {
				require.NotContains(t, line, bad)
			}
		}
	}
	text := strings.Join(messages, "\n") + "\n"
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	}
	reviewed, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(reviewed), text, "read the new messages, and run the test with -update")
}

// Every message says what, for whom, why, and which setting decides it, once each.
// Each field of the configuration is wrong once.
func TestTheMessagesAreThoseThatWereReviewed(t *testing.T) {
	var all []string
	say := func(err error) {
		t.Helper()
		require.Error(t, err)
		all = append(all, err.Error())
	}
	type config = pool.Config[int]
	mistake := func(change func(*config)) {
		t.Helper()
		cfg := config{MaxSize: 4, Constructor: func(context.Context) (int, error) { return 0, nil }}
		change(&cfg)
		_, err := pool.New(cfg)
		say(err)
	}
	mistake(func(c *config) { c.Constructor = nil })
	mistake(func(c *config) { c.MaxSize = -3 })
	mistake(func(c *config) { c.Sharing.Capacity = -3 })
	mistake(func(c *config) { c.Sharing.Capacity, c.Sharing.Headroom, c.Sharing.Default.Min = -3, 1, 1 })
	mistake(func(c *config) { c.Sharing.Capacity = 5 })
	mistake(func(c *config) { c.Sharing.Headroom = 5 })
	mistake(func(c *config) { c.Sharing.Default.Weight = -1 })
	mistake(func(c *config) { c.Sharing.Tenants = map[string]fairshare.Share{"a": {Min: 5}} })
	mistake(func(c *config) { c.Sharing.ShareFunc = func(int, int) int { panic("no idea") } })
	mistake(func(c *config) { c.Sizes = pool.Sizes{MinIdle: -1, MaxIdle: -1, MaxConcurrentBuilds: -1} })
	mistake(func(c *config) { c.Sizes.MinIdle = 5 })
	mistake(func(c *config) { c.Sizes = pool.Sizes{MinIdle: 3, MaxIdle: 2} })
	mistake(func(c *config) { c.Age.MaxUses = -1 })
	mistake(func(c *config) { c.Age.MaxLifetimeJitter = time.Second })
	mistake(func(c *config) { c.Health.CheckAfter = time.Second })
	mistake(func(c *config) { c.Tenancy.PrepareInline = true })
	mistake(func(c *config) { c.Tenancy.ResetIdle = true })
	mistake(func(c *config) { c.Tenancy.Isolation = 7 })
	fields := &config{}
	durations(reflect.ValueOf(fields).Elem(), "", func(field string, _ reflect.Value) {
		if field == "Sharing.Burst" {
			return
		}
		mistake(func(c *config) {
			use := func(context.Context, int) error { return nil }
			c.Health.Check, c.Tenancy.Reset = use, use
			c.Tenancy.Prepare = func(context.Context, int, pool.Handover) error { return nil }
			durations(reflect.ValueOf(c).Elem(), "", func(name string, v reflect.Value) {
				if name == field {
					v.SetInt(-1)
				}
			})
		})
	})

	outcome := func(cfg pool.Config[*thing], f *factory, do func(*pool.Pool[*thing]) error) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			p := newPool(t, f, cfg)
			say(do(p))
			p.Close()
			time.Sleep(time.Hour)
		})
	}
	wait := func(p *pool.Pool[*thing]) error {
		ctx, cancel := context.WithTimeout(background, 2*time.Second)
		defer cancel()
		_, err := p.Acquire(ctx, "a")
		return err
	}
	broken := errors.New("no route to host")
	building := func(how func() error) *factory {
		return &factory{build: func(context.Context, int) error { return how() }}
	}
	outcome(sized(1), &factory{}, func(p *pool.Pool[*thing]) error { p.Close(); return wait(p) })
	outcome(sharing(1, fairshare.Config{RequireTenant: true}), &factory{}, func(p *pool.Pool[*thing]) error {
		_, err := p.Acquire(background, "")
		return err
	})
	outcome(sized(1), &factory{}, func(p *pool.Pool[*thing]) error {
		defer acquire(t, p, "b").Release()
		return wait(p)
	})
	outcome(sized(1), building(func() error { time.Sleep(5 * time.Second); return nil }), wait)
	outcome(sized(1), building(func() error { return broken }), wait)
	outcome(sized(1), building(func() error { panic("no paper") }), wait)
	outcome(sized(1), building(func() error { runtime.Goexit(); return nil }), wait)
	for _, hook := range []func(context.Context) error{
		func(context.Context) error { return broken },
		func(context.Context) error { panic("no paper") },
		func(context.Context) error { time.Sleep(time.Minute); return nil },
	} {
		cfg := sized(1)
		cfg.Tenancy.PrepareTimeout = time.Second / 2
		cfg.Tenancy.Prepare = func(ctx context.Context, _ *thing, _ pool.Handover) error { return hook(ctx) }
		outcome(cfg, &factory{}, wait)
	}
	outcome(forbidding(1), &factory{}, func(p *pool.Pool[*thing]) error {
		return p.Do(background, "a", func(ctx context.Context, _ *thing) error {
			_, err := p.Acquire(ctx, "a")
			return err
		})
	})
	outcome(sized(2), &factory{}, func(p *pool.Pool[*thing]) error { _, err := p.AcquireN(background, "a", 3); return err })
	outcome(sized(2), &factory{}, func(p *pool.Pool[*thing]) error { _, err := p.AcquireN(background, "a", 0); return err })
	outcome(sized(2), &factory{}, func(p *pool.Pool[*thing]) error { return p.Resize(3) })
	outcome(sized(2), &factory{}, func(p *pool.Pool[*thing]) error { return p.SetShare("a", fairshare.Share{Max: -1}) })
	outcome(sized(2), &factory{}, func(p *pool.Pool[*thing]) error { return p.SetShare("a", fairshare.Share{Min: 3}) })
	shutdown := func(p *pool.Pool[*thing]) error {
		defer acquire(t, p, "a").Release()
		ctx, cancel := context.WithTimeout(background, time.Second)
		defer cancel()
		return p.Shutdown(ctx)
	}
	outcome(sized(1), &factory{}, shutdown)
	warm := func(p *pool.Pool[*thing]) error {
		ctx, cancel := context.WithTimeout(background, time.Second)
		defer cancel()
		return p.Warm(ctx)
	}
	warming := sized(3)
	warming.Sizes.MinIdle = 3
	outcome(warming, &factory{}, func(p *pool.Pool[*thing]) error { _ = p.Resize(2); return warm(p) })
	outcome(warming, building(func() error { time.Sleep(5 * time.Second); return nil }), warm)
	outcome(warming, building(func() error { return broken }), warm)
	outcome(warming, &factory{}, func(p *pool.Pool[*thing]) error { p.Close(); return warm(p) })
	outcome(sized(1), &factory{}, func(p *pool.Pool[*thing]) error {
		defer acquire(t, p, "a").Release()
		p.Close()
		return warm(p)
	})
	requireReviewed(t, "testdata/messages.txt", all)
}

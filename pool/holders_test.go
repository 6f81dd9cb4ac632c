package pool_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

func holdersOf(p *pool.Pool[*thing]) (all []pool.Holder) {
	for h := range p.Holders() {
		all = append(all, h)
	}
	return all
}

func TestHoldersSaysWhoHoldsWhatSinceWhen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := sized(4)
		cfg.Guard.LeakAfter = time.Hour
		p := newPool(t, &factory{}, cfg)
		require.Empty(t, holdersOf(p))
		a := acquire(t, p, "a")
		b := acquire(t, p, "b")
		acquire(t, p, "warm").Release()
		time.Sleep(time.Minute)
		b.Release()
		b = acquire(t, p, "b")
		time.Sleep(time.Second)
		c := acquire(t, p, "c")
		a.Destroy()
		synctest.Wait()
		d := acquire(t, p, "d")
		p.Revoke(nil, func(h pool.Holder) bool { return h.Tenant == "b" })

		all := holdersOf(p)
		require.Len(t, all, 3)
		for i, want := range []pool.Holder{
			{Tenant: "b", Resource: uint64(b.Value().id), Held: time.Second, Revoked: true},
			{Tenant: "c", Resource: uint64(c.Value().id)},
			{Tenant: "d", Resource: uint64(d.Value().id)},
		} {
			if want.Tenant != all[i].Tenant { // by number
				t.Log(all)
			}
			requireOwnStack(t, all[i].Stack)
			want.Stack = all[i].Stack
			require.Equal(t, want, all[i])
			if i > 0 {
				require.Less(t, all[i-1].Resource, all[i].Resource)
			}
		}
		b.Release()
		c.Release()
		d.Release()
		require.Empty(t, holdersOf(p))
	})
}

func TestAHolderIsTimedFromTheFirstLookIfNothingElseNeedsTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{}, sized(1))
		acquire(t, p, "a").Release() // a build that somebody waited for
		l := acquire(t, p, "a")
		time.Sleep(time.Hour)
		require.Equal(t, []pool.Holder{{Tenant: "a", Resource: 1}}, holdersOf(p))
		time.Sleep(time.Minute)
		require.Equal(t, []pool.Holder{{Tenant: "a", Resource: 1, Held: time.Minute}}, holdersOf(p))
		l.Release()
		l = acquire(t, p, "a")
		time.Sleep(time.Hour)
		require.Zero(t, holdersOf(p)[0].Held, "the next lease is another")
		l.Release()
	})
}

func TestTheLoopOverHoldersMayCallThePoolAndEndEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{}, sized(4))
		leases := grab(t, p, "a", 3)
		for h := range p.Holders() {
			leases[2].Release()
			acquire(t, p, "b").Release()
			p.Stats()
			for range p.Holders() {
				break
			}
			if h.Resource == 2 {
				break
			}
		}
		n := 0
		for range p.Holders() {
			n++
			releaseAll(leases)
		}
		require.Equal(t, 2, n, "those of the beginning")
	})
}

func TestWhatIsBeingPreparedHasAHolderAndWhatIsResetHasNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := sized(1)
		slow := func() { time.Sleep(time.Second) }
		cfg.Tenancy.Prepare = func(context.Context, *thing, pool.Handover) error { slow(); return nil }
		cfg.Tenancy.Reset = func(context.Context, *thing) error { slow(); return nil }
		p := newPool(t, &factory{}, cfg)
		preparing := begin(background, p, "a")
		require.Len(t, holdersOf(p), 1)
		require.Empty(t, holdersOf(p)[0].Stack)
		preparing.granted(t).Release()
		synctest.Wait()
		require.Equal(t, 1, p.Stats().Resetting)
		require.Empty(t, holdersOf(p))
		time.Sleep(2 * time.Second)
	})
}

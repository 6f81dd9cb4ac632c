package fairshare_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

func TestAnAcquireErrorSaysWhatStoodInTheWay(t *testing.T) {
	for name, c := range map[string]struct {
		cfg    fairshare.Config
		hold   map[string]int
		want   fairshare.AcquireError // without Err and Waited
		text   string                 // after "context deadline exceeded after 2s: "
		closed bool
	}{
		"saturated": {
			cfg:  slots(6),
			hold: map[string]int{"a": 3, "b": 2, "c": 1},
			want: fairshare.AcquireError{
				Reason: fairshare.Saturated, InUse: 6, Capacity: 6,
				Holders: []fairshare.Holding{{Tenant: "a", Held: 3}, {Tenant: "b", Held: 2}, {Tenant: "c", Held: 1}},
			},
			text: `all 6 slots in use by "a" 3, "b" 2, "c" 1; the tenant holds 0, 0 more waiting`,
		},
		"saturated by many": {
			cfg:  slots(8),
			hold: map[string]int{"a": 1, "b": 1, "c": 3, "d": 1, "me": 2},
			want: fairshare.AcquireError{
				Reason: fairshare.Saturated, Held: 2, InUse: 8, Capacity: 8,
				Holders: []fairshare.Holding{{Tenant: "c", Held: 3}, {Tenant: "me", Held: 2}, {Tenant: "a", Held: 1}},
			},
			text: `all 8 slots in use by "c" 3, "me" 2, "a" 1; the tenant holds 2, 0 more waiting`,
		},
		"at the cap": {
			cfg:  fairshare.Config{Capacity: 6, Tenants: shares{"me": {Max: 2}}},
			hold: map[string]int{"me": 2, "a": 1},
			want: fairshare.AcquireError{
				Reason: fairshare.AtCap, Held: 2, Cap: 2, InUse: 3, Capacity: 6,
				Holders: []fairshare.Holding{{Tenant: "me", Held: 2}, {Tenant: "a", Held: 1}},
			},
			text: `the tenant is at its cap of 2, by Share.Max or ShareFunc; the tenant holds 2, 0 more waiting`,
		},
		"at its strict share": {
			cfg:  strict(6),
			hold: map[string]int{"a": 1, "me": 3},
			want: fairshare.AcquireError{
				Reason: fairshare.AtCap, Held: 3, Cap: 3, InUse: 4, Capacity: 6,
				Holders: []fairshare.Holding{{Tenant: "me", Held: 3}, {Tenant: "a", Held: 1}},
			},
			text: `the tenant is at its cap of 3, by Share.Max or ShareFunc; the tenant holds 3, 0 more waiting`,
		},
		"headroom": {
			cfg:  fairshare.Config{Capacity: 3, Headroom: 1},
			hold: map[string]int{"me": 2},
			want: fairshare.AcquireError{
				Reason: fairshare.Reserved, Held: 2, InUse: 2, Capacity: 3,
				Holders: []fairshare.Holding{{Tenant: "me", Held: 2}},
			},
			text: `the last free slots are for tenants that hold none, by Headroom; 2 of 3 slots in use; the tenant holds 2, 0 more waiting`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSemaphore(t, c.cfg)
				for _, name := range []string{"a", "b", "c", "d", "me"} {
					for range c.hold[name] {
						defer acquire(t, s, name).Release()
					}
				}
				ctx, cancel := context.WithTimeout(background, 2*time.Second)
				defer cancel()
				e := begin(ctx, s, "me").failed(t)

				require.ErrorIs(t, e, context.DeadlineExceeded)
				c.want.Tenant, c.want.Waited, c.want.Err = "me", 2*time.Second, context.DeadlineExceeded
				require.Equal(t, &c.want, e)
				require.EqualError(t, e, `fairshare: acquire for tenant "me": context deadline exceeded after 2s: `+c.text)
			})
		})
	}
}

func TestTheHoldersInAnErrorAreThoseOfNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, slots(1))
		for _, name := range []string{"a", "b", "c"} {
			p := acquire(t, s, name)
			ctx, cancel := context.WithTimeout(background, 101*time.Millisecond) // see AcquireError.Holders
			e := begin(ctx, s, "me").failed(t)
			require.Equal(t, []fairshare.Holding{{Tenant: name, Held: 1}}, e.Holders)
			cancel()
			p.Release()
		}
	})
}

func TestTheOtherWaitersOfTheTenantAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, fairshare.Config{Capacity: 1, Default: fairshare.Share{MaxWaiting: 3}})
		p := acquire(t, s, "a")
		waiting := []*pending{begin(background, s, "b"), begin(background, s, "b"), begin(background, s, "b")}
		begin(background, s, "c")

		e := begin(background, s, "b").failed(t)
		require.Equal(t, fairshare.ErrQueueFull, e.Err)
		require.Equal(t, fairshare.QueueFull, e.Reason)
		require.Equal(t, 3, e.Waiting)
		require.Zero(t, e.Waited)
		require.EqualError(t, e, `fairshare: acquire for tenant "b": queue full: 3 waiters of the tenant, the most that its Share.MaxWaiting allows`)

		s.Close()
		for i, w := range waiting {
			w := w.failed(t)
			require.LessOrEqual(t, w.Waiting, 2, "number %d", i)
		}
		p.Release()
	})
}

func TestADeadContextFailsWithoutAWait(t *testing.T) {
	because := errors.New("the user left")
	cancelled, cancel := context.WithCancelCause(background)
	cancel(because)
	late, stop := context.WithDeadline(background, time.Unix(0, 0))
	defer stop()

	s := newSemaphore(t, slots(1))
	for _, c := range []struct {
		ctx  context.Context
		is   []error
		text string
	}{
		{cancelled, []error{context.Canceled, because}, `fairshare: acquire for tenant "a": context canceled (the user left): the context had ended before`},
		{late, []error{context.DeadlineExceeded}, `fairshare: acquire for tenant "a": context deadline exceeded: the context had ended before`},
	} {
		_, err := s.Acquire(c.ctx, "a") // though a slot is free
		var e *fairshare.AcquireError
		require.ErrorAs(t, err, &e)
		require.Equal(t, fairshare.BeforeWaiting, e.Reason)
		for _, is := range c.is {
			require.ErrorIs(t, err, is)
		}
		require.EqualError(t, err, c.text)
	}
	require.Zero(t, s.Stats().Acquired)
}

func TestACauseMayBeAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, slots(1))
		p := acquire(t, s, "a")
		ctx, cancel := context.WithCancelCause(background)
		waiting := begin(ctx, s, "b")
		cancel(fmt.Errorf("reading the request: %w", &fs.PathError{Op: "read", Path: "body", Err: fs.ErrClosed}))
		e := waiting.failed(t)
		require.Equal(t, context.Canceled, e.Err)
		require.ErrorIs(t, e, context.Canceled)
		require.ErrorIs(t, e, fs.ErrClosed)
		var path *fs.PathError
		require.ErrorAs(t, e, &path)
		require.Equal(t, "body", path.Path)
		require.ErrorContains(t, e, "context canceled (reading the request: read body: file already closed)")
		p.Release()
	})
}

// A slice as an error cannot be compared, and must not be.
type violations []string

func (v violations) Error() string { return strings.Join(v, ", ") }

// A foreign context may end with an error of its own.
type foreign struct{ context.Context }

func (foreign) Err() error { return violations{"no budget", "no time"} }

func TestErrorsThatCannotBeComparedAreReported(t *testing.T) {
	s := newSemaphore(t, slots(1))
	for name, make := range map[string]func() context.Context{
		"as a cause": func() context.Context {
			ctx, cancel := context.WithCancelCause(background)
			cancel(violations{"no budget", "no time"})
			return ctx
		},
		"as the error": func() context.Context {
			ctx, cancel := context.WithCancel(background)
			cancel()
			return foreign{ctx}
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.Acquire(make(), "a")
			var v violations
			require.ErrorAs(t, err, &v)
			require.ErrorContains(t, err, "no budget, no time")
		})
	}
}

func TestAnErrorStaysShortWhateverTheNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		long := strings.Repeat("x", 1<<20)
		odd := strings.Repeat("\xff\n\"", 100)
		s := newSemaphore(t, fairshare.Config{Capacity: 2, Default: fairshare.Share{MaxWaiting: 1}})
		first, second := acquire(t, s, long), acquire(t, s, odd)
		ctx, cancel := context.WithTimeout(background, time.Second)
		defer cancel()
		for _, name := range []string{long, odd} {
			waiting := begin(ctx, s, name)
			full := begin(background, s, name).failed(t)
			for _, e := range []*fairshare.AcquireError{full, waiting.failed(t)} {
				require.Equal(t, name, e.Tenant, "the field has it in full")
				require.Less(t, len(e.Error()), 1500)
				require.NotContains(t, e.Error(), "\n")
				require.NotContains(t, e.Error(), "\xff")
				require.Contains(t, e.Error(), fmt.Sprintf("(%d bytes)", len(name)))
			}
			ctx, cancel = context.WithTimeout(background, time.Second)
			defer cancel()
		}
		first.Release()
		second.Release()

		_, err := fairshare.NewSemaphore(fairshare.Config{Capacity: 1, Tenants: shares{long: {Min: -1}}})
		require.Less(t, len(err.Error()), 500)
	})
}

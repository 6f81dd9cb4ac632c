package pool_test

import (
	"context"
	"math"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

func TestEveryMistakeInAConfigNamesFieldAndValue(t *testing.T) {
	for name, mistake := range map[string]struct {
		change func(*pool.Config[int])
		says   []string
	}{
		"no constructor": {
			func(c *pool.Config[int]) { c.Constructor = nil }, []string{"Config.Constructor", "nil"},
		},
		"no size": {
			func(c *pool.Config[int]) { c.MaxSize = 0 }, []string{"Config.MaxSize", " 0"},
		},
		"negative size": {
			func(c *pool.Config[int]) { c.MaxSize = -3 }, []string{"Config.MaxSize", "-3"},
		},
		"capacity over the size": {
			func(c *pool.Config[int]) { c.Sharing.Capacity = 5 }, []string{"Config.Sharing.Capacity", " 5", "MaxSize", " 4"},
		},
		"negative capacity": {
			func(c *pool.Config[int]) { c.Sharing.Capacity = -2 }, []string{"Config.Sharing", "Capacity", "-2"},
		},
		"negative build timeout": {
			func(c *pool.Config[int]) { c.BuildTimeout = -time.Second }, []string{"Config.BuildTimeout", "-1s"},
		},
		"bad weight": {
			func(c *pool.Config[int]) { c.Sharing.Default.Weight = math.NaN() },
			[]string{"Config.Sharing", "Default.Weight", "NaN"},
		},
		"bad share of a tenant": {
			func(c *pool.Config[int]) { c.Sharing.Tenants = map[string]fairshare.Share{"web": {Min: 7}} },
			[]string{"Config.Sharing", `Tenants["web"].Min`, " 7", " 4"},
		},
		"bad headroom": {
			func(c *pool.Config[int]) { c.Sharing.Headroom = 9 }, []string{"Config.Sharing", "Headroom", " 9"},
		},
		"two at once": {
			func(c *pool.Config[int]) { c.Constructor, c.MaxSize = nil, -3 },
			[]string{"Config.Constructor", "Config.MaxSize", "-3"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := pool.Config[int]{
				Constructor: func(context.Context) (int, error) { return 0, nil },
				MaxSize:     4,
			}
			mistake.change(&cfg)
			p, err := pool.New(cfg)
			require.Nil(t, p)
			require.ErrorContains(t, err, "pool: ")
			for _, part := range mistake.says {
				require.ErrorContains(t, err, part)
			}
		})
	}
}

func TestASizeBeyond32BitsIsAMistake(t *testing.T) {
	if strconv.IntSize == 32 {
		t.Skip("no int is that large")
	}
	tooLarge := math.MaxInt32
	tooLarge++
	_, err := pool.New(pool.Config[int]{
		Constructor: func(context.Context) (int, error) { return 0, nil },
		MaxSize:     tooLarge,
	})
	require.ErrorContains(t, err, "Config.MaxSize is 2147483648")
}

func TestAShareFuncThatPanicsAtOnceIsAMistake(t *testing.T) {
	_, err := pool.New(pool.Config[int]{
		Constructor: func(context.Context) (int, error) { return 0, nil },
		MaxSize:     4,
		Sharing:     fairshare.Config{ShareFunc: func(int, int) int { panic("no idea") }},
	})
	require.ErrorContains(t, err, "Config.Sharing")
	require.ErrorContains(t, err, "no idea")
}

func TestTheCapacityIsMaxSizeUnlessSharingSaysLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stats := newPool(t, &factory{}, sized(7)).Stats()
		require.Equal(t, 7, stats.Capacity)
		require.Equal(t, 7, stats.MaxSize)

		stats = newPool(t, &factory{}, sharing(7, fairshare.Config{Capacity: 3})).Stats()
		require.Equal(t, 3, stats.Capacity)
		require.Equal(t, 7, stats.MaxSize)
	})
}

func TestADestructorIsOptional(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, err := pool.New(pool.Config[int]{
			Constructor: func(context.Context) (int, error) { return 42, nil },
			MaxSize:     1,
		})
		require.NoError(t, err)
		l, err := p.Acquire(background, "a")
		require.NoError(t, err)
		require.Equal(t, 42, l.Value())
		l.Destroy()
		require.NoError(t, p.Shutdown(background))
		require.EqualValues(t, 1, p.Stats().Destroyed)
	})
}

func TestAWrongResizeOrShareChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{}, sized(4))
		require.ErrorContains(t, p.Resize(-1), "-1")
		require.ErrorContains(t, p.Resize(5), "capacity is 5, must be between 0 and the MaxSize of 4")
		require.Equal(t, 4, p.Stats().Capacity)

		require.ErrorContains(t, p.SetShare("a", fairshare.Share{Max: -1}), "Share.Max is -1")
		require.ErrorContains(t, p.SetShare("a", fairshare.Share{Min: 5}), "Share.Min is 5")
		l := acquire(t, p, "a")
		for name, stats := range p.Tenants() {
			require.Equal(t, "a", name)
			require.Equal(t, fairshare.Share{Weight: 1}, stats.Share)
		}
		l.Release()
	})
}

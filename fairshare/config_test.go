package fairshare_test

import (
	"math"
	"testing"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

// beyond is the least number that a capacity cannot be.
func beyond() int {
	n := math.MaxInt32
	n++ // negative where int has 32 bits, and as wrong there
	return n
}

func TestEveryMistakeInAConfigNamesFieldAndValue(t *testing.T) {
	type shares = map[string]fairshare.Share
	for name, mistake := range map[string]struct {
		change func(*fairshare.Config)
		says   []string
	}{
		"no capacity":        {func(c *fairshare.Config) { c.Capacity = 0 }, []string{"Config.Capacity is 0"}},
		"negative capacity":  {func(c *fairshare.Config) { c.Capacity = -4 }, []string{"Config.Capacity is -4"}},
		"too large capacity": {func(c *fairshare.Config) { c.Capacity = beyond() }, []string{"Config.Capacity is", "2147483648"}},

		"negative weight": {func(c *fairshare.Config) { c.Default.Weight = -1 }, []string{"Config.Default.Weight is -1"}},
		"NaN":             {func(c *fairshare.Config) { c.Default.Weight = math.NaN() }, []string{"Config.Default.Weight is NaN"}},
		"infinite weight": {func(c *fairshare.Config) { c.Default.Weight = math.Inf(1) }, []string{"Config.Default.Weight is +Inf"}},
		"tiny weight":     {func(c *fairshare.Config) { c.Default.Weight = 1e-7 }, []string{"Config.Default.Weight is 1e-07"}},
		"vast weight":     {func(c *fairshare.Config) { c.Default.Weight = 1e7 }, []string{"Config.Default.Weight is 1e+07"}},

		"negative Min":        {func(c *fairshare.Config) { c.Default.Min = -2 }, []string{"Config.Default.Min is -2"}},
		"negative Max":        {func(c *fairshare.Config) { c.Default.Max = -3 }, []string{"Config.Default.Max is -3"}},
		"negative MaxWaiting": {func(c *fairshare.Config) { c.Default.MaxWaiting = -5 }, []string{"Config.Default.MaxWaiting is -5"}},
		"Min over Max":        {func(c *fairshare.Config) { c.Default = fairshare.Share{Min: 3, Max: 2} }, []string{"Config.Default.Min is 3", "Max of 2"}},
		"Min over capacity":   {func(c *fairshare.Config) { c.Default.Min = 11 }, []string{"Config.Default.Min is 11", "Capacity of 10"}},

		"weight of a tenant": {
			func(c *fairshare.Config) { c.Tenants = shares{"web": {Weight: -1}} }, []string{`Config.Tenants["web"].Weight is -1`},
		},
		"Min of a tenant": {
			func(c *fairshare.Config) { c.Tenants = shares{"web": {Min: 12}} },
			[]string{`Config.Tenants["web"].Min is 12`, "Capacity of 10"},
		},
		"sum of Min": {
			func(c *fairshare.Config) { c.Tenants = shares{"web": {Min: 6}, "batch": {Min: 5}} },
			[]string{"Config.Tenants", "11", "Capacity of 10"},
		},

		"MinShare without ShareFunc": {func(c *fairshare.Config) { c.MinShare = 2 }, []string{"Config.MinShare is 2", "ShareFunc"}},
		"negative MinShare": {
			func(c *fairshare.Config) { c.MinShare, c.ShareFunc = -1, fairshare.EqualShare }, []string{"Config.MinShare is -1"},
		},
		"MinShare over capacity": {
			func(c *fairshare.Config) { c.MinShare, c.ShareFunc = 11, fairshare.EqualShare },
			[]string{"Config.MinShare is 11", "Capacity of 10"},
		},

		"AcquireTimeout without its unit": {
			func(c *fairshare.Config) { c.AcquireTimeout = 30 }, []string{"Config.AcquireTimeout is 30ns", "at least 1ms", "30*time.Second"},
		},
		"negative Horizon":       {func(c *fairshare.Config) { c.Horizon = -time.Second }, []string{"Config.Horizon is -1s"}},
		"negative Headroom":      {func(c *fairshare.Config) { c.Headroom = -1 }, []string{"Config.Headroom is -1"}},
		"Headroom over capacity": {func(c *fairshare.Config) { c.Headroom = 11 }, []string{"Config.Headroom is 11", "Capacity of 10"}},

		"a share for nobody": {
			func(c *fairshare.Config) { c.RequireTenant, c.Tenants = true, shares{"": {}} },
			[]string{`Config.Tenants[""]`, "RequireTenant"},
		},

		"all at once": {
			func(c *fairshare.Config) {
				c.Horizon, c.Headroom, c.Tenants = -time.Second, -1, shares{"a": {Max: -1}, "b": {Max: -2}}
			},
			[]string{"Config.Horizon is -1s", "Config.Headroom is -1", `Tenants["a"].Max is -1`, `Tenants["b"].Max is -2`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := slots(10)
			mistake.change(&cfg)
			s, err := fairshare.NewSemaphore(cfg)
			require.Nil(t, s)
			require.ErrorContains(t, err, "fairshare: ")
			for _, part := range mistake.says {
				require.ErrorContains(t, err, part)
			}
		})
	}
}

func TestTheLimitsOfAConfigAreAllowed(t *testing.T) {
	for name, cfg := range map[string]fairshare.Config{
		"least":             slots(1),
		"greatest":          slots(math.MaxInt32),
		"weights":           {Capacity: 1, Tenants: map[string]fairshare.Share{"a": {Weight: 1e-6}, "b": {Weight: 1e6}}},
		"all guaranteed":    {Capacity: 10, Tenants: map[string]fairshare.Share{"a": {Min: 4, Max: 4}, "b": {Min: 6}}},
		"all headroom":      {Capacity: 10, Headroom: 10},
		"instant, no burst": {Capacity: 10, Horizon: fairshare.Instant, Burst: -1},
		"strict":            {Capacity: 10, MinShare: 10, ShareFunc: fairshare.EqualShare},
		"any name":          {Capacity: 1, Tenants: map[string]fairshare.Share{"": {}, "\x00\xff": {}}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSemaphore(t, cfg)
			require.Equal(t, cfg.Capacity, s.Stats().Capacity)
			acquire(t, s, "a").Release()
		})
	}
}

func TestTheMapOfTenantsIsCopied(t *testing.T) {
	shares := map[string]fairshare.Share{"a": {Max: 1}}
	s := newSemaphore(t, fairshare.Config{Capacity: 10, Tenants: shares})
	shares["a"] = fairshare.Share{Max: 5}
	permits := takeAll(s, "a")
	require.Len(t, permits, 1)
	releaseAll(permits)
}

func TestAWrongShareChangesNothing(t *testing.T) {
	s := newSemaphore(t, fairshare.Config{Capacity: 10, Tenants: map[string]fairshare.Share{
		"a": {Weight: 2, Min: 6, Max: 7}, "b": {Min: 3},
	}})
	for name, mistake := range map[string]struct {
		share fairshare.Share
		says  []string
	}{
		"weight":            {fairshare.Share{Weight: -2}, []string{"Share.Weight is -2"}},
		"NaN":               {fairshare.Share{Weight: math.NaN()}, []string{"Share.Weight is NaN"}},
		"infinite":          {fairshare.Share{Weight: math.Inf(-1)}, []string{"Share.Weight is -Inf"}},
		"Min":               {fairshare.Share{Min: -1}, []string{"Share.Min is -1"}},
		"Max":               {fairshare.Share{Max: -1}, []string{"Share.Max is -1"}},
		"MaxWaiting":        {fairshare.Share{MaxWaiting: -1}, []string{"Share.MaxWaiting is -1"}},
		"Min over Max":      {fairshare.Share{Min: 2, Max: 1}, []string{"Share.Min is 2", "Max of 1"}},
		"Min over capacity": {fairshare.Share{Min: 11}, []string{"Share.Min is 11", "capacity of 10"}},
		"sum of Min":        {fairshare.Share{Min: 8}, []string{"Share.Min is 8", "sum to 11", "capacity of 10"}},
	} {
		t.Run(name, func(t *testing.T) {
			err := s.SetShare("a", mistake.share)
			for _, part := range mistake.says {
				require.ErrorContains(t, err, part)
			}
			acquire(t, s, "a").Release()
			require.Equal(t, fairshare.Share{Weight: 2, Min: 6, Max: 7}, tenant(s, "a").Share)
		})
	}
	require.NoError(t, s.SetShare("a", fairshare.Share{Min: 7}), "10 are there")
}

// A Min that is given up is free for others.
func TestTheSumOfMinFollowsSetShare(t *testing.T) {
	s := newSemaphore(t, slots(10))
	require.NoError(t, s.SetShare("a", fairshare.Share{Min: 10}))
	require.Error(t, s.SetShare("b", fairshare.Share{Min: 1}))
	require.NoError(t, s.SetShare("a", fairshare.Share{Min: 4}))
	require.NoError(t, s.SetShare("b", fairshare.Share{Min: 6}))
	require.NoError(t, s.SetShare("a", fairshare.Share{}))
	require.NoError(t, s.SetShare("b", fairshare.Share{Min: 10}))
}

func TestAWrongCapacityChangesNothing(t *testing.T) {
	s := newSemaphore(t, slots(10))
	require.ErrorContains(t, s.Resize(-1), "capacity is -1")
	require.Error(t, s.Resize(beyond()))
	require.Equal(t, 10, s.Stats().Capacity)
}

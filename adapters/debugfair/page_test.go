package debugfair_test

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/debugfair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// A shown is a part of what ?format=json tells.
type shown struct {
	ID    string
	At    int64
	Pools []struct {
		Name                            string
		Colors                          []string
		MaxSize, Tenants, Held, Waiting int
		Now                             struct {
			Capacity, Idle, Building int
			Held                     []int
			P50, P99, Mean           *float64
		}
		Rows []struct {
			Name                 string
			Color, Held, Waiting int
			Entitled, Debt       float64
		}
		Others  struct{ Tenants, Held, Waiting int }
		Leases  int
		Holders []struct {
			Resource uint64
			Tenant   string
			Held     float64
			Stack    int
			Revoked  bool
		}
		Stacks          []string
		Counts, Figures [][2]string
		Warnings        []string
	}
}

func look(t *testing.T, page http.Handler) (s shown) {
	t.Helper()
	w := answer(page, request("GET", "/?format=json"))
	require.Equal(t, http.StatusOK, w.Code)
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &s), "%s", w.Body)
	return s
}

func TestWrongFieldsOfAConfigAreNamed(t *testing.T) {
	_, source := seats(t, 1)
	ok := debugfair.Pool{Name: "a", Source: source}
	for name, c := range map[string]struct {
		cfg  debugfair.Config
		says string
	}{
		"no pools":   {debugfair.Config{}, "Config.Pools is empty"},
		"no name":    {debugfair.Config{Pools: []debugfair.Pool{ok, {Source: source}}}, "Config.Pools[1].Name is empty"},
		"same name":  {debugfair.Config{Pools: []debugfair.Pool{ok, ok}}, `Config.Pools[1].Name is "a"`},
		"no source":  {debugfair.Config{Pools: []debugfair.Pool{{Name: "a"}}}, "Config.Pools[0].Source is nil"},
		"too often":  {debugfair.Config{Pools: []debugfair.Pool{ok}, Every: time.Millisecond}, "Config.Every is 1ms"},
		"too seldom": {debugfair.Config{Pools: []debugfair.Pool{ok}, Every: time.Hour}, "Config.Every is 1h0m0s"},
		"negative":   {debugfair.Config{Pools: []debugfair.Pool{ok}, Every: -time.Second}, "Config.Every is -1s"},
	} {
		page, err := debugfair.New(c.cfg)
		require.Nil(t, page, name)
		require.ErrorContains(t, err, "debugfair: "+c.says, name)
	}
	require.Panics(t, func() { debugfair.Handler() })
}

func TestAPageShowsPoolsOfSeveralKinds(t *testing.T) {
	type tab struct{ n int }
	waits := new(debugfair.Waits)
	built := 0
	tabs, err := pool.New(pool.Config[*tab]{
		Constructor: func(context.Context) (*tab, error) { built++; return &tab{built}, nil },
		MaxSize:     4,
		Guard:       pool.Guard{LeakAfter: time.Hour},
		Sizes:       pool.Sizes{MaxConcurrentBuilds: 1},
		Trace:       waits.Trace(pool.Trace{}),
	})
	require.NoError(t, err)
	defer tabs.Close()
	semaphore, source := seats(t, 10)

	var leases []pool.Lease[*tab]
	for _, tenant := range []string{"acme", "acme", "borealis"} {
		l, err := tabs.Acquire(t.Context(), tenant)
		require.NoError(t, err)
		leases = append(leases, l)
	}
	permit, err := semaphore.Acquire(t.Context(), "cobalt")
	require.NoError(t, err)

	page := newPage(t, debugfair.Config{Pools: []debugfair.Pool{
		{Name: "tabs", Source: tabs, Waits: waits, Figures: func() iter.Seq2[string, string] {
			return debugfair.Pairs("grant", 12, "left", 8100*time.Millisecond, "odd\x00")
		}},
		{Name: "api", Source: source},
	}})
	s := look(t, page)
	require.Len(t, s.Pools, 2)

	p := s.Pools[0]
	require.Equal(t, "tabs", p.Name)
	require.Equal(t, 4, p.MaxSize)
	require.Equal(t, 3, p.Held)
	require.Equal(t, 2, p.Tenants)
	require.Equal(t, 3, p.Leases)
	require.Len(t, p.Rows, 2)
	for _, r := range p.Rows {
		require.Equal(t, map[string]int{"acme": 2, "borealis": 1}[r.Name], r.Held)
		require.Equal(t, r.Name, p.Colors[r.Color])
		require.Equal(t, r.Held, p.Now.Held[r.Color])
	}
	require.Len(t, p.Stacks, 1, "all were acquired at one place")
	require.Contains(t, p.Stacks[0], "TestAPageShowsPoolsOfSeveralKinds")
	require.Equal(t, [][2]string{{"grant", "12"}, {"left", "8.1s"}, {`"odd\x00"`, "(no value)"}}, p.Figures)

	p = s.Pools[1]
	require.Equal(t, 0, p.MaxSize)
	require.Equal(t, 10, p.Now.Capacity)
	require.Equal(t, 1, p.Held)
	require.Equal(t, "cobalt", p.Rows[0].Name)
	require.Empty(t, p.Holders)
	require.Nil(t, p.Now.P50)

	for _, l := range leases {
		l.Release()
	}
	permit.Release()
}

// brokenSource is one that panics.
type brokenSource struct{ debugfair.Source }

func (brokenSource) Tenants() iter.Seq2[string, fairshare.TenantStats] { panic("no tenants today") }

func TestASourceThatPanicsIsReportedAndTheOthersAreShown(t *testing.T) {
	_, source := seats(t, 3)
	page := newPage(t, debugfair.Config{Pools: []debugfair.Pool{
		{Name: "broken", Source: brokenSource{source}},
		{Name: "whole", Source: source},
		{Name: "figures", Source: source, Figures: func() iter.Seq2[string, string] { panic("no figures either") }},
	}})
	s := look(t, page)
	require.Contains(t, s.Pools[0].Warnings[0], "no tenants today")
	require.Empty(t, s.Pools[1].Warnings)
	require.Equal(t, 3, s.Pools[1].Now.Capacity)
	require.Contains(t, s.Pools[2].Warnings[0], "no figures either")
}

func TestWhatIsWrongWithAPoolIsSaid(t *testing.T) {
	broken := errors.New("no such host")
	p, err := pool.New(pool.Config[int]{
		Constructor: func(context.Context) (int, error) { return 0, broken },
		MaxSize:     1,
	})
	require.NoError(t, err)
	_, err = p.Acquire(t.Context(), "a")
	require.ErrorIs(t, err, broken)
	p.Suspend()
	page := newPage(t, debugfair.Config{Pools: []debugfair.Pool{{Name: "p", Source: p}}})
	warnings := strings.Join(look(t, page).Pools[0].Warnings, "\n")
	require.Contains(t, warnings, "the constructor fails: ")
	require.Contains(t, warnings, "no such host")
	require.Contains(t, warnings, "suspended")
	p.Close()
	require.Eventually(t, func() bool {
		return strings.Contains(strings.Join(look(t, page).Pools[0].Warnings, "\n"), "closed")
	}, 20*time.Second, 10*time.Millisecond)
}

func TestTheBusiestOfManyTenantsAreShownAndTheOthersCounted(t *testing.T) {
	s, source := seats(t, 1000)
	for i := range 300 {
		tenant := "t" + strings.Repeat("x", i%7) + string(rune('0'+i%10)) + strings.Repeat("y", i)
		_, err := s.Acquire(t.Context(), tenant)
		require.NoError(t, err)
	}
	for range 500 {
		_, err := s.Acquire(t.Context(), "zz-hog")
		require.NoError(t, err)
	}
	page := newPage(t, debugfair.Config{Pools: []debugfair.Pool{{Name: "p", Source: source}}})
	p := look(t, page).Pools[0]
	require.Equal(t, 301, p.Tenants)
	require.Less(t, len(p.Rows), 100)
	held, hog := 0, 0
	for _, r := range p.Rows {
		held += r.Held
		if r.Name == "zz-hog" {
			hog = r.Held
		}
	}
	require.Equal(t, 500, hog)
	require.Equal(t, 301-len(p.Rows), p.Others.Tenants)
	require.Equal(t, 800-held, p.Others.Held)
}

func TestTheTextIsForATerminal(t *testing.T) {
	s, source := seats(t, 4)
	for _, tenant := range []string{"acme", "acme", "\x1b[31mred\x07", "<b>"} {
		_, err := s.Acquire(t.Context(), tenant)
		require.NoError(t, err)
	}
	page := newPage(t, debugfair.Config{Title: "shop", Pools: []debugfair.Pool{{Name: "seats", Source: source}}})
	w := answer(page, request("GET", "/?format=text"))
	require.Equal(t, "text/plain; charset=utf-8", w.Header().Get("Content-Type"))
	text := w.Body.String()
	require.Contains(t, text, "seats: 4 of 4 held, 0 idle, 0 building; 0 waiting\n")
	require.Contains(t, text, `"\x1b[31mred\a"`)
	require.Contains(t, text, "<b>")
	require.NotContains(t, text, "\x1b")
	require.Regexp(t, `\n\[[A-H]{4}\]\n`, text)
}

func TestAfterCloseNothingIsLookedAtAndNothingAnswered(t *testing.T) {
	_, source := seats(t, 1)
	page, err := debugfair.New(debugfair.Config{Pools: []debugfair.Pool{{Name: "p", Source: source}}, Every: 100 * time.Millisecond})
	require.NoError(t, err)
	page.Close()
	page.Close()
	require.Equal(t, http.StatusServiceUnavailable, answer(page, request("GET", "/")).Code)
	require.Equal(t, http.StatusServiceUnavailable, answer(page, request("GET", "/events")).Code)
}

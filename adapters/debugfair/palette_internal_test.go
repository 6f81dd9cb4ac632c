package debugfair

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestATenantKeepsItsColourWhileItComesAndGoes(t *testing.T) {
	var p palette
	now := someday
	p.update(now, []use{{"a", 3}, {"b", 1}}, nil)
	a, b := p.of("a"), p.of("b")
	require.NotEqual(t, a, b)
	for range 100 {
		now = now.Add(5 * time.Second)
		require.Empty(t, p.update(now, []use{{"b", 1}}, nil))
	}
	require.Equal(t, a, p.of("a"), "it is in the history still")
	require.Equal(t, []int{a}, p.update(now.Add(2*time.Minute), []use{{"b", 1}}, nil), "it is not any more")
	require.Equal(t, colors, p.of("a"))
	require.Equal(t, b, p.of("b"))
}

func TestTheSameNamesGetTheSameColoursInEveryRun(t *testing.T) {
	var p, q palette
	p.update(someday, []use{{"a", 1}, {"b", 1}, {"c", 1}}, nil)
	q.update(someday.Add(time.Hour), []use{{"b", 1}}, nil)
	q.update(someday.Add(time.Hour), []use{{"a", 1}}, nil)
	q.update(someday.Add(time.Hour), []use{{"c", 1}}, nil)
	for _, name := range []string{"a", "b", "c"} {
		require.Equal(t, p.of(name), q.of(name))
	}
}

func TestATenantHasOneColourInAllPools(t *testing.T) {
	for seed := range 200 {
		name := func(i int) string { return fmt.Sprintf("%x", seed*7919+i*104729) }
		var p, q palette
		all := []*palette{&p, &q}
		// They come one by one, to one pool first and to the other later.
		for i := range colors {
			own := []*palette{&p, &q}[i%2]
			own.update(someday, []use{{name(i), 1}}, all)
		}
		for i := colors - 1; i >= 0; i-- {
			other := []*palette{&q, &p}[i%2]
			other.update(someday, []use{{name(i), 1}}, all)
		}
		for i := range colors {
			require.Less(t, p.of(name(i)), colors)
			require.Equal(t, p.of(name(i)), q.of(name(i)))
		}
	}
}

func TestColoursDoNotFlickerAmongManyTenantsAlike(t *testing.T) {
	var p palette
	changes := 0
	for i := range 2000 {
		var uses []use
		for k := range 20 {
			uses = append(uses, use{fmt.Sprint((i*20 + k) % 5000), 1})
		}
		changes += len(p.update(someday.Add(time.Duration(i)*500*time.Millisecond), uses, nil))
	}
	require.LessOrEqual(t, changes, colors)
	require.LessOrEqual(t, len(p.busy), mostKnown)
}

func TestABusyTenantGetsAColourAmongMany(t *testing.T) {
	var p palette
	at := func(i int) time.Time { return someday.Add(time.Duration(i) * 500 * time.Millisecond) }
	small := func(i int) (uses []use) {
		for k := range 20 {
			uses = append(uses, use{fmt.Sprint((i*20 + k) % 100), 1})
		}
		return uses
	}
	for i := range 200 {
		p.update(at(i), small(i), nil)
	}
	given := -1
	for i := 200; i < 210 && given < 0; i++ {
		p.update(at(i), append([]use{{"hog", 100}}, small(i)...), nil)
		if p.of("hog") < colors {
			given = i - 200
		}
	}
	require.GreaterOrEqual(t, given, 0)
	require.LessOrEqual(t, given, 1, "within two samples")
}

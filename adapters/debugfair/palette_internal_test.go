package debugfair

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// by gives colours out by name alone.
func by(name string) int { return preferred(name, nil) }

func TestATenantKeepsItsColourWhileItComesAndGoes(t *testing.T) {
	var p palette
	now := someday
	p.update(now, []use{{"a", 3}, {"b", 1}}, by)
	a, b := p.of("a"), p.of("b")
	require.NotEqual(t, a, b)
	for range 100 {
		now = now.Add(5 * time.Second)
		require.Empty(t, p.update(now, []use{{"b", 1}}, by))
	}
	require.Equal(t, a, p.of("a"), "it is in the history still")
	require.Equal(t, []int{a}, p.update(now.Add(2*time.Minute), []use{{"b", 1}}, by), "it is not any more")
	require.Equal(t, colors, p.of("a"))
	require.Equal(t, b, p.of("b"))
}

func TestTheSameNamesGetTheSameColoursInEveryRunAndPool(t *testing.T) {
	var p, q palette
	p.update(someday, []use{{"a", 1}, {"b", 1}}, by)
	q.update(someday, []use{{"b", 1}, {"a", 1}}, func(name string) int { return preferred(name, []*watched{{palette: p}}) })
	require.Equal(t, p.of("a"), q.of("a"))
	require.Equal(t, p.of("b"), q.of("b"))
}

func TestColoursDoNotFlickerAmongManyTenantsAlike(t *testing.T) {
	var p palette
	changes := 0
	for i := range 2000 {
		var uses []use
		for k := range 20 {
			uses = append(uses, use{fmt.Sprint((i*20 + k) % 5000), 1})
		}
		changes += len(p.update(someday.Add(time.Duration(i)*500*time.Millisecond), uses, by))
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
		p.update(at(i), small(i), by)
	}
	given := -1
	for i := 200; i < 210 && given < 0; i++ {
		p.update(at(i), append([]use{{"hog", 100}}, small(i)...), by)
		if p.of("hog") < colors {
			given = i - 200
		}
	}
	require.GreaterOrEqual(t, given, 0)
	require.LessOrEqual(t, given, 1, "within two samples")
}

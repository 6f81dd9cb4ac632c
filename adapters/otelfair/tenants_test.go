package otelfair_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/fairpool/fairpool/adapters/otelfair"
	"github.com/stretchr/testify/require"
)

const acquiredBy = "fairpool.tenant.acquired{fairpool.tenant="

func TestTheNumberOfTenantsReportedByNameIsBounded(t *testing.T) {
	p := newPool(t, 8, nil)
	m, _ := observe(t, p, otelfair.Options{TopTenants: 3})
	l := acquire(t, p, "steady")
	defer l.Release()
	for i := range 3000 { // more than the SDK would take
		acquire(t, p, fmt.Sprint("tenant-", i)).Release()
	}
	n := 0
	got := m.collect(t)
	for name := range got {
		require.NotContains(t, name, "overflow")
		if strings.HasPrefix(name, acquiredBy) {
			n++
		}
	}
	require.Equal(t, 4, n)
	require.EqualValues(t, 1, got["fairpool.tenant.held{fairpool.tenant=steady}"])
	require.EqualValues(t, 2998, got[acquiredBy+"other}"])
}

func TestWithoutTopTenantsNothingIsReportedByTenant(t *testing.T) {
	p := newPool(t, 2, nil)
	acquire(t, p, "a").Release()
	m, _ := observe(t, p, otelfair.Options{})
	for name := range m.collect(t) {
		require.NotContains(t, name, "fairpool.tenant.")
	}
}

func TestNamesOfAnyBytesBecomeAttributes(t *testing.T) {
	names := []string{"", "other", "\xff", `"`, "\xe6\x97", strings.Repeat("x", 200), strings.Repeat("x", 201), "größe"}
	p := newPool(t, 1, nil)
	for _, name := range names {
		acquire(t, p, name).Release()
	}
	m, _ := observe(t, p, otelfair.Options{TopTenants: len(names)})
	n := 0
	for name, value := range m.collect(t) {
		require.True(t, utf8.ValidString(name), "%q", name)
		if strings.HasPrefix(name, acquiredBy) && name != acquiredBy+"other}" {
			n++
			require.EqualValues(t, 1, value, name)
		}
	}
	require.Equal(t, len(names), n)
}

// One tenant after the other uses most, and gets the place of the one before.
func TestTotalsOfTenantsNeverFall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, 2, nil)
		m, _ := observe(t, p, otelfair.Options{TopTenants: 1, Stay: -1})
		ever := map[string]float64{}
		n := 0
		for i := range 300 {
			a, b := acquire(t, p, fmt.Sprint("t", i/20%3)), acquire(t, p, fmt.Sprint("t", i/20%3))
			n += 2
			time.Sleep(time.Minute / 2)
			for name, value := range m.collect(t) {
				if strings.HasPrefix(name, acquiredBy) {
					require.GreaterOrEqual(t, value, ever[name], name)
					ever[name] = value
				}
			}
			a.Release()
			b.Release()
		}
		sum := 0.0
		for _, value := range ever {
			sum += value
		}
		require.EqualValues(t, n, sum)
		require.Len(t, ever, 4, "the place did change hands")
	})
}

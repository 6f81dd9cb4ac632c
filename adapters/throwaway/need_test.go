package throwaway_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/fairpool/fairpool/adapters/throwaway"
	"github.com/stretchr/testify/require"
)

// A verdict is a TB that notes what becomes of the test.
type verdict struct{ skipped, failed string }

func (v *verdict) Helper()                  {}
func (v *verdict) Cleanup(func())           {}
func (v *verdict) Context() context.Context { return context.Background() }
func (v *verdict) Failed() bool             { return v.failed != "" }
func (v *verdict) Log(args ...any)          {}
func (v *verdict) Skip(args ...any)         { v.skipped = fmt.Sprint(args...) }
func (v *verdict) Fatal(args ...any)        { v.failed = fmt.Sprint(args...) }

func TestAMissingServerSkipsATestOrFailsItWhereAllAreRequired(t *testing.T) {
	missing := fmt.Errorf("start: %w", &throwaway.MissingError{Program: "initdb", Package: "postgresql"})
	const text = "start: throwaway: initdb is not installed; on Debian and Ubuntu it is in the package postgresql"
	judge := func(err error) (v verdict) {
		throwaway.Need(&v, err)
		return v
	}
	t.Setenv("FAIRPOOL_REQUIRE_ALL", "")
	require.Equal(t, verdict{}, judge(nil))
	require.Equal(t, verdict{skipped: text}, judge(missing))
	require.Equal(t, verdict{failed: "broken"}, judge(errors.New("broken")), "only a missing program is excused")
	t.Setenv("FAIRPOOL_REQUIRE_ALL", "1")
	require.Equal(t, verdict{}, judge(nil))
	require.Equal(t, verdict{failed: text}, judge(missing))
}

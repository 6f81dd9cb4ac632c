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

func TestAProgramIsWhatLookFindsUnlessItIsHidden(t *testing.T) {
	t.Setenv("FAIRPOOL_REQUIRE_ALL", "")
	t.Setenv("PATH", t.TempDir())
	t.Setenv("FAIRPOOL_HIDE", "")
	path := func(name string, look func() (string, error)) (path string, v verdict) {
		path = throwaway.ProgramFor(&v, name, look)
		return path, v
	}
	found := func() (string, error) { return "/bin/it", nil }
	missing := func() (string, error) { return "", errors.New("no such file") }
	const skipped = "throwaway: wrk is not installed; on Debian and Ubuntu it is in the package wrk"

	at, v := path("wrk", found)
	require.Equal(t, "/bin/it", at)
	require.Equal(t, verdict{}, v)
	_, v = path("wrk", missing)
	require.Equal(t, verdict{skipped: skipped}, v)
	_, v = path("of-nobody", nil)
	require.Equal(t, "throwaway: of-nobody is not installed; on Debian and Ubuntu it is in the package of-nobody", v.skipped)
	for hide, want := range map[string]string{"initdb": "", "initdb,wrk": skipped, "all": skipped} {
		t.Setenv("FAIRPOOL_HIDE", hide)
		_, v = path("wrk", found)
		require.Equal(t, verdict{skipped: want}, v, hide)
	}
}

func TestAMissingProgramSaysHowToInstallItOnEachSystem(t *testing.T) {
	for want, missing := range map[[3]string]throwaway.MissingError{
		{"apt-get install redis-server", "brew install redis", "as on Debian, in WSL"}: {Program: "redis-server", Package: "redis-server"},
		{"apt-get install chromium-headless-shell", "brew install --cask google-chrome", "winget install Google.Chrome"}: {
			Program: "chromium-headless-shell", Package: "chromium-headless-shell"},
		{"apt-get install wrk", "not needed", "not needed"}: {Program: "wrk", Package: "wrk"},
	} {
		require.Equal(t, want, [3]string{missing.Install("linux"), missing.Install("darwin"), missing.Install("windows")})
	}
}

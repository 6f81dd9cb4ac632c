package chromedpfair

import (
	"errors"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// installed is a machine on which these programs are.
func installed(programs ...string) func(string) (string, error) {
	return func(name string) (string, error) {
		for _, p := range programs {
			if p == name {
				return "found:" + name, nil
			}
		}
		return "", exec.ErrNotFound
	}
}

func TestFindBrowserPrefersTheHeadlessShellOverTheFullBrowser(t *testing.T) {
	path, err := findBrowser(installed("chromium", "/usr/lib/chromium/chromium", "/usr/lib/chromium/chromium-headless-shell"), "linux")
	require.NoError(t, err)
	require.Equal(t, "found:/usr/lib/chromium/chromium-headless-shell", path)
}

func TestFindBrowserPrefersTheProgramOverTheScriptThatStartsIt(t *testing.T) {
	path, err := findBrowser(installed("chromium", "/usr/lib/chromium/chromium"), "linux")
	require.NoError(t, err)
	require.Equal(t, "found:/usr/lib/chromium/chromium", path)
}

func TestFindBrowserFindsOneOnEverySystem(t *testing.T) {
	for goos, program := range map[string]string{
		"linux":   "google-chrome",
		"freebsd": "chrome",
		"darwin":  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
		"windows": "msedge",
	} {
		path, err := findBrowser(installed(program), goos)
		require.NoError(t, err, goos)
		require.Equal(t, "found:"+program, path)
	}
}

func TestFindBrowserNamesThePackageToInstall(t *testing.T) {
	_, err := findBrowser(installed(), "linux")
	require.ErrorIs(t, err, ErrNoBrowser)
	require.ErrorContains(t, err, "apt-get install chromium-headless-shell")
	_, err = findBrowser(installed(), "windows")
	require.True(t, errors.Is(err, ErrNoBrowser))
	require.NotContains(t, err.Error(), "apt-get")
}

package chromedpfair

import (
	"errors"
	"fmt"
	"os/exec"
	"runtime"
)

// ErrNoBrowser is what FindBrowser returns, with advice, if there is none.
var ErrNoBrowser = errors.New("chromedpfair: no browser found")

// FindBrowser returns the path of a Chromium or Chrome that is installed here.
// Where several are, it prefers the headless shell, which opens a tab several
// times as fast and needs half the memory. It looks for the program itself
// before the scripts in the search path that start it: with a script in between
// the end of a browser may be noticed a second late. If there is none, the error
// wraps ErrNoBrowser and names what to install.
func FindBrowser() (string, error) { return findBrowser(exec.LookPath, runtime.GOOS) }

func findBrowser(look func(string) (string, error), goos string) (string, error) {
	for _, name := range browserNames(goos) {
		if path, err := look(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%w: %s", ErrNoBrowser, browserAdvice(goos))
}

func browserNames(goos string) []string {
	switch goos {
	case "darwin":
		return []string{
			"chrome-headless-shell",
			"/Applications/Chromium.app/Contents/MacOS/Chromium",
			"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
			"/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
		}
	case "windows":
		return []string{
			"chrome-headless-shell",
			"chrome",
			`C:\Program Files\Google\Chrome\Application\chrome.exe`,
			`C:\Program Files (x86)\Google\Chrome\Application\chrome.exe`,
			"msedge",
			`C:\Program Files\Microsoft\Edge\Application\msedge.exe`,
			`C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe`,
		}
	}
	return []string{
		"/usr/lib/chromium/chromium-headless-shell", // Debian
		"/headless-shell/headless-shell",            // the image chromedp/headless-shell
		"chrome-headless-shell",
		"headless-shell",
		"headless_shell",
		"/usr/lib/chromium/chromium",         // Debian
		"/usr/lib/chromium-browser/chromium", // Raspberry Pi OS
		"/opt/google/chrome/chrome",
		"chromium",
		"chromium-browser",
		"google-chrome",
		"google-chrome-stable",
		"/snap/bin/chromium",
		"chrome",
	}
}

func browserAdvice(goos string) string {
	if goos == "darwin" || goos == "windows" {
		return "install Chrome or Chromium"
	}
	return "install one, on Debian: apt-get install chromium-headless-shell"
}

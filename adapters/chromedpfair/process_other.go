//go:build !unix

package chromedpfair

import (
	"errors"
	"os/exec"
)

// Without process groups, chromedp kills the browser itself, whose children end
// when they notice.

const memoryKnown = false

func ownGroup(*exec.Cmd) {}

func killGroup(int) {}

func groupGone(int) bool { return true }

func memoryOfGroup(int) (int64, error) { return 0, errors.ErrUnsupported }

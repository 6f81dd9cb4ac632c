//go:build unix && !linux

package chromedpfair

import (
	"errors"
	"os/exec"
	"syscall"
)

const memoryKnown = false

func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func killGroup(group int) { _ = syscall.Kill(-group, syscall.SIGKILL) }

func groupGone(group int) bool { return errors.Is(syscall.Kill(-group, 0), syscall.ESRCH) }

func memoryOfGroup(int) (int64, error) { return 0, errors.ErrUnsupported }

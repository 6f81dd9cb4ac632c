//go:build !unix

package throwaway

import (
	"errors"
	"os/exec"
)

type signal int

const (
	interrupt signal = iota
	terminate
	quit
	kill
	pause
	resume
)

const supported = false

func detach(*exec.Cmd)            {}
func disown(*exec.Cmd, *account)  {}
func send(int, signal) error      { return errors.ErrUnsupported }
func sendGroup(int, signal) error { return errors.ErrUnsupported }

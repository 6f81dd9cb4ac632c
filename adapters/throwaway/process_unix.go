//go:build unix

package throwaway

import (
	"os/exec"
	"syscall"
)

// A signal is what a server is sent.
type signal = syscall.Signal

const (
	interrupt = syscall.SIGINT
	terminate = syscall.SIGTERM
	quit      = syscall.SIGQUIT
	kill      = syscall.SIGKILL
	pause     = syscall.SIGSTOP
	resume    = syscall.SIGCONT
)

const supported = true

// detach has cmd run in a process group of its own.
func detach(cmd *exec.Cmd) { attributes(cmd).Setpgid = true }

// disown is detach for a server: it dies with its parent where the system can
// see to that, and runs as u unless that is nil.
func disown(cmd *exec.Cmd, u *account) {
	detach(cmd)
	dieWithParent(attributes(cmd))
	if u != nil {
		attributes(cmd).Credential = &syscall.Credential{Uid: u.uid, Gid: u.gid}
	}
}

func attributes(cmd *exec.Cmd) *syscall.SysProcAttr {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = new(syscall.SysProcAttr)
	}
	return cmd.SysProcAttr
}

// send signals a process, sendGroup all of its group.
func send(pid int, s signal) error      { return syscall.Kill(pid, s) }
func sendGroup(pid int, s signal) error { return syscall.Kill(-pid, s) }

package faults

import "syscall"

// child has a process end with this one, whatever becomes of it.
func child() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

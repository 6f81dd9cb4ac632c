package throwaway

import "syscall"

// dieWithParent has the kernel kill a child when the thread ends that started
// it.
func dieWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGKILL }

//go:build unix && !linux

package throwaway

import "syscall"

func dieWithParent(*syscall.SysProcAttr) {}

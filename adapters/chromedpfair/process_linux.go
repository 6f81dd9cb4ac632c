package chromedpfair

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// memoryKnown says whether memoryOfGroup works here.
const memoryKnown = true

// ownGroup has the browser lead a process group of its own, to which everything
// that it starts belongs, and not outlive this process.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

func killGroup(group int) { _ = syscall.Kill(-group, syscall.SIGKILL) }

// groupGone reports whether no process of the group runs any more. Zombies do
// not: reaping what a dead browser leaves is up to init. If that is this process,
// as in many containers, it is done here.
func groupGone(group int) bool {
	if len(processesOf(group)) > 0 {
		return false
	}
	for {
		pid, err := syscall.Wait4(-group, nil, syscall.WNOHANG, nil)
		if err != nil {
			return true // none of them is a child of this process
		}
		if pid == 0 {
			return false // its first thread is dead, but not all of them
		}
	}
}

// memoryOfGroup returns the resident memory of the group in bytes.
func memoryOfGroup(group int) (int64, error) {
	var pages int64
	for _, pid := range processesOf(group) {
		var size, resident int64
		statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
		if err != nil {
			continue // it has just ended
		}
		if _, err := fmt.Sscan(string(statm), &size, &resident); err != nil {
			return 0, fmt.Errorf("read /proc/%d/statm: %w", pid, err)
		}
		pages += resident
	}
	return pages * int64(os.Getpagesize()), nil
}

// processesOf returns the processes of a group, zombies left out.
func processesOf(group int) (pids []int) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		if err != nil {
			continue
		}
		// The name, in parentheses, may contain anything.
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		if len(fields) < 3 || fields[0][0] == 'Z' || fields[0][0] == 'X' {
			continue
		}
		if string(fields[2]) == strconv.Itoa(group) {
			pids = append(pids, pid)
		}
	}
	return pids
}

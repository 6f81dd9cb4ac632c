package chromedpfair

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// prSetChildSubreaper makes this process what init is in a container.
const prSetChildSubreaper = 36

func TestNoZombiesAreLeftWhereThisProcessIsInit(t *testing.T) {
	_, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, prSetChildSubreaper, 1, 0)
	require.Zero(t, errno)
	defer syscall.RawSyscall(syscall.SYS_PRCTL, prSetChildSubreaper, 0, 0)
	p := newPool(t, Config{})
	require.NoError(t, p.Do(within(t, time.Minute), "a", nothing))
	group := p.Browsers().Running[0].PID
	require.Greater(t, len(processesOf(group)), 2, "everything that the browser starts is in its group")
	require.NoError(t, syscall.Kill(group, syscall.SIGKILL))
	p.Close()
	require.Empty(t, membersOf(group))
}

func TestFactAScriptThatStartsABrowserIsTheProcessThatChromedpKnows(t *testing.T) {
	ctx, group := bareFrom(t, programOf(t, `"`+browserOrSkip(t)+`" "$@"`))
	killed := time.Now()
	require.NoError(t, syscall.Kill(group, syscall.SIGKILL)) // the script alone
	<-ctx.Done()
	require.Greater(t, time.Since(killed), 500*time.Millisecond, "noticed at once: FindBrowser need not care")
}

// membersOf returns the processes of a group with their state, zombies included.
func membersOf(group int) (members []string) {
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range files {
		stat, _ := os.ReadFile(file)
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		if len(fields) > 2 && fields[2] == strconv.Itoa(group) {
			members = append(members, filepath.Base(filepath.Dir(file))+" "+fields[0])
		}
	}
	return members
}

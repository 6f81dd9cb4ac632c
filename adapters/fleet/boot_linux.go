package fleet

import (
	"time"

	"golang.org/x/sys/unix"
)

// boot is the time since the machine was started, including that for which it
// was suspended.
func boot() (time.Duration, bool) {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &t) != nil {
		return 0, false
	}
	return time.Duration(t.Nano()), true
}

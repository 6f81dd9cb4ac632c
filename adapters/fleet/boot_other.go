//go:build !linux

package fleet

import "time"

// boot is the time since the machine was started, including that for which it
// was suspended, where there is such a clock.
func boot() (time.Duration, bool) { return 0, false }

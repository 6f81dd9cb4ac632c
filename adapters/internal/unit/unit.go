// Package unit finds durations in configurations that lack their unit.
package unit

import (
	"fmt"
	"time"
)

// Fault says what is wrong with a duration of a configuration: that it is negative,
// or so short that only a forgotten unit explains it, such as 30 for
// 30*time.Second. It returns "" if nothing is.
func Fault(d time.Duration) string {
	switch {
	case d < 0:
		return "must not be negative"
	case d > 0 && d < time.Millisecond:
		return fmt.Sprintf("must be at least 1ms; for seconds write %d*time.Second", int64(d))
	}
	return ""
}

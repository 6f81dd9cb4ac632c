package fleet

import "time"

// elapsed is the time since a start. The monotonic clock of Go stands still
// while the machine is suspended, so that it is the greater of that and the
// time since boot, where the platform has it.
type elapsed struct {
	start  time.Time
	booted time.Duration
	known  bool
}

func newElapsed() elapsed {
	e := elapsed{start: time.Now()}
	e.booted, e.known = boot()
	return e
}

func (e elapsed) now() time.Duration {
	d := time.Since(e.start)
	if e.known {
		if b, ok := boot(); ok {
			d = max(d, b-e.booted)
		}
	}
	return d
}

// at is a time since the start as a time of day.
func (e elapsed) at(d time.Duration) time.Time { return e.start.Add(d) }

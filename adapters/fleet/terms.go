package fleet

import (
	"fmt"
	"math"
	"time"
)

// Terms are what all processes of a fleet agree on. The engine keeps them: a
// Version greater than the one in force brings a new Capacity, a smaller one is
// overruled, and an equal one with another Capacity is refused. The rest of the
// terms may change only while no process has a grant.
type Terms struct {
	// Version tells which of two Terms is newer. It may be any number that
	// grows with every change of the configuration, such as that of a
	// deployment.
	Version int64

	// Capacity is how many slots all processes together may have: at least 0,
	// at most 2^31-1.
	Capacity int

	// TTL is for how long a grant lasts from the sync that has renewed it. 0
	// means 10 s.
	TTL time.Duration

	// Quarantine is for how long the slots of an expired grant are kept back
	// after that, because its process may not have noticed. Without a Fencer
	// it has to cover the longest use of a slot. 0 means 5 s.
	Quarantine time.Duration

	// Refresh is the time between two syncs of a process; each is up to a
	// fifth shorter or longer. 0 means 1 s. Also the engine's clock moves
	// by at most 1.25 Refresh at a time, whatever the time of day does.
	Refresh time.Duration

	// Fence keeps an expired grant in quarantine until some member's Fencer
	// has ended what its process still had. It is set if Config.Fencer is.
	Fence bool
}

const (
	defaultTTL        = 10 * time.Second
	defaultQuarantine = 5 * time.Second
	defaultRefresh    = time.Second
	maxDuration       = 365 * 24 * time.Hour
)

func (t Terms) withDefaults() Terms {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{{&t.TTL, defaultTTL}, {&t.Quarantine, defaultQuarantine}, {&t.Refresh, defaultRefresh}} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	return t
}

func (t Terms) check() error {
	if t.Version < 0 {
		return fmt.Errorf("fleet: Terms.Version is %d, must not be negative", t.Version)
	}
	if t.Capacity < 0 || t.Capacity > math.MaxInt32 {
		return fmt.Errorf("fleet: Terms.Capacity is %d, must be between 0 and %d", t.Capacity, math.MaxInt32)
	}
	for _, d := range []struct {
		name  string
		value time.Duration
	}{{"TTL", t.TTL}, {"Quarantine", t.Quarantine}, {"Refresh", t.Refresh}} {
		if d.value < time.Millisecond || d.value > maxDuration || d.value%time.Microsecond != 0 {
			return fmt.Errorf("fleet: Terms.%s is %v, must be whole microseconds between 1ms and %v", d.name, d.value, maxDuration)
		}
	}
	if t.TTL < 3*t.Refresh {
		return fmt.Errorf("fleet: Terms.TTL is %v, must be at least 3 Refresh of %v, so that a lost sync does not end a grant", t.TTL, t.Refresh)
	}
	return nil
}

// maxStep is the most by which the engine's clock moves at a time.
func (t Terms) maxStep() time.Duration {
	return t.Refresh + (t.Refresh / 4).Truncate(time.Microsecond)
}

// conflict names the first term in which two disagree that cannot be changed
// by a new version, "" if there is none.
func (t Terms) conflict(o Terms) string {
	switch {
	case t.TTL != o.TTL:
		return "TTL"
	case t.Quarantine != o.Quarantine:
		return "Quarantine"
	case t.Refresh != o.Refresh:
		return "Refresh"
	case t.Fence != o.Fence:
		return "Fence"
	case t.Version == o.Version && t.Capacity != o.Capacity:
		return "Capacity"
	}
	return ""
}

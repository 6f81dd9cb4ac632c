package debugfair

import "time"

const (
	steps       = 12 // of which the last minute consists
	stepTime    = time.Minute / steps
	mostHolding = 4096 // tenants that hold, of which the index knows apart
	mostWaiting = 2048 // of others it stops here
)

// A fairness is what tenants held, and were entitled to, in the last minute.
type fairness struct {
	tenants map[string]*record
	rest    record // tenants that are too many to be known apart
	step    int64  // the present one, counted since the epoch
}

// A record is about one tenant, in slot-seconds, as a ring.
type record [steps]struct{ held, entitled float32 }

// sums is what the record comes to.
func (r *record) sums() (held, entitled float64) {
	for _, s := range r {
		held += float64(s.held)
		entitled += float64(s.entitled)
	}
	return held, entitled
}

// forward forgets what was more than a minute ago; a minute is at least eleven
// steps and at most twelve.
func (f *fairness) forward(now time.Time) {
	if f.tenants == nil {
		f.tenants = map[string]*record{}
	}
	step := now.UnixNano() / int64(stepTime)
	for s := max(f.step, step-steps) + 1; s <= step; s++ {
		f.rest[s%steps] = record{}[0]
		for name, r := range f.tenants {
			r[s%steps] = record{}[0]
			if *r == (record{}) {
				delete(f.tenants, name)
			}
		}
		f.step = s
	}
}

// add tells what a tenant holds, and is entitled to, and that it was so since
// the sample before.
func (f *fairness) add(name string, held int, entitled float64, lasted time.Duration) {
	if entitled <= 0 {
		return
	}
	r := f.tenants[name]
	if r == nil {
		if n := len(f.tenants); n >= mostHolding || held == 0 && n >= mostWaiting {
			r = &f.rest
		} else {
			r = &record{}
			f.tenants[name] = r
		}
	}
	r[f.step%steps].held += float32(float64(held) * lasted.Seconds())
	r[f.step%steps].entitled += float32(entitled * lasted.Seconds())
}

// index is Jain's, see doc.go; nothing if nobody had a slot.
func (f *fairness) index() number {
	var held, entitled, squares float64
	count := func(r *record) {
		if h, e := r.sums(); e > 0 {
			held += h
			entitled += e
			squares += h * h / e
		}
	}
	count(&f.rest)
	for _, r := range f.tenants {
		count(r)
	}
	if squares <= 0 {
		return nothing
	}
	return number(held * held / (entitled * squares))
}

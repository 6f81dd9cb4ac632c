package pool

import "math"

// makeRoomLocked retires resources dedicated to other tenants, for waiters that
// have no use for them and no place for another.
func (p *Pool[T]) makeRoomLocked() {
	if p.config.Tenancy.Isolation != Dedicated || p.roomLocked() {
		return
	}
	if p.comingLocked() < p.line.DemandLocked() && p.line.NextLocked() != noRequest {
		p.displaceLocked()
	}
}

// displaceLocked retires the resource that would be missed least.
func (p *Pool[T]) displaceLocked() {
	if spare := p.line.SpareLocked(); spare != nil {
		p.retireLocked(spare.Owner.(*slot[T]), Displaced)
		p.line.DispatchLocked() // now others may use their own; if not, it comes back here
	}
}

// comingLocked is the number of resources that are being built, or for which
// there is room or will be soon. It is no limit to others while builds fail:
// nobody gets a resource any sooner by their keeping back. A slow build counts: what
// may start in its stead takes the room that there is, and displaces nobody.
func (p *Pool[T]) comingLocked() int {
	if p.failing.holds() {
		return math.MaxInt
	}
	room := max(0, p.capacity-p.live-p.building-p.dying)
	return p.fresh + p.slow - p.stuck + p.dying - p.hanging + room
}

package pool

import "slices"

// Evict has the resources for which match returns true destroyed, the idle ones at
// once and those that are leased, or in a hook, on their return; others are built
// when they are asked for. It returns how many there are. It is for whoever learns
// from elsewhere that a resource is of no use any more, such as the server's word
// that it has closed a connection.
//
// match is called without a lock, and may block. A resource may be in use
// meanwhile: match compares it, and leaves it alone.
func (p *Pool[T]) Evict(match func(resource T) bool) int {
	var matching []*slot[T]
	for _, s := range p.alive() {
		if match(s.value) {
			matching = append(matching, s)
		}
	}
	p.line.Lock()
	defer p.line.Unlock()
	known := p.line.SlotsLocked()
	n := 0
	for _, s := range matching {
		if s.retired != "" || !slices.Contains(known, &s.Slot) { // it goes, or has gone, anyway
			continue
		}
		n++
		if s.IsReadyLocked() {
			p.retireLocked(s, Evicted)
			known = p.line.SlotsLocked()
		} else {
			s.retired = Evicted
			p.watching = true // or nobody looks at it on its return
		}
	}
	p.watchLocked()
	p.balanceLocked()
	return n
}

// alive returns the slots with a live resource.
func (p *Pool[T]) alive() (all []*slot[T]) {
	p.line.Lock()
	defer p.line.Unlock()
	for _, known := range p.line.SlotsLocked() {
		if s := known.Owner.(*slot[T]); !s.charged {
			all = append(all, s)
		}
	}
	return all
}

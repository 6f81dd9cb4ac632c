package sched

// A class holds the backlogged tenants that have the same held/weight and are
// equally far below their Min. Their service grows in step, so their order is
// that of the offsets, which stand still: a heap of them is never stale.
type class struct {
	need  float64 // held/Min of a tenant below its Min, else 1
	slope float64 // held/weight
	at    int     // index in Scheduler.classes
	heap  []entry // 4-ary: half the depth of a binary one, children side by side
}

type entry struct {
	offset float64 // service = offset + slope*clock
	head   uint64  // sequence number of the tenant's first waiter
	tenant *Tenant
}

func (e entry) before(o entry) bool {
	return e.offset < o.offset || e.offset == o.offset && e.head < o.head
}

func (c *class) push(e entry) {
	c.heap = append(c.heap, e)
	c.set(c.up(len(c.heap)-1, e), e)
}

// remove takes the entry at index i out.
func (c *class) remove(i int) {
	last := len(c.heap) - 1
	e := c.heap[last]
	c.heap[last] = entry{}
	c.heap = c.heap[:last]
	if i < last {
		c.down(c.up(i, e), e)
	}
}

// fix puts e into the hole at index i and restores the order.
func (c *class) fix(i int, e entry) { c.down(c.up(i, e), e) }

// up moves the hole at index i up to where e may be, and returns where that is.
func (c *class) up(i int, e entry) int {
	for i > 0 {
		parent := (i - 1) / 4
		if !e.before(c.heap[parent]) {
			break
		}
		c.set(i, c.heap[parent])
		i = parent
	}
	return i
}

// down moves the hole at index i down to where e may be, and puts it there.
func (c *class) down(i int, e entry) {
	for {
		first := 4*i + 1
		if first >= len(c.heap) {
			break
		}
		least := first
		for child := first + 1; child < min(first+4, len(c.heap)); child++ {
			if c.heap[child].before(c.heap[least]) {
				least = child
			}
		}
		if !c.heap[least].before(e) {
			break
		}
		c.set(i, c.heap[least])
		i = least
	}
	c.set(i, e)
}

func (c *class) set(i int, e entry) {
	c.heap[i] = e
	e.tenant.pos = int32(i)
}

// enter puts t, settled as of the clock, among the backlogged.
func (s *Scheduler) enter(t *Tenant) {
	need := t.need()
	var c *class
	for _, known := range s.classes {
		if known.slope == t.slope && known.need == need {
			c = known
			break
		}
	}
	if c == nil {
		c = s.newClass(need, t.slope)
	}
	t.class = c
	offset := t.charged - t.slope*float64(t.mark)
	if t.fresh() {
		s.mean.admit(1, t.share.Weight)
	} else {
		s.mean.count(1, t.share.Weight, offset, t.slope)
	}
	c.push(entry{offset, t.first.seq, t})
}

// exit takes t out of its class, which goes with its last tenant.
func (s *Scheduler) exit(t *Tenant) {
	c := t.class
	t.class = nil
	if t.fresh() {
		s.mean.admit(-1, t.share.Weight)
	} else {
		s.mean.count(-1, t.share.Weight, c.heap[t.pos].offset, c.slope)
	}
	c.remove(int(t.pos))
	if len(c.heap) > 0 {
		return
	}
	last := len(s.classes) - 1
	s.classes[c.at] = s.classes[last]
	s.classes[c.at].at = c.at
	s.classes[last] = nil
	s.classes = s.classes[:last]
	if len(s.empty) < maxEmptyClasses && cap(c.heap) <= maxEmptyHeap {
		s.empty = append(s.empty, c)
	}
}

// In a steady load classes come and go with every grant, so a few empty ones
// are kept for reuse; not those that a past crowd has made large.
const (
	maxEmptyClasses = 16
	maxEmptyHeap    = 1024
)

func (s *Scheduler) newClass(need, slope float64) *class {
	var c *class
	if n := len(s.empty); n > 0 {
		c = s.empty[n-1]
		s.empty = s.empty[:n-1]
	} else {
		c = &class{}
	}
	c.need, c.slope, c.at = need, slope, len(s.classes)
	s.classes = append(s.classes, c)
	return c
}

package pool

// Suspend has every Acquire wait until Resume. Leases that are out go on. Nothing is
// built meanwhile, for MinIdle neither, unless somebody calls Warm; builds that are
// under way end as ever, and ResetGradually goes on after Resume.
func (p *Pool[T]) Suspend() { p.suspend(true) }

// Resume ends a Suspend, however often that was called.
func (p *Pool[T]) Resume() { p.suspend(false) }

func (p *Pool[T]) suspend(on bool) {
	p.line.Lock()
	defer p.line.Unlock()
	p.suspended = on
	if !on {
		p.forgiveLocked()
	}
	p.line.PauseLocked(on)
	p.balanceLocked()
}

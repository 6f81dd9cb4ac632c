package debugfair

import "time"

// Watching is the number of streams.
func (p *Page) Watching() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.streams)
}

// NewStill is New for a page that looks at the pools only when Sample has it
// do so.
func NewStill(cfg Config) (*Page, error) {
	p, err := newPage(cfg)
	if err == nil {
		p.stop = func() {}
		close(p.done)
	}
	return p, err
}

// Sample looks at the pools, as at a time.
func (p *Page) Sample(now time.Time) { p.sample(now) }

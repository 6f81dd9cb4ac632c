package debugfair

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

const (
	usualEvery = 500 * time.Millisecond
	idleEvery  = 2 * time.Second // while nobody watches
	effort     = 20              // one part in so many of the time is spent on looking, at most
)

// run looks at the pools again and again.
func (p *Page) run(ctx context.Context) {
	defer close(p.done)
	var last, before time.Duration // that samples took
	for {
		begin := time.Now()
		took := min(last, before) // one that was held up by others does not count
		for left := p.pause(took); left > 0; left = p.pause(took) - time.Since(begin) {
			select {
			case <-ctx.Done():
				return
			case <-time.After(left):
			case <-p.came:
			}
		}
		now := time.Now()
		p.sample(now)
		before, last = last, time.Since(now)
	}
}

// pause is the time from a sample, which took so long, to the next.
func (p *Page) pause(took time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.streams) > 0 {
		return max(took*effort, p.config.Every)
	}
	return max(took*effort, p.config.Every, idleEvery)
}

// sample looks at the pools once, and shows the streams what it has seen.
func (p *Page) sample(now time.Time) {
	begin := time.Now()
	seen := make([]observation, len(p.pools))
	changed := make([][]int, len(p.pools)) // colours, of each pool
	var palettes []*palette
	for _, w := range p.pools {
		palettes = append(palettes, &w.palette)
	}
	for i, w := range p.pools {
		seen[i] = w.observe(now)
		changed[i] = w.palette.update(now, seen[i].uses(), palettes)
	}

	seq := p.latest.seq + 1 // which nobody else writes
	f := frame{
		seq: seq, ID: fmt.Sprintf("%s-%d", p.boot, seq), At: now.UnixMilli(), Title: label(p.config.Title),
	}
	moments := make([]moment, len(p.pools))
	for i, w := range p.pools {
		moments[i] = w.moment(now, seq, &seen[i])
		f.Pools = append(f.Pools, show(w.Name, &seen[i], moments[i], &w.palette))
	}
	f.Every = max(p.pause(time.Since(begin)), p.config.Every).Milliseconds()
	encoded, err := json.Marshal(f)
	if err != nil {
		panic(err) // nothing in a frame can fail to be encoded
	}
	event := fmt.Appendf(nil, "id: %s\ndata: %s\n\n", f.ID, encoded)

	p.mu.Lock()
	defer p.mu.Unlock()
	for i, w := range p.pools {
		for _, c := range changed[i] {
			w.history.fold(c)
		}
		w.history.add(moments[i], int(lookBack/p.config.Every)+1)
	}
	p.latest, p.encoded = f, encoded
	p.archive.add(now, encoded)
	for s := range p.streams {
		s.offer(event)
	}
}

package promfair

import (
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/prometheus/client_golang/prometheus"
)

// durations is a histogram that a pool or semaphore keeps by itself, whether
// anybody looks or not.
type durations struct {
	desc  *prometheus.Desc
	value func(*pool.Stats) (fairshare.Durations, time.Duration)
}

func kept(labels prometheus.Labels) []durations {
	return []durations{
		{
			desc(labels, "queue_wait_seconds", "How long requests waited that had to wait for a slot, those in vain included."),
			func(s *pool.Stats) (fairshare.Durations, time.Duration) { return s.Waits, s.WaitTime },
		},
		{
			desc(labels, "timed_hold_seconds", "How long slots were held, of those holds that were timed."),
			func(s *pool.Stats) (fairshare.Durations, time.Duration) { return s.Holds, s.HoldTime },
		},
	}
}

func (d durations) metric(stats *pool.Stats) prometheus.Metric {
	counted, sum := d.value(stats)
	buckets := make(map[float64]uint64, len(counted))
	total := uint64(0)
	for i, n := range counted {
		total += n
		if i < len(counted)-1 { // the last has no bound
			buckets[fairshare.DurationBound(i).Seconds()] = total
		}
	}
	return prometheus.MustNewConstHistogram(d.desc, total, sum.Seconds(), buckets)
}

package promfair

import (
	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/prometheus/client_golang/prometheus"
)

// queueWaits is the histogram that a pool or semaphore keeps by itself, whether
// anybody looks or not: of the waits that ended with a slot, and of those alone
// that did have to wait.
func queueWaits(labels prometheus.Labels) *prometheus.Desc {
	return desc(labels, "queue_wait_seconds", "How long requests waited that had to wait for a slot and got one.")
}

func collectWaits(d *prometheus.Desc, stats *pool.Stats) prometheus.Metric {
	buckets := make(map[float64]uint64, len(stats.Waits))
	total := uint64(0)
	for i, n := range stats.Waits {
		total += n
		if i < len(stats.Waits)-1 { // the last has no bound
			buckets[fairshare.WaitBound(i).Seconds()] = total
		}
	}
	return prometheus.MustNewConstHistogram(d, total, stats.WaitTime.Seconds(), buckets)
}

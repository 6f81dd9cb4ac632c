package main

// A scale is how much is done in a round.
type scale struct {
	alone   int // cycles of one goroutine, or of a few
	pack    int // cycles of 64 or 1,024 goroutines
	many    int // cycles of more
	waiters int
	tenants int
	hops    int // hand-offs
	picks   int
	backlog int // tenants, at most
	storm   int // waiters, against a tenth of them
	blocked int // waiters whose memory is measured
	idle    int // tenants that the pool remembers
	options int // cycles for each option
	watched int // cycles while somebody watches
}

var (
	full = scale{
		alone: 200_000, pack: 60_000, many: 160_000, waiters: 16_384, tenants: 1024, hops: 2000,
		picks: 100_000, backlog: 1_000_000, storm: 100_000, blocked: 16_384, idle: 16_384, options: 100_000,
		watched: 10_000_000,
	}
	short = scale{
		alone: 50_000, pack: 20_000, many: 60_000, waiters: 16_384, tenants: 1024, hops: 500,
		picks: 50_000, backlog: 100_000, storm: 10_000, blocked: 8192, idle: 8192, options: 20_000,
		watched: 200_000,
	}
)

const (
	slots = 8
	ample = 16 // slots, where nobody is to wait
	few   = 3  // rounds of what takes a second each, or is the same each time
	some  = 5  // rounds of what takes half of one
)

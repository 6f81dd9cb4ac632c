package main

// A row of the main table is the cost of something, beside that of something
// else, from one trial.
type row struct {
	title  string
	base   string // a side of the trial; "": compared with nothing
	ours   string
	value  value // nil: each
	target target
	first  bool // one of the few that the block of -write shows
}

// An outcome is what came out for a row.
type outcome struct {
	row
	unit                   string
	baseEach, oursEach     spread
	baseAllocs, oursAllocs spread
	ratio                  spread // of ours to base in each round
	bare                   bool   // allocations were not what mattered
}

func (r result) outcome(row row) outcome {
	bare := r.unit == "B" || row.value != nil
	if row.value == nil {
		row.value = each
	}
	o := outcome{
		row: row, unit: r.unit, bare: bare,
		oursEach: r.spread(row.ours, row.value), oursAllocs: r.spread(row.ours, allocs),
	}
	if row.base != "" {
		o.baseEach, o.baseAllocs = r.spread(row.base, row.value), r.spread(row.base, allocs)
		o.ratio = r.ratio(row.ours, row.base, row.value)
	}
	return o
}

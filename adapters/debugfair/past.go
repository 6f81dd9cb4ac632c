package debugfair

// A past is the moments of a pool as columns.
type past struct {
	Name     string            `json:"name"`
	Held     [colors + 1][]int `json:"held"`
	Waiting  [colors + 1][]int `json:"waiting"`
	Capacity []int             `json:"capacity"`
	Idle     []int             `json:"idle"`
	Building []int             `json:"building"`
	Moving   []int             `json:"moving"`
	Oldest   []number          `json:"oldest"`
	Rate     []number          `json:"rate"`
	Fairness []number          `json:"fairness"`
	P50      []number          `json:"p50"`
	P99      []number          `json:"p99"`
	Mean     []number          `json:"mean"`
}

// recall makes columns of moments, and of their times.
func recall(name string, moments []moment) (at []int64, p past) {
	p.Name = label(name)
	at = []int64{}
	for _, m := range moments {
		at = append(at, m.At.UnixMilli())
		for c := range m.Held {
			p.Held[c] = append(p.Held[c], m.Held[c])
			p.Waiting[c] = append(p.Waiting[c], m.Waiting[c])
		}
		p.Capacity = append(p.Capacity, m.Capacity)
		p.Idle = append(p.Idle, m.Idle)
		p.Building = append(p.Building, m.Building)
		p.Moving = append(p.Moving, m.Moving)
		p.Oldest = append(p.Oldest, m.Oldest)
		p.Rate = append(p.Rate, m.Rate)
		p.Fairness = append(p.Fairness, m.Fairness)
		p.P50 = append(p.P50, m.P50)
		p.P99 = append(p.P99, m.P99)
		p.Mean = append(p.Mean, m.Mean)
	}
	return at, p
}

// A backlog is what a stream begins with: the moments that its reader has not
// seen, and the present frame.
type backlog struct {
	Whole bool    `json:"whole"` // these are all there are, not those after the reader's last
	At    []int64 `json:"at"`
	Pools []past  `json:"pools"`
	Frame frame   `json:"frame"`
}

package debugfair

import (
	"math"
	"strconv"
	"time"
)

// lookBack is for how long the page remembers.
const lookBack = 10 * time.Minute

// A moment is what is remembered of a pool at one sample.
type moment struct {
	At       time.Time       `json:"-"`
	Seq      uint64          `json:"-"`    // of the sample
	Held     [colors + 1]int `json:"held"` // by colour; last those of all tenants without
	Waiting  [colors + 1]int `json:"waiting"`
	Capacity int             `json:"capacity"`
	Idle     int             `json:"idle"` // warm
	Building int             `json:"building"`
	Moving   int             `json:"moving"`   // being checked, or destroyed at nobody's expense
	Oldest   number          `json:"oldest"`   // wait, in ms
	Rate     number          `json:"rate"`     // slots granted per second since the moment before
	Fairness number          `json:"fairness"` // of the last minute
	P50      number          `json:"p50"`      // wait of those that ended in the last minute, in ms
	P99      number          `json:"p99"`
	Mean     number          `json:"mean"`
}

// A number is shown with few digits. NaN is nothing to show.
type number float64

var nothing = number(math.NaN())

func (n number) MarshalJSON() ([]byte, error) {
	f := float64(n)
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return []byte("null"), nil
	}
	if f = math.Round(f*1000) / 1000; math.Abs(f) >= 100 {
		f = math.Round(f)
	}
	return strconv.AppendFloat(nil, f, 'f', -1, 64), nil
}

func milliseconds(d time.Duration) number { return number(d) / number(time.Millisecond) }

// A history is the moments of one pool, the oldest forgotten first.
type history struct {
	moments []moment // a ring once it is full
	next    int
}

// add remembers a moment, of which there are at most so many.
func (h *history) add(m moment, most int) {
	if len(h.moments) < most {
		h.moments = append(h.moments, m)
		return
	}
	h.moments[h.next] = m
	h.next = (h.next + 1) % most
}

// fold counts what a colour stood for among those without one from now on.
func (h *history) fold(color int) {
	for i := range h.moments {
		m := &h.moments[i]
		m.Held[colors] += m.Held[color]
		m.Waiting[colors] += m.Waiting[color]
		m.Held[color], m.Waiting[color] = 0, 0
	}
}

// since returns a copy of the moments after that of number seq, and after t, in
// order.
func (h *history) since(seq uint64, t time.Time) []moment {
	var all []moment
	for i := range h.moments {
		if m := h.moments[(h.next+i)%len(h.moments)]; m.Seq > seq && m.At.After(t) {
			all = append(all, m)
		}
	}
	return all
}

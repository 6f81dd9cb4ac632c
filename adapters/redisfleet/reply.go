package redisfleet

import (
	"fmt"
	"strconv"
	"time"

	"github.com/fairpool/fairpool/adapters/fleet"
)

// parse reads what the script returns, see its end.
func parse(values []string, claims int) (fleet.Reply, error) {
	in := reader{values: values}
	reply := fleet.Reply{
		Status: fleet.Status(in.int()),
		Terms: fleet.Terms{
			Version: in.int(), Capacity: int(in.int()), TTL: in.duration(), Quarantine: in.duration(), Refresh: in.duration(),
			Fence: in.int() == 1,
		},
	}
	if reply.Status == fleet.OK {
		reply.Token, reply.Grant, reply.Target, reply.Scarce = in.int(), int(in.int()), int(in.int()), in.int() == 1
		reply.Rest = in.float()
		reply.Learning, reply.Used, reply.Processes = in.duration(), int(in.int()), int(in.int())
		reply.Quotas = make([]float64, claims)
		for i := range in.int() {
			if int(i) < claims {
				reply.Quotas[i] = in.float()
			}
		}
		for in.err == nil && in.at < len(values) {
			reply.Fence = append(reply.Fence, fleet.Order{Process: in.text(), Token: in.int()})
		}
	}
	if in.err != nil {
		return fleet.Reply{}, fmt.Errorf("redisfleet: reply of the script: %w", in.err)
	}
	return reply, nil
}

type reader struct {
	values []string
	at     int
	err    error
}

func (r *reader) text() string {
	if r.at >= len(r.values) {
		r.err = fmt.Errorf("ends after %d values", len(r.values))
		return ""
	}
	r.at++
	return r.values[r.at-1]
}

func (r *reader) int() int64 {
	n, err := strconv.ParseInt(r.text(), 10, 64)
	r.fail(err)
	return n
}

func (r *reader) float() float64 {
	f, err := strconv.ParseFloat(r.text(), 64)
	r.fail(err)
	return f
}

func (r *reader) duration() time.Duration { return time.Duration(r.int()) * time.Microsecond }

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

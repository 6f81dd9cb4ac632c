package fleet

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"time"
)

// An Engine keeps the State of one fleet, in one place for all its processes.
// Packages redisfleet and pgfleet have one each; Memory is one for tests and
// for several pools of one process.
//
// Sync is one atomic step of the State. It may fail with any error, whereupon
// the member cannot know whether it has happened; it must not repeat the
// request itself. Several may run at once.
type Engine interface {
	Sync(ctx context.Context, r Request) (Reply, error)
}

// MaxClaims is the greatest number of claims in a Request beside the Rest.
const MaxClaims = 64

// maxFenced is the greatest length of Request.Fenced.
const maxFenced = 64

// A Claim is how many slots a tenant could use in one process: those it holds
// and those it waits for.
type Claim struct {
	Tenant string // any bytes
	Slots  int    // at least 1
	Weight int64  // millionths, at least 1
}

// A Request is one sync of one process.
type Request struct {
	Process string // unique to one start of a process; any bytes, not empty
	Token   int64  // of the grant; 0 asks to join
	Seq     int64  // grows with every request of the process
	Hold    int    // slots that the process keeps until the reply
	Most    int    // slots that the process could use at all

	Terms  Terms
	Fresh  bool // if the engine knows nothing of the fleet, there is nothing to know
	Leave  bool // the process wants no grant any more
	Claims []Claim
	Rest   Claim   // tenants beyond MaxClaims together; no Slots: none
	Fenced []Order // grants whose processes have been fenced
}

// Check returns an error that names what no engine should get to see, for an
// Engine to call first.
func (r Request) Check() error {
	switch {
	case r.Process == "" || len(r.Process) > 256:
		return fmt.Errorf("fleet: Request.Process is %d bytes long, must be between 1 and 256", len(r.Process))
	case r.Token < 0 || r.Seq < 1:
		return fmt.Errorf("fleet: Request.Token is %d and Seq %d, must be at least 0 and 1", r.Token, r.Seq)
	case r.Hold < 0 || r.Hold > math.MaxInt32:
		return fmt.Errorf("fleet: Request.Hold is %d, must be between 0 and %d", r.Hold, math.MaxInt32)
	case r.Most < 0 || r.Most > math.MaxInt32:
		return fmt.Errorf("fleet: Request.Most is %d, must be between 0 and %d", r.Most, math.MaxInt32)
	case len(r.Fenced) > maxFenced:
		return fmt.Errorf("fleet: Request.Fenced are %d, must be at most %d", len(r.Fenced), maxFenced)
	case r.Token == 0 && r.Hold != 0:
		return fmt.Errorf("fleet: Request.Hold is %d without a grant, must be 0", r.Hold)
	case len(r.Claims) > MaxClaims:
		return fmt.Errorf("fleet: Request.Claims are %d, must be at most %d", len(r.Claims), MaxClaims)
	}
	for _, c := range append([]Claim{r.Rest}, r.Claims...) {
		if c == (Claim{}) {
			continue
		}
		if c.Slots < 1 || c.Slots > math.MaxInt32 || c.Weight < 1 || c.Weight > 1e15 {
			return fmt.Errorf("fleet: claim of tenant %.40q is for %d slots with weight %d, must be for 1 to %d with 1 to 1e15", c.Tenant, c.Slots, c.Weight, math.MaxInt32)
		}
	}
	return r.Terms.check()
}

// A Status says what became of a Request.
type Status int

const (
	OK       Status = iota // the grant is renewed
	Stale                  // a later request of the process came first
	Expired                // there is no such grant any more
	Fenced                 // the grant has been given up, or another start of the process has come
	Mismatch               // the Terms contradict those in force, see Reply.Terms
)

func (s Status) String() string {
	if s < OK || s > Mismatch {
		return fmt.Sprintf("Status(%d)", int(s))
	}
	return [...]string{"ok", "stale", "expired", "fenced", "mismatch"}[s]
}

// A Reply is the engine's answer. Unless Status is OK, only that and Terms are
// set.
type Reply struct {
	Status Status
	Terms  Terms // in force

	Token  int64
	Grant  int // slots that the process may keep
	Target int // slots that it should have; what it has beyond, it is to give back

	// Scarce tells that the tenants want more than there is. Then Quotas are
	// the slots of this process that each of the Claims is due, and Rest what
	// the rest is due.
	Scarce bool
	Quotas []float64
	Rest   float64

	Learning  time.Duration // how much longer nothing grows; 0: not learning
	Fence     []Order       // to be fenced by this process
	Used      int           // slots granted to all processes, or in quarantine
	Processes int           // that have a grant
}

// An Order is a grant whose process is to be fenced.
type Order struct {
	Process string
	Token   int64
}

// compare orders by token, and by process where the engine has lost a token and
// given it again.
func (o Order) compare(p Order) int {
	return cmp.Or(cmp.Compare(o.Token, p.Token), cmp.Compare(o.Process, p.Process))
}

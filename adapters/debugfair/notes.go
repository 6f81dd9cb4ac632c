package debugfair

import (
	"fmt"

	"github.com/fairpool/fairpool/pool"
)

// warnings are what an operator should know first.
func warnings(o *observation) []string {
	all := []string{}
	warn := func(what string, err error) {
		if err != nil {
			what += ": " + excerpt(err.Error(), 400)
		}
		all = append(all, what)
	}
	if o.err != nil {
		warn("not seen", o.err)
	}
	if o.stats.Closed {
		warn("closed", nil)
	}
	if o.stats.Suspended {
		warn("suspended: every Acquire waits", nil)
	}
	if o.stats.BuildErr != nil {
		warn("the constructor fails", o.stats.BuildErr)
	}
	if o.stats.DestroyErr != nil {
		warn("a destructor has failed", o.stats.DestroyErr)
	}
	if o.stats.ShareFuncErr != nil {
		warn("ShareFunc panics", o.stats.ShareFuncErr)
	}
	return all
}

// counts are the totals since the start of what may be of interest, as far as
// it has happened.
func counts(s pool.Stats) [][2]string {
	all := [][2]string{}
	for _, c := range []struct {
		name  string
		count uint64
	}{
		{"acquired", s.Acquired}, {"rejected", s.Rejected}, {"in vain", s.Canceled},
		{"timed out", s.TimedOut}, {"past their deadline", s.Expired}, {"gave up", s.Abandoned}, {"failed", s.Failed},
		{"built", s.Built}, {"destroyed", s.Destroyed}, {"hijacked", s.Hijacked}, {"stale", uint64(s.Stale)},
		{"builds failed", s.BuildFailures}, {"constructors hung", s.BuildHangs}, {"checks failed", s.CheckFailures}, {"prepares failed", s.PrepareFailures},
		{"resets failed", s.ResetFailures}, {"destructors failed", s.DestroyFailures}, {"destructors hung", s.DestroyHangs},
		{"condemned", s.Condemned}, {"revoked", s.Revocations}, {"leaks", s.Leaks}, {"lost", s.Lost}, {"dead-locks", s.Deadlocks},
	} {
		if c.count > 0 {
			all = append(all, [2]string{c.name, fmt.Sprint(c.count)})
		}
	}
	return all
}

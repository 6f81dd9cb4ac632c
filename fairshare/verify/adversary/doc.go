// Package adversary searches for strategies that get a tenant more than its
// share, or that make another tenant wait longer than the bound of package
// sched. It has tests only.
//
// A strategy is a point of the unit cube: each coordinate turns one knob, such
// as how long to hold, how many to ask for, when to stay away or which plan the
// operator changes the tenant to. A family is a set of knobs and the places in
// which they are turned. A search draws strategies at random and then climbs:
// it changes one knob of the best so far and keeps what is better. It runs in
// virtual time and from a fixed seed, so a failure can be repeated.
//
// Families of the rule play against sched.Scheduler; those that need what is
// around it play against a fairshare.Semaphore or a pool.Pool in a bubble of
// testing/synctest. A coalition is one tenant, or three that work together.
//
//	go test ./fairshare/verify/adversary                                    # one to two minutes
//	go test ./fairshare/verify/adversary -effort 30 -timeout 0 -write       # half an hour; writes results/adversary.md
package adversary

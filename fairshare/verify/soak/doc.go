// Package soak beats on pools in real time, for as long as one likes, with 200
// goroutines of 50 tenants and faults in everything that a user of a pool
// writes: constructors, destructors, hooks, callers. Its tests are all there is
// to it:
//
//	go test -race -timeout 0 ./soak -run Soak -soak 30m
//
// With -soak-results and the name of a file, the figures are written there.
// The time is divided among pools of different configurations. Nothing may be
// lost, shared or left over in any of them.
package soak

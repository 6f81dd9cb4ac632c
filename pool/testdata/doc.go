// Package testdata has what the tests of package pool compare with. The messages in
// messages.txt are those that somebody has read: "go test -run Messages ./pool -update"
// writes new ones, to be read before they are committed.
package testdata

// Package upstream is what the adapters for clients have in common, whatever the
// protocol: a slot for each call in flight, as many slots as the other side
// bears, and calls that nobody ends found out.
//
// # How many slots
//
// The other side says that it is overloaded, and perhaps for how long. Then no
// further call goes out for so long, and the number of slots goes down to 0.7 of
// the calls in flight, but not by more than half at a time. It goes up by a step
// at a time, a twentieth of its range but at least one, as long as calls succeed
// and there are as many in flight as there may be: what nobody uses proves
// nothing.
//
// Only the answers to calls that went out after the last decrease count, for
// better or worse: those under way when it came say no more than has been heard.
// So there is at most one decrease in a round trip.
package upstream

// Package upstream is what the adapters for clients have in common, whatever the
// protocol: a slot for each call in flight, as many slots as the other side
// bears, and calls that nobody ends found out.
//
// # How many slots
//
// The other side refuses a call, and perhaps says for how long it wants no others.
// Then none goes out for so long, and the number of slots goes down:
//
//   - If the last step up was too much, it is taken back.
//   - If as many calls at once were borne before, twice over, they were too many in
//     the time. What is left is 0.7 of the slots, or more if it took longer than the
//     pause until that was noticed.
//   - Else they were too many at once. What is left is as many slots as calls that
//     were in flight and not refused.
//   - If all calls in flight are refused, that does not tell how many are borne. What
//     is left is 0.7 of the slots, and the others come back one with each success.
//
// It goes up by a step at a time, a twentieth of its range but at least one, as long
// as calls succeed and there are as many in flight as there may be: what nobody uses
// proves nothing. A step that is refused costs a pause. So the first step comes at the
// earliest twenty pauses after the last: at most a twentieth of the time is lost.
//
// Only the answers to calls that went out after the last decrease count, for better
// or worse: those under way when it came tell only how many of them are refused.
package upstream

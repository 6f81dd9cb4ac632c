// Package tracefair shows pools in the execution traces of Go, and writes down
// what led to it when a tenant starves.
//
// Trace makes tasks and regions of what happens in a pool while runtime/trace
// is on. "go tool trace" then tells how long waits, the task fairpool.wait, took,
// and what the goroutines did meanwhile. EachAcquire has those that do not wait too.
//
// A Recorder keeps the last seconds of such a trace in memory, as a
// trace.FlightRecorder, and writes them to a file when told to, or by itself:
// Watch looks several times in the time After whether a tenant starves, which
// costs the pool nothing in between, and Recorder.Trace has it written when a
// lease is asked back.
package tracefair

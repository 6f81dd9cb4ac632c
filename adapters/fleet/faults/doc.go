// Package faults breaks things around an engine of package fleet: real worker
// processes are killed and stopped, connections cut, the engine itself paused,
// killed and emptied, while a TCP server counts the connections that the
// workers have open with it. Only that server judges; no figure of a member or
// of the engine does.
//
// It is for the tests of the engines:
//
//	func TestMain(m *testing.M) { faults.Main(m, connect) }
//	func TestFaults(t *testing.T) { faults.Run(t, start) }
package faults

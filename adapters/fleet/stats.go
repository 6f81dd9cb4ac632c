package fleet

import "time"

// Stats are the figures of a Member.
type Stats struct {
	Process string
	Token   int64 // of the grant, the last one if it is lost

	Grant    int           // slots that the engine keeps for the process
	Target   int           // slots that the process is due
	Capacity int           // slots that the limiter may hand out
	Left     time.Duration // until the deadline of the grant; 0: it is lost
	Learning time.Duration // how much longer the engine was learning at the last sync
	Scarce   bool          // the fleet wants more than there is
	Fenced   bool          // the grant is lost because it was fenced

	Used      int   // slots of the whole fleet that are granted or in quarantine
	Processes int   // of the whole fleet
	Terms     Terms // in force

	Syncs    uint64        // requests
	Failures uint64        // of them without an answer
	Took     time.Duration // the last
	Err      error         // of the last, nil if it succeeded

	Expiries      uint64 // grants that ended at their deadline
	Fences        uint64 // grants of others that this member has fenced
	FenceFailures uint64
	FenceErr      error // the last
}

// Stats returns the figures, none of a nil Member.
func (m *Member) Stats() Stats {
	if m == nil {
		return Stats{}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.stats
	s.Grant, s.Target = m.limit, m.target
	if m.lost == nil {
		s.Left = max(0, m.deadline-m.elapsed.now())
	} else {
		s.Fenced = m.lost.Reason == ErrFenced
	}
	return s
}

// Token is that of the process's grant, 0 if it has none. A resource carries it
// for the Fencer to find it.
func (m *Member) Token() int64 {
	if m == nil {
		return 0
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.token
}

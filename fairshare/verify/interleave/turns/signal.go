package turns

// A Signal is a chan struct{} with a buffer of one.
type Signal struct{ sent int }

// NewSignal stands for make(chan struct{}, 1).
func NewSignal() *Signal { return &Signal{} }

// Send must not block.
func (s *Signal) Send() {
	Point("sends")
	if s.sent == 1 {
		Fail("a send would block")
	}
	s.sent++
}

// Receive waits for a Send.
func (s *Signal) Receive() {
	Await("receives", s.isSent)
	s.sent--
}

func (s *Signal) isSent() bool { return s.sent > 0 }

// Select waits for s, and returns 0, or for done to be closed, and returns 1.
func Select(s *Signal, done <-chan struct{}) int {
	Await("selects", func() bool { return s.isSent() || isClosed(done) })
	way := 1
	if s.isSent() {
		way = 0
		if isClosed(done) {
			way = Choose(2)
		}
	}
	if way == 0 {
		s.sent--
	}
	return way
}

func isClosed(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

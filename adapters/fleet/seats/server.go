// Package seats is a scarce thing to try a fleet on: a TCP server that counts
// the connections that are open, and those who use it.
package seats

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
)

// A Server counts the connections that are open, and for which tenant they are
// in use. A client says:
//
//	open PROCESS TOKEN   then, as often as it likes:   use TENANT | idle
//	bye                  the place is free when the server has answered
//	fence PROCESS TOKEN  on a connection of its own, which does not count
type Server struct {
	listener net.Listener
	handlers sync.WaitGroup

	mu     sync.Mutex
	conns  map[net.Conn]*session
	open   int
	peak   int
	total  int
	since  time.Time
	seats  map[string]float64 // slot-seconds of tenants in use
	places float64            // of open connections
}

type session struct {
	owner  string // process and token
	tenant string
}

// Listen starts a server on a free port.
func Listen() (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Server{listener: l, conns: make(map[net.Conn]*session), seats: make(map[string]float64), since: time.Now()}
	s.handlers.Add(1)
	go s.accept()
	return s, nil
}

// Addr is where it listens.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Close ends the server and all connections.
func (s *Server) Close() {
	_ = s.listener.Close()
	s.mu.Lock()
	for c := range s.conns {
		_ = c.Close()
	}
	s.mu.Unlock()
	s.handlers.Wait()
}

func (s *Server) accept() {
	defer s.handlers.Done()
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.handlers.Add(1)
		go s.serve(c)
	}
}

func (s *Server) serve(c net.Conn) {
	defer s.handlers.Done()
	defer c.Close()
	defer s.end(c)
	in := bufio.NewScanner(c)
	for in.Scan() {
		word, rest, _ := strings.Cut(in.Text(), " ")
		switch word {
		case "open":
			s.begin(c, rest)
		case "use":
			s.use(c, rest)
		case "idle":
			s.use(c, "")
		case "fence":
			s.fence(rest)
		case "bye":
			s.end(c)
		}
		if _, err := fmt.Fprintln(c, "ok"); err != nil {
			return
		}
	}
}

// tickLocked brings the sums up to now.
func (s *Server) tickLocked() {
	now := time.Now()
	passed := now.Sub(s.since).Seconds()
	s.since = now
	for _, c := range s.conns {
		if c.tenant != "" {
			s.seats[c.tenant] += passed
		}
	}
	s.places += float64(s.open) * passed
}

func (s *Server) begin(c net.Conn, owner string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tickLocked()
	s.conns[c] = &session{owner: owner}
	s.open++
	s.total++
	s.peak = max(s.peak, s.open)
}

func (s *Server) use(c net.Conn, tenant string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tickLocked()
	if session := s.conns[c]; session != nil {
		session.tenant = tenant
	}
}

func (s *Server) end(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conns[c] != nil {
		s.tickLocked()
		delete(s.conns, c)
		s.open--
	}
}

func (s *Server) fence(owner string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tickLocked()
	for c, session := range s.conns {
		if session.owner == owner {
			delete(s.conns, c)
			s.open--
			_ = c.Close()
		}
	}
}

// Open returns how many connections are open, how many were at most since the
// last Forget, and how many there were in all.
func (s *Server) Open() (now, peak, total int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open, s.peak, s.total
}

// Of returns how many connections a process has open.
func (s *Server) Of(process string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		if owner, _, _ := strings.Cut(c.owner, " "); owner == process {
			n++
		}
	}
	return n
}

// InUse returns how many connections each tenant uses now.
func (s *Server) InUse() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	in := make(map[string]int)
	for _, c := range s.conns {
		if c.tenant != "" {
			in[c.tenant]++
		}
	}
	return in
}

// Forget starts the peak and the sums anew.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tickLocked()
	s.peak = s.open
	s.places = 0
	clear(s.seats)
}

// Sums returns the slot-seconds of the tenants, and of all open connections,
// since the last Forget.
func (s *Server) Sums() (tenants map[string]float64, all float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tickLocked()
	tenants = make(map[string]float64)
	for tenant, sum := range s.seats {
		tenants[tenant] = sum
	}
	return tenants, s.places
}

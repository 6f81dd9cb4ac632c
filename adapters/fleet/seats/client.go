package seats

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"time"
)

// A Seat is a connection to a Server. It is used by one goroutine at a time.
type Seat struct {
	conn net.Conn
	in   *bufio.Reader
}

// Dial takes a seat for a process, under the token of its grant.
func Dial(ctx context.Context, addr, process string, token int64) (*Seat, error) {
	return dial(ctx, addr, fmt.Sprint("open ", process, " ", token))
}

// Fence ends all seats of a process under a token. It returns when they are
// free.
func Fence(ctx context.Context, addr, process string, token int64) error {
	s, err := dial(ctx, addr, fmt.Sprint("fence ", process, " ", token))
	if err != nil {
		return err
	}
	return s.conn.Close()
}

func dial(ctx context.Context, addr, words string) (*Seat, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	s := &Seat{conn, bufio.NewReader(conn)}
	if err := s.say(words); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return s, nil
}

// Use tells that a tenant uses the seat.
func (s *Seat) Use(tenant string) error { return s.say("use " + tenant) }

// Idle tells that nobody does.
func (s *Seat) Idle() error { return s.say("idle") }

// Close gives the seat back. It returns when the server has confirmed that it
// is free, as the destructor of a resource should.
func (s *Seat) Close() {
	_ = s.say("bye")
	_ = s.conn.Close()
}

func (s *Seat) say(words string) error {
	_ = s.conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := fmt.Fprintln(s.conn, words); err != nil {
		return err
	}
	_, err := s.in.ReadString('\n')
	return err
}

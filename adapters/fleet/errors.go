package fleet

import (
	"errors"
	"fmt"
	"time"
)

// Why a member has no grant: what a LostError unwraps to.
var (
	ErrJoining     = errors.New("fleet: no grant yet")
	ErrLearning    = errors.New("fleet: the engine is learning what is granted")
	ErrUnreachable = errors.New("fleet: engine unreachable")
	ErrExpired     = errors.New("fleet: grant expired")
	ErrFenced      = errors.New("fleet: grant fenced")
	ErrLeft        = errors.New("fleet: member has left")
)

// ErrInUse tells that another start of a process has the same Config.Process.
var ErrInUse = errors.New("fleet: process name in use")

// A LostError says why a process may use no slots at present. It is what
// Member.Err returns, and the cause by which leases and contexts end.
type LostError struct {
	Process string
	Since   time.Time
	Reason  error // ErrExpired and so on
	Err     error // of the last sync, where that says more
}

func (e *LostError) Error() string {
	s := e.Reason.Error()
	if e.Process != "" { // "": a Member that has not joined
		s += fmt.Sprintf(" (process %.40q, since %s)", e.Process, e.Since.Format(time.RFC3339))
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap lets errors.Is and errors.As find Reason and Err.
func (e *LostError) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Reason}
	}
	return []error{e.Reason, e.Err}
}

// A TermsError says that the Terms of a process contradict those in force.
// Nothing is granted to it.
type TermsError struct {
	Field         string // in which they differ
	Ours, InForce Terms
}

func (e *TermsError) Error() string {
	value := func(t Terms) any {
		switch e.Field {
		case "TTL":
			return t.TTL
		case "Quarantine":
			return t.Quarantine
		case "Refresh":
			return t.Refresh
		case "Fence":
			return t.Fence
		}
		return t.Capacity
	}
	s := fmt.Sprintf("fleet: Terms.%s is %v in version %d, but %v in version %d, which is in force: ",
		e.Field, value(e.Ours), e.Ours.Version, value(e.InForce), e.InForce.Version)
	if e.Field == "Capacity" {
		return s + "a change needs a greater Version"
	}
	return s + "a change needs a greater Version, and that no process has a grant"
}

// unreachable is an error of an engine, with ErrUnreachable.
func unreachable(err error) error { return fmt.Errorf("%w: %w", ErrUnreachable, err) }

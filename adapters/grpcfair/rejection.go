package grpcfair

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/fairpool/fairpool/adapters/internal/gate"
	"github.com/fairpool/fairpool/fairshare"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

// A Rejection is the error of a call that got no slot. To gRPC it is a status;
// errors.As finds it, on the side where the slot was missing.
type Rejection struct {
	Tenant string

	// Code is ResourceExhausted if it was a bound of the tenant's own that stood
	// in the way, or the call costs more slots than its tenant can ever hold,
	// Unauthenticated if the call names no tenant and RequireTenant is
	// set, Canceled or DeadlineExceeded if the call ended first, else
	// Unavailable.
	Code codes.Code

	// RetryAfter is when the caller may try again: as long as one more call of the
	// tenant was expected to wait, and up to half as long again at random. If that
	// is not known it is as long as this one has waited, or within a second. It is 0 if the call has ended, names no tenant or costs too much.
	RetryAfter time.Duration

	// Err is a *fairshare.AcquireError. Its text names other tenants: it is for
	// the log. The status does not contain it.
	Err error
}

func reject(refusal *gate.Refusal) *Rejection {
	r := &Rejection{
		Tenant:     refusal.Tenant,
		Code:       codes.Unavailable,
		RetryAfter: refusal.RetryAfter,
		Err:        refusal.Err,
	}
	switch {
	case refusal.Nameless:
		r.Code = codes.Unauthenticated
	case refusal.Ctx == context.Canceled:
		r.Code = codes.Canceled
	case refusal.Ctx == context.DeadlineExceeded:
		r.Code, r.RetryAfter = codes.DeadlineExceeded, 0 // the caller's own
	case refusal.Own, refusal.TooLarge:
		r.Code = codes.ResourceExhausted
	}
	return r
}

func (r *Rejection) Error() string { return fmt.Sprintf("grpcfair: %v: %v", r.Code, r.Err) }

func (r *Rejection) Unwrap() error { return r.Err }

// GRPCStatus is the status of the call: Code, a line of text, and RetryInfo if
// RetryAfter is known.
func (r *Rejection) GRPCStatus() *status.Status {
	s := status.New(r.Code, r.text())
	if r.RetryAfter == 0 {
		return s
	}
	detailed, err := s.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(r.RetryAfter)})
	if err != nil {
		return s
	}
	return detailed
}

func (r *Rejection) text() string {
	switch r.Code {
	case codes.ResourceExhausted:
		if errors.Is(r.Err, fairshare.ErrTooLarge) {
			return "the call needs more than the server has for you"
		}
		return "too many calls of yours are waiting"
	case codes.Unauthenticated:
		return "the call names no tenant"
	case codes.Canceled:
		return "cancelled while waiting for a slot"
	case codes.DeadlineExceeded:
		return "the deadline came while waiting for a slot"
	}
	if errors.Is(r.Err, fairshare.ErrClosed) {
		return "shutting down"
	}
	return "busy with the calls of all users"
}

// trailer tells the retry policy of a client when to try again.
func (r *Rejection) trailer() metadata.MD {
	if r.RetryAfter == 0 {
		return nil
	}
	ms := (r.RetryAfter + time.Millisecond - 1) / time.Millisecond
	return metadata.Pairs("grpc-retry-pushback-ms", strconv.FormatInt(int64(ms), 10))
}

// retryDelay is what the RetryInfo of a status says, and whether there is one.
func retryDelay(s *status.Status) (time.Duration, bool) {
	for _, detail := range s.Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			return max(0, info.GetRetryDelay().AsDuration()), true
		}
	}
	return 0, false
}

// Package outcome says in one word how an Acquire or a build ended, for the
// labels of monitoring systems.
package outcome

import (
	"context"
	"errors"

	"github.com/fairpool/fairpool/pool"
)

// What Of returns.
const (
	OK       = "ok"
	Rejected = "rejected" // the queue was full, it would have taken too long, or named no tenant
	Timeout  = "timeout"
	Canceled = "canceled"
	Closed   = "closed"
	Failed   = "failed" // a build or a hook did
)

// Of is the outcome that an error, or none, stands for.
func Of(err error) string {
	switch {
	case err == nil:
		return OK
	case errors.Is(err, pool.ErrQueueFull), errors.Is(err, pool.ErrLate), errors.Is(err, pool.ErrNoTenant):
		return Rejected
	case errors.Is(err, pool.ErrClosed):
		return Closed
	case errors.Is(err, pool.ErrAcquireTimeout), errors.Is(err, context.DeadlineExceeded):
		return Timeout
	case errors.Is(err, context.Canceled):
		return Canceled
	}
	return Failed
}

package outcome_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/fairpool/fairpool/adapters/internal/outcome"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

func TestAnErrorHasOneOutcomeHoweverItIsWrapped(t *testing.T) {
	for want, errs := range map[string][]error{
		outcome.OK:       {nil},
		outcome.Rejected: {pool.ErrQueueFull, pool.ErrLate, pool.ErrNoTenant},
		outcome.Timeout:  {pool.ErrAcquireTimeout, context.DeadlineExceeded},
		outcome.Canceled: {context.Canceled},
		outcome.Closed:   {pool.ErrClosed},
		outcome.Failed:   {errors.New("broken"), pool.ErrNested},
	} {
		for _, err := range errs {
			require.Equal(t, want, outcome.Of(err), "%v", err)
			if err != nil {
				require.Equal(t, want, outcome.Of(&pool.AcquireError{Err: err}), "%v", err)
				require.Equal(t, want, outcome.Of(fmt.Errorf("wrapped: %w", err)), "%v", err)
			}
		}
	}
}

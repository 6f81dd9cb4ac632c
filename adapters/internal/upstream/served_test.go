package upstream_test

import (
	"context"
	"testing"

	"github.com/fairpool/fairpool/adapters/internal/upstream"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

// noted are slots that note how each of them was given back.
type noted struct {
	*fairshare.Semaphore
	ends *[]string
}

func (n noted) Acquire(ctx context.Context, tenant string) (notedPermit, error) {
	p, err := n.Semaphore.Acquire(ctx, tenant)
	return notedPermit{p, n.ends}, err
}

type notedPermit struct {
	permit fairshare.Permit
	ends   *[]string
}

func (p notedPermit) Release() {
	*p.ends = append(*p.ends, "served")
	p.permit.Release()
}

func (p notedPermit) Fail() {
	*p.ends = append(*p.ends, "not served")
	p.permit.Release()
}

// adaptfair.Gate has such permits.
func TestTheSlotsLearnWhetherACallWasServed(t *testing.T) {
	var ends []string
	u, err := upstream.New(noted{newSemaphore(t, fairshare.Config{Capacity: 4}), &ends}, upstream.Config{}, "test")
	require.NoError(t, err)
	for _, judge := range []func(*upstream.Call){
		(*upstream.Call).Succeeded,
		func(c *upstream.Call) { c.Overloaded(0) },
		func(*upstream.Call) {}, // it failed otherwise
	} {
		c := begin(t, u)
		judge(c)
		c.End()
	}
	require.Equal(t, []string{"served", "not served", "not served"}, ends)
}

package fairshare

import "context"

type tenantKey struct{}

// A tenantContext is a context that carries a tenant. It is what its own Value
// returns, so that looking the tenant up costs no memory.
type tenantContext struct {
	context.Context
	tenant string
}

func (c *tenantContext) Value(key any) any {
	if key == (tenantKey{}) {
		return c
	}
	return c.Context.Value(key)
}

// WithTenant returns a copy of ctx that carries the name of the tenant on whose
// behalf the work is done. Acquire uses it when it is given no name.
func WithTenant(ctx context.Context, tenant string) context.Context {
	return &tenantContext{ctx, tenant}
}

// TenantFrom returns the tenant that ctx carries, "" when it carries none.
func TenantFrom(ctx context.Context) string {
	if c, ok := ctx.Value(tenantKey{}).(*tenantContext); ok {
		return c.tenant
	}
	return ""
}

package fairshare

import "context"

type tenantKey struct{}

// WithTenant returns a copy of ctx that carries the name of the tenant on whose
// behalf the work is done. Acquire uses it when it is given no name.
func WithTenant(ctx context.Context, tenant string) context.Context {
	return context.WithValue(ctx, tenantKey{}, tenant)
}

// TenantFrom returns the tenant that ctx carries, "" when it carries none.
func TenantFrom(ctx context.Context) string {
	tenant, _ := ctx.Value(tenantKey{}).(string)
	return tenant
}

package fairshare

import (
	"fmt"
	"strings"
	"time"
)

// Error says what failed, for whom, why, and which setting decides it.
func (e *AcquireError) Error() string {
	var b strings.Builder
	if e.owner == "" {
		b.WriteString("fairshare")
	} else {
		b.WriteString(e.owner)
	}
	b.WriteString(": acquire")
	if e.Slots > 1 {
		fmt.Fprintf(&b, " of %d slots", e.Slots)
	}
	if e.Reason != NoTenant {
		fmt.Fprintf(&b, " for tenant %s", quote(e.Tenant))
	}
	fmt.Fprintf(&b, ": %s", e.what())
	if e.Cause != nil {
		fmt.Fprintf(&b, " (%v)", e.Cause)
	}
	if e.Waited > 0 {
		fmt.Fprintf(&b, " after %v", e.Waited.Round(time.Microsecond))
	}
	if why := e.why(); why != "" {
		fmt.Fprintf(&b, ": %s", why)
	}
	if e.waits() {
		fmt.Fprintf(&b, "; the tenant holds %d, %d more waiting", e.Held, e.Waiting)
	}
	return b.String()
}

// what says how the Acquire ended.
func (e *AcquireError) what() string {
	switch e.Err {
	case ErrClosed:
		return "closed"
	case ErrNoTenant:
		return "no tenant is named, and RequireTenant is set"
	case ErrQueueFull:
		return "queue full"
	case ErrAcquireTimeout:
		return "timed out by AcquireTimeout"
	case ErrTooLarge:
		return "too many"
	case ErrLate:
		return fmt.Sprintf("rejected by RejectLate, since the wait is estimated at %v, longer than the caller or AcquireTimeout allows", e.Estimate.Round(time.Microsecond))
	}
	return bare(e.Err)
}

// why says what stood in the way, "" if what says it.
func (e *AcquireError) why() string {
	switch e.Reason {
	case BeforeWaiting:
		return "the context had ended before"
	case Closed, NoTenant:
		return ""
	case QueueFull:
		return fmt.Sprintf("%s of the tenant, the most that its Share.MaxWaiting allows", count(e.Waiting, "waiter"))
	case LineFull:
		return "Config.MaxWaiting bounds the waiters of all tenants, and this tenant has the longest queue over weight"
	case OverCapacity:
		return fmt.Sprintf("the capacity is %d", e.Capacity)
	case OverMax:
		return fmt.Sprintf("the tenant's Share.Max is %d", e.Cap)
	case OverShare:
		return fmt.Sprintf("the tenant's share by ShareFunc is %d", e.Cap)
	case AtCap:
		return fmt.Sprintf("the tenant is at its cap of %d, by Share.Max or ShareFunc", e.Cap)
	case Saturated:
		return e.usage()
	case Reserved:
		return fmt.Sprintf("the last free slots are for tenants that hold none, by Headroom; %s", e.usage())
	case BuildFailing:
		if e.BuildErr == nil {
			return "the Constructor failed" // with Err
		}
		return "the Constructor fails: " + bare(e.BuildErr)
	case Building:
		return "no resource is ready; " + e.usage()
	case NotPrepared:
		return "Check and Prepare did not make a resource ready"
	case Suspended:
		return "suspended until Resume"
	case HandedOver:
		return "granted too late"
	case TooFew:
		return "too few slots are free; " + e.usage()
	case Collected:
		return "the free slots are kept for a request of several; " + e.usage()
	}
	return string(e.Reason)
}

// waits reports whether the tenant's own holds and waiters are of interest.
func (e *AcquireError) waits() bool {
	switch e.Reason {
	case BeforeWaiting, Closed, NoTenant, OverCapacity, OverMax, OverShare, QueueFull:
		return false
	}
	return true
}

// usage says how many slots are in use, and by whom if that is all.
func (e *AcquireError) usage() string {
	switch {
	case e.Capacity == 0:
		return "the capacity is 0"
	case e.InUse < e.Capacity:
		return fmt.Sprintf("%d of %s in use", e.InUse, count(e.Capacity, "slot"))
	}
	var b strings.Builder
	if e.Capacity == 1 {
		b.WriteString("the only slot in use")
	} else {
		fmt.Fprintf(&b, "all %d slots in use", e.Capacity)
	}
	sep := " by "
	for _, h := range e.Holders {
		b.WriteString(sep + quote(h.Tenant))
		if e.Capacity > 1 {
			fmt.Fprintf(&b, " %d", h.Held)
		}
		sep = ", "
	}
	return b.String()
}

// bare is the text of an error that is part of another: without a second prefix.
func bare(err error) string {
	if err == nil {
		return ""
	}
	text := err.Error()
	for _, prefix := range []string{"fairshare: ", "pool: "} {
		text = strings.TrimPrefix(text, prefix)
	}
	return text
}

// count says how many there are of a thing.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

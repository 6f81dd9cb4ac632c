package fairshare_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fairpool/fairpool/fairshare"
)

func ExampleSemaphore() {
	sem, err := fairshare.NewSemaphore(fairshare.Config{Capacity: 4})
	if err != nil {
		panic(err)
	}
	defer sem.Close()

	permit, err := sem.Acquire(context.Background(), "tenant-1")
	if err != nil {
		panic(err) // an *AcquireError that says why
	}
	defer permit.Release()
	fmt.Println(sem.Stats().InUse, "of", sem.Stats().Capacity, "in use")
	// Output:
	// 1 of 4 in use
}

func ExamplePermit() {
	sem, err := fairshare.NewSemaphore(fairshare.Config{Capacity: 1})
	if err != nil {
		panic(err)
	}
	first, ok := sem.TryAcquire("a")
	fmt.Println(ok)
	_, ok = sem.TryAcquire("b")
	fmt.Println(ok)

	first.Release()
	second, ok := sem.TryAcquire("b")
	fmt.Println(ok)
	first.Release() // was released already: does not touch the second
	fmt.Println(sem.Stats().InUse)
	second.Release()
	// Output:
	// true
	// false
	// true
	// 1
}

// A tenant that is present has its strict share kept free for it.
func ExampleTenant() {
	sem, err := fairshare.NewSemaphore(fairshare.Config{Capacity: 10, ShareFunc: fairshare.EqualShare})
	if err != nil {
		panic(err)
	}
	take := func(tenant string) (permits []fairshare.Permit) {
		for {
			p, ok := sem.TryAcquire(tenant)
			if !ok {
				return permits
			}
			permits = append(permits, p)
		}
	}

	a := sem.Join("a")
	b := sem.Join("b")
	permits := take("a")
	fmt.Println("a has", len(permits), "while b is there")
	b.Leave()
	permits = append(permits, take("a")...)
	fmt.Println("and", len(permits), "alone")
	for _, p := range permits {
		p.Release()
	}
	a.Leave()
	// Output:
	// a has 5 while b is there
	// and 10 alone
}

// Strict shares by a rule of one's own: at least two slots for each tenant,
// and never more than half of all.
func ExampleConfig_shareFunc() {
	sem, err := fairshare.NewSemaphore(fairshare.Config{
		Capacity: 12,
		MinShare: 2,
		ShareFunc: func(capacity, tenants int) int {
			return min(capacity/2, capacity/tenants)
		},
	})
	if err != nil {
		panic(err)
	}
	for n := 1; n <= 8; n++ {
		sem.Join(fmt.Sprint("tenant-", n))
		for _, t := range sem.Tenants() {
			fmt.Print(t.Cap, " ")
			break // they are all alike
		}
	}
	// Output:
	// 6 6 4 3 2 2 2 2
}

func ExampleShare() {
	sem, err := fairshare.NewSemaphore(fairshare.Config{
		Capacity: 10,
		Default:  fairshare.Share{MaxWaiting: 1000},
		Tenants: map[string]fairshare.Share{
			"interactive": {Weight: 3, Min: 2}, // thrice the slot-time, and first while it holds fewer than 2
			"batch":       {Max: 8},            // never the last two slots
		},
	})
	if err != nil {
		panic(err)
	}

	// Shares may change at any time. A wrong one changes nothing.
	fmt.Println(sem.SetShare("batch", fairshare.Share{Max: 4}))
	fmt.Println(sem.SetShare("batch", fairshare.Share{Min: 5, Max: 4}))
	// Output:
	// <nil>
	// fairshare: SetShare of tenant "batch": Share.Min is 5, more than its Max of 4
}

func ExampleAcquireError() {
	sem, err := fairshare.NewSemaphore(fairshare.Config{Capacity: 2})
	if err != nil {
		panic(err)
	}
	for range 2 {
		p, _ := sem.TryAcquire("batch")
		defer p.Release()
	}

	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err = sem.Acquire(ctx, "web")
	fmt.Println(errors.Is(err, context.DeadlineExceeded))
	var why *fairshare.AcquireError
	if errors.As(err, &why) {
		fmt.Println(why.Reason)
		for _, h := range why.Holders {
			fmt.Println(h.Tenant, "holds", h.Held)
		}
	}

	sem.Close()
	_, err = sem.Acquire(context.Background(), "web")
	fmt.Println(err)
	// Output:
	// true
	// all slots in use
	// batch holds 2
	// fairshare: acquire for tenant "web": closed
}

func ExampleStats() {
	sem, err := fairshare.NewSemaphore(fairshare.Config{Capacity: 8})
	if err != nil {
		panic(err)
	}
	for range 3 {
		p, _ := sem.TryAcquire("a")
		defer p.Release()
	}
	s := sem.Stats()
	fmt.Printf("%d of %d in use, %d waiting, %d tenants\n", s.InUse, s.Capacity, s.Waiting, s.ActiveTenants)
	// Output:
	// 3 of 8 in use, 0 waiting, 1 tenants
}

func ExampleTenantStats() {
	sem, err := fairshare.NewSemaphore(fairshare.Config{Capacity: 8})
	if err != nil {
		panic(err)
	}
	for _, tenant := range []string{"b", "a", "b"} {
		p, _ := sem.TryAcquire(tenant)
		defer p.Release()
	}
	for name, t := range sem.Tenants() {
		fmt.Println(name, "holds", t.Held, "of", t.Acquired, "granted")
	}
	// Output:
	// a holds 1 of 1 granted
	// b holds 2 of 2 granted
}

func ExampleWithTenant() {
	sem, err := fairshare.NewSemaphore(fairshare.Config{Capacity: 1})
	if err != nil {
		panic(err)
	}
	// Once, where a request comes in; then no call has to name the tenant.
	ctx := fairshare.WithTenant(context.Background(), "tenant-1")
	p, err := sem.Acquire(ctx, "")
	if err != nil {
		panic(err)
	}
	defer p.Release()
	for name := range sem.Tenants() {
		fmt.Println(name)
	}
	// Output:
	// tenant-1
}

// Desks is a Supply of numbered desks. Slots are Line's to hand out; what a
// slot stands for, its Owner says.
type Desks struct {
	free []string
}

// New sets up one more desk, as long as there are any.
func (d *Desks) New() *fairshare.Slot {
	if len(d.free) == 0 {
		return nil
	}
	desk := d.free[0]
	d.free = d.free[1:]
	return &fairshare.Slot{Owner: desk}
}

// Short has nothing to do: desks are not made to order.
func (d *Desks) Short(fairshare.Request) {}

// Lacking explains a wait that has ended in vain although capacity was left.
func (d *Desks) Lacking() (fairshare.Reason, error) { return "no desk left", nil }

func ExampleLine() {
	desks := &Desks{free: []string{"by the window", "by the door"}}
	line, err := fairshare.NewLine(fairshare.Config{Capacity: 3}, desks)
	if err != nil {
		panic(err)
	}
	ctx := context.Background()

	first, _ := line.Acquire(ctx, "research")
	second, _ := line.Acquire(ctx, "sales")
	fmt.Println(first.Tenant(), "sits", first.Slot().Owner)
	fmt.Println(second.Tenant(), "sits", second.Slot().Owner)

	ctx, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	_, err = line.Acquire(ctx, "sales")
	var why *fairshare.AcquireError
	fmt.Println(errors.As(err, &why), why.Reason)

	first.Release()
	again, _ := line.Acquire(context.Background(), "sales")
	fmt.Println(again.Tenant(), "sits", again.Slot().Owner)
	again.Release()
	second.Release()
	// Output:
	// research sits by the window
	// sales sits by the door
	// true no desk left
	// sales sits by the window
}

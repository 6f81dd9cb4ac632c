package chromedpfair

import (
	"context"
	"errors"
	"maps"
	"sync"
)

// A browser has one clipboard for all its pages. Between tenants it is emptied;
// those whose leases overlap in one browser still share it. A page by itself may
// not read it.
type clipboard struct {
	mu     sync.Mutex
	active map[string]int  // leases of each tenant
	users  map[string]bool // tenants that may have left something
}

// begin notes a lease of the tenant, and reports whether the clipboard may hold
// something of another one.
func (c *clipboard) begin(tenant string) (soiled bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.active == nil {
		c.active, c.users = make(map[string]int), make(map[string]bool)
	}
	others := len(c.users)
	if c.users[tenant] {
		others--
	}
	c.active[tenant]++
	c.users[tenant] = true
	return others > 0
}

func (c *clipboard) end(tenant string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.active[tenant]--; c.active[tenant] <= 0 {
		delete(c.active, tenant)
	}
}

// emptied forgets those who have no lease any more.
func (c *clipboard) emptied() {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.users, func(tenant string, _ bool) bool { return c.active[tenant] == 0 })
}

// emptyClipboard copies nothing, for which a page needs no permission.
const emptyClipboard = `(() => {
	document.addEventListener("copy", e => { e.clipboardData.setData("text/plain", ""); e.preventDefault() }, {once: true})
	return document.execCommand("copy")
})()`

// emptyClipboard empties the clipboard of the browser, from a page that is blank.
func (s *session) emptyClipboard(ctx context.Context) error {
	var done bool
	if err := s.evaluate(ctx, emptyClipboard, &done); err != nil {
		return err
	}
	if !done {
		return errors.New("the page may not copy")
	}
	return nil
}

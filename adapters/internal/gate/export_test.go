package gate

// Remembered is for how many tenants the pace is known.
func (d *Door[P]) Remembered() int {
	d.pace.mu.Lock()
	defer d.pace.mu.Unlock()
	return len(d.pace.of)
}

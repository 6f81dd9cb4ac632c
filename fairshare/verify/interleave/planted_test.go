package interleave

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A mistake is a change of the source that has to be found.
type mistake struct {
	what     string
	scenario string // that shows it
	file     string
	from, to string
}

const (
	plain    = "3 callers, 1 slot"
	canceled = "3 callers, 1 slot, a cancel"
	closed   = "2 callers, no slot, a cancel, Close"
	resized  = "2 callers, Resize down and up"

	failing    = "pool: 3 callers, 1 slot, a cancel, two failing builds, Destroy"
	destroying = "pool: 3 callers, 2 slots, Destroy"
	closing    = "pool: 2 callers, 1 slot, Destroy, Close"
)

var mistakes = []mistake{
	{"the short Unlock does not look at the inboxes again", plain, "fairshare/lock.go",
		"if !l.inboxesEmpty() && l.lockUnlessLocked() {\n\t\tl.unlock()", "if false {\n\t\tl.unlock()"},
	{"the long Unlock does not look at the inboxes again", plain, "fairshare/lock.go",
		"if l.inboxesEmpty() {\n\t\t\tbreak", "if true {\n\t\t\tbreak"},
	{"only the returns are looked at", plain, "fairshare/lock.go",
		"l.returns.Load() == nil && l.arrivals.Load() == nil", "l.returns.Load() == nil"},
	{"only the arrivals are looked at", plain, "fairshare/lock.go",
		"l.returns.Load() == nil && l.arrivals.Load() == nil", "l.arrivals.Load() == nil"},
	{"an inbox is read and emptied in two steps", plain, "fairshare/inbox.go",
		"P(b.Swap(nil))", "func() P { x := P(b.Load()); b.Store(nil); return x }()"},
	{"a slot is left in the inbox without trying for the lock", plain, "fairshare/lock.go",
		"put(&l.returns, slot)\n\t\tl.readInboxes()", "put(&l.returns, slot)"},
	{"a waiter is left in the inbox without trying for the lock", plain, "fairshare/line.go",
		"put(&l.arrivals, w)\n\t\t\tl.readInboxes()", "put(&l.arrivals, w)"},
	{"an Unlock that has served long enough leaves without a successor", plain, "fairshare/lock.go",
		`turns.Go("l.serve", l.serve)`, "_ = turns.Go"},
	{"a cancelled waiter leaves although it was granted a slot", canceled, "fairshare/waiter.go",
		"if w.Seq() == 0 {\n\t\tl.Unlock()\n\t\treturn nil", "if w.Seq() == 0 {\n\t\tl.Unlock()\n\t\treturn contextError(ctx, &AcquireError{})"},
	{"a slot that was granted too late is not passed on", canceled, "fairshare/waiter.go",
		"\tif slot != nil { // else", "\tif false { // else"},
	{"a waiter from the inbox is queued although the line is closed", closed, "fairshare/line.go",
		"slot, t, refusal := l.requestLocked(w.tenant, nil)", "was := l.closed; l.closed = false; slot, t, refusal := l.requestLocked(w.tenant, nil); l.closed = was"},
	{"Close wakes nobody", closed, "fairshare/line.go", "l.FailAllLocked(Closed, ErrClosed)", ""},
	{"Release does not ask whether the grant is finished", plain, "fairshare/slot.go",
		"g.slot == nil || !g.slot.generation.CompareAndSwap(g.generation, g.generation+1)", "g.slot == nil || !g.slot.generation.CompareAndSwap(g.slot.generation.Load(), g.generation+1)"},
	{"a resize hands out nothing", resized, "fairshare/share.go", "l.sched.Resize(l.now, capacity)\n\tl.failTooLargeLocked()\n\tl.DispatchLocked()", "l.sched.Resize(l.now, capacity)"},
	{"Lock never stops trying", plain, "fairshare/lock.go", "if !l.tryLock() {\n\t\tl.lockSlow()\n\t}", "for !l.tryLock() {\n\t}"},
	{"whoever tried for the lock in vain takes that for somebody else having it", plain, "fairshare/lock.go", "if l.locked.LoadAtOnce() {", "if true {"},
	{"what was in the inbox is put back there", plain, "fairshare/lock.go", "l.returnLocked(slot)\n\t\tslot = next", "put(&l.returns, slot)\n\t\tslot = next"},

	{"a failed build keeps its place", failing, "pool/build.go", "\tp.building--\n", "\tif err == nil {\n\t\tp.building--\n\t}\n"},
	{"the end of a backoff starts nothing", failing, "pool/failing.go", "f.timer = nil\n\t\tp.balanceLocked()\n\t\tif f.refused", "f.timer = nil\n\t\tif false"},
	{"the end of a destructor starts nothing", destroying, "pool/birth.go", "\tp.succeedLocked(s)\n\tp.balanceLocked()\n", "\tp.dischargeLocked(s)\n"},
	{"a destructor keeps its place", destroying, "pool/birth.go", "\tp.dying--\n", ""},
	{"a tenant is charged for ever for what it destroyed", destroying, "pool/birth.go", "\tp.line.ReleaseLocked(&s.Slot)\n\tp.line.DropLocked", "\tp.line.DropLocked"},
	{"Close leaves the warm ones alone", closing, "pool/close.go", "p.retireWarmLocked(Stopped, always, &p.parting)", ""},
	{"what is built after Close is kept", closing, "pool/retire.go", "\tcase p.closed:\n\t\treturn Stopped\n", ""},
	{"what is returned after Close is kept", closing, "pool/pool.go", "p.blame.active() || p.closed ||", "p.blame.active() ||"},
	{"Close does not end the waits", closing, "pool/close.go", "if !p.line.CloseLocked() {", "if p.closed {"},
}

func TestEveryMistakeIsFound(t *testing.T) {
	skipIfShort(t)
	t.Parallel()
	sound := source(t)
	for _, m := range mistakes {
		t.Run(m.what, func(t *testing.T) {
			t.Parallel()
			flawed := make(map[string]string)
			found := false
			for path, text := range sound {
				if isFile(path, m.file) {
					require.Contains(t, text, m.from, "the code has changed: plant the mistake anew")
					text, found = strings.Replace(text, m.from, m.to, 1), true
				}
				flawed[path] = text
			}
			require.True(t, found, m.file)
			out, err := exec.Command(build(t, flawed), "-only", m.scenario).CombinedOutput()
			require.Error(t, err, "not found:\n%s", out)
			require.Contains(t, string(out), "th run, after", "%s", out)
			first, trace, _ := strings.Cut(string(out), "\n")
			t.Logf("%s %d steps", first, strings.Count(trace, "\n"))
		})
	}
}

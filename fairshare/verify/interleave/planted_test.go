package interleave

import (
	"os/exec"
	"path/filepath"
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
)

var mistakes = []mistake{
	{"the short Unlock does not look at the inboxes again", plain, "lock.go",
		"if !l.inboxesEmpty() && l.tryLock() {\n\t\tl.unlock()", "if false {\n\t\tl.unlock()"},
	{"the long Unlock does not look at the inboxes again", plain, "lock.go",
		"if l.inboxesEmpty() {\n\t\t\tbreak", "if true {\n\t\t\tbreak"},
	{"only the returns are looked at", plain, "lock.go",
		"l.returns.Load() == nil && l.arrivals.Load() == nil", "l.returns.Load() == nil"},
	{"only the arrivals are looked at", plain, "lock.go",
		"l.returns.Load() == nil && l.arrivals.Load() == nil", "l.arrivals.Load() == nil"},
	{"an inbox is read and emptied in two steps", plain, "inbox.go",
		"P(b.Swap(nil))", "func() P { x := P(b.Load()); b.Store(nil); return x }()"},
	{"a slot is left in the inbox without trying for the lock", plain, "lock.go",
		"put(&l.returns, slot)\n\t\tl.readInboxes()", "put(&l.returns, slot)"},
	{"a waiter is left in the inbox without trying for the lock", plain, "line.go",
		"put(&l.arrivals, w)\n\t\t\tl.readInboxes()", "put(&l.arrivals, w)"},
	{"an Unlock that has served long enough leaves without a successor", plain, "lock.go",
		`turns.Go("l.serve", l.serve)`, "_ = turns.Go"},
	{"a cancelled waiter leaves although it was granted a slot", canceled, "waiter.go",
		"if w.Seq() == 0 {\n\t\tl.Unlock()\n\t\treturn nil", "if w.Seq() == 0 {\n\t\tl.Unlock()\n\t\treturn contextError(ctx, &AcquireError{})"},
	{"a slot that was granted too late is not passed on", canceled, "waiter.go",
		"\tif slot != nil { // else", "\tif false { // else"},
	{"a waiter from the inbox is queued although the line is closed", closed, "line.go",
		"slot, t, refusal := l.requestLocked(w.tenant, nil)", "was := l.closed; l.closed = false; slot, t, refusal := l.requestLocked(w.tenant, nil); l.closed = was"},
	{"Close wakes nobody", closed, "line.go", "l.FailAllLocked(Closed, ErrClosed)", ""},
	{"Release does not ask whether the grant is finished", plain, "slot.go",
		"g.slot == nil || !g.slot.generation.CompareAndSwap(g.generation, g.generation+1)", "g.slot == nil || !g.slot.generation.CompareAndSwap(g.slot.generation.Load(), g.generation+1)"},
	{"a resize hands out nothing", resized, "member.go", "l.sched.Resize(capacity)\n\tl.DispatchLocked()", "l.sched.Resize(capacity)"},
}

func TestEveryMistakeIsFound(t *testing.T) {
	skipIfShort(t)
	sound := source(t)
	for _, m := range mistakes {
		t.Run(m.what, func(t *testing.T) {
			flawed := make(map[string]string)
			found := false
			for path, text := range sound {
				if filepath.Base(path) == m.file {
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

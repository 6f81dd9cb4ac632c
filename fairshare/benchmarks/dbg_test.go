package main
import ("testing";"testing/synctest";"fmt";"time";"github.com/fairpool/fairpool/fairshare")
type spy struct { hall; log *[]string; now *time.Duration }
func (s spy) grant(r *request) { *s.log = append(*s.log, fmt.Sprint(r.tenant, " seq ", r.seq, " asked ", r.asked, " hold ", r.hold)); s.hall.grant(r) }
func wrap(c contender, log *[]string) contender { st := c.start; c.start = func(in setting, h hall) rule { return st(in, spy{hall: h, log: log}) }; return c }
func TestDbg(t *testing.T) {
	var l load
	for _, sc := range scenarios { if sc.id == "G" { l = sc.build(0.02).seeded(1) } }
	var x, y []string
	a := logOf(l, wrap(byName("fairpool headroom 1"), &x))
	synctest.Test(t, func(t *testing.T) {
		b := logOf(l, wrap(contender{start: realSemaphore(t, fairshare.Config{Headroom:1})}, &y))
		n := 0
		for i := range x { if x[i] != y[i] { fmt.Println(i, x[i], "|", y[i]); n++; if n > 3 {break} } }
		_, _ = a, b
	})
}

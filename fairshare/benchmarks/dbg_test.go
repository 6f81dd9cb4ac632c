package main
import ("testing";"time";"fmt")
func TestDbg(t *testing.T) {
	for _, sc := range scenarios { if sc.id != "E2" { continue }
		l := sc.build(full).seeded(1)
		rec := newRecord(l, oracle(l, 10))
		var f *scheduler
		c := contenders[0]
		st := c.start
		c.start = func(in setting, h hall) rule { r := st(in,h); f = r.(*scheduler)
			for _, at := range []int{299,301,310,329,331,335,340,350,400,600} {
				h.at(time.Duration(at)*time.Second, func(now time.Duration){
					for _, n := range f.names { x := f.s.Find(n); if x==nil {continue}; s := f.s.Status(now+1, x); fmt.Println(at, n, x.Held(), x.Waiting(), s.Service, s.Debt, f.s.Horizon()) }
				}) }
			return r }
		run(l, c, rec)
	}
}

package main
import ("testing";"time";"fmt")
func TestDbg(t *testing.T) {
	l := load{capacity: 120, from: 20 * time.Second, until: 120 * time.Second}
	for _, want := range []int{1000,50,10} {
		l.tenants = append(l.tenants, tenant{weight: 1, hold: constant(time.Second), crews: []crew{demanding(int(want))}})
	}
	rec := newRecord(l, ideal{})
	var f *scheduler
	c := contenders[0]
	st := c.start
	c.start = func(in setting, h hall) rule { r := st(in,h); f = r.(*scheduler)
		for at := 1; at < 120; at += 1 {
			h.at(time.Duration(at)*time.Second+35*time.Millisecond, func(now time.Duration){
				fmt.Print(at, " R", f.s.Horizon())
				for _, n := range f.names { x := f.s.Find(n); if x==nil {continue}; s := f.s.Status(now+1, x); fmt.Print(" | ", n, " ", x.Held(), " ", x.Waiting(), " ", s.Service, " ", s.Debt) }
				fmt.Println()
			}) }
		return r }
	run(l, c, rec)
	rec.finish()
	for _, a := range rec.accounts { fmt.Println(a.slotTime/100) }
}

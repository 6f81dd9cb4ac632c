package main

import (
	"fmt"
	"os"
	"time"
)

func main() {
	sz := quick
	if len(os.Args) > 1 && os.Args[1] == "full" {
		sz = full
	}
	for _, sc := range scenarios {
		if len(os.Args)>2 && os.Args[2]!=sc.id { continue }
		l := sc.build(sz).seeded(1)
		t0 := time.Now()
		best := oracle(l, 400)
		fmt.Printf("%s %s  oracle %v\n", sc.id, sc.metric, time.Since(t0).Round(time.Millisecond))
		for _, c := range contenders {
			if _, ok := c.start(setting{capacity: 1, greatest: 1}, nil).(resizer); len(l.resizes) > 0 && !ok {
				continue
			}
			t0 := time.Now()
			rec := newRecord(l, best)
			run(l, c, rec)
			f := rec.figures()
			fmt.Printf("  %-22s %8.4f  jain %.3f lag %.2f worst %.3f match %.3f wait %.3f %.3f %.3f util %.4f dev %.2f exc %d  %v\n", c.name, sc.value(f), f.jain, f.lag, f.worst, f.match, f.mean, f.p50, f.p99, f.utilization, f.deviation, f.excess, time.Since(t0).Round(time.Millisecond))
		}
	}
}

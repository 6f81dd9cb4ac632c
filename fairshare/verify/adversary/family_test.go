package adversary

import (
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
)

// The bounds: 5% above the share, and the whole of the bound on a wait.
const (
	fair   = 1.05
	prompt = 1
)

var (
	holdKnobs  = []knob{long, short, mix, threshold}
	stayKnobs  = []knob{on, away, grab, tail}
	everything = join(holdKnobs, stayKnobs, []knob{waiters, pace, again, spin})

	everywhere = []place{four, one, second, heavyTail, reserve, fixed, noCredit}
	unequal    = []place{heavyRival, heavyRivals, heavyTailed, lightRivals}
)

func join(all ...[]knob) (out []knob) {
	for _, ks := range all {
		out = append(out, ks...)
	}
	return out
}

var families = []family{
	{name: "holding times", turned: join(holdKnobs, []knob{waiters}), places: everywhere,
		play: playRule, gain: fair, wait: prompt},
	{name: "splitting", turned: []knob{long, waiters, pace}, places: everywhere,
		play: playRule, gain: fair, wait: prompt},
	{name: "cancel and ask again", turned: join(holdKnobs, []knob{waiters, again}), places: everywhere,
		play: playRule, gain: fair, wait: prompt},
	{name: "on and off", turned: join(holdKnobs, stayKnobs, []knob{waiters}), places: everywhere,
		play: playRule, gain: fair, wait: prompt},
	{name: "all of these", turned: everything, places: everywhere,
		play: playRule, gain: fair, wait: prompt, tries: 200},
	{name: "unequal weights", turned: everything, places: unequal,
		play: playRule, gain: fair, wait: prompt},
	{name: "weights that change", turned: join(holdKnobs, stayKnobs, []knob{waiters, period, lead, weightA, weightB}), places: everywhere,
		play: playRule, gain: fair, wait: prompt, plans: true},
	{name: "a capacity that changes", turned: join(holdKnobs, stayKnobs, []knob{waiters, period, lead, capacity}), places: everywhere,
		play: playRule, gain: fair, wait: prompt, resizes: true},
	{name: "Min and Max", turned: join(holdKnobs, stayKnobs, []knob{waiters, least, most}), places: everywhere,
		play: playRule, gain: fair},
	{name: "fresh names", turned: []knob{names}, places: everywhere, sizes: []int{1},
		play: playRule, gain: 1.2, gains: "slot-time over that of as many steady tenants", wait: prompt, fresh: true},
	{name: "TryAcquire", turned: []knob{long, short, mix, waiters, pace, again, spin, on, away}, places: []place{
		{what: "a Semaphore of 4, 5 rivals with Exp(100 ms)", slots: 4, rivals: 5},
		{what: "the same with strict shares", slots: 6, rivals: 5, semaphore: fairshare.Config{ShareFunc: fairshare.EqualShare}},
		{what: "a Semaphore of 4, at most 20 waiting, 5 rivals", slots: 4, rivals: 5, semaphore: fairshare.Config{MaxWaiting: 20}},
	}, play: playSemaphore, gain: fair, tries: 40},
	{name: "Reclaim", turned: []knob{long, short, mix, waiters, pace, on, away, ignore}, places: []place{
		{what: "a Pool of 2, Reclaim after 5 s, 2 rivals with jobs of 20 s", slots: 2, rivals: 2, job: 20 * time.Second,
			reclaim: pool.Reclaim{After: 5 * time.Second, Grace: time.Second}},
		{what: "a Pool of 4, Reclaim after 5 s, 5 rivals with jobs of 4 s", slots: 4, rivals: 5, job: 4 * time.Second,
			reclaim: pool.Reclaim{After: 5 * time.Second, Grace: time.Second}},
	}, play: playReclaim, gain: fair, wait: 3, waits: "jobs that a rival's share has room for, over those that it finished", tries: 40},
	{name: "sabotage", turned: []knob{long, waiters, spoil, admit, accuse}, places: []place{
		{what: "a Pool of 2, builds of 900 ms, 3 rivals with 100 ms", slots: 2, rivals: 3, build: 900 * time.Millisecond},
		{what: "a Pool of 4, builds of 100 ms, 3 rivals with 100 ms", slots: 4, rivals: 3, build: 100 * time.Millisecond},
	}, play: playSabotage, gain: 2, gains: "useful slot-time, over that of one that tells the truth",
		wait: 2, waits: "useful slot-time of a rival beside one that tells the truth, over that beside a liar", tries: 40},
}

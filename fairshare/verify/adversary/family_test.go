package adversary

import (
	"github.com/fairpool/fairpool/fairshare"
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
	{name: "a capacity that changes", turned: join(holdKnobs, stayKnobs, []knob{waiters, period, lead, capacity}), places: everywhere,
		play: playRule, gain: fair, wait: prompt, resizes: true},
	{name: "Min and Max", turned: join(holdKnobs, stayKnobs, []knob{waiters, least, most}), places: everywhere,
		play: playRule, gain: fair},
	{name: "TryAcquire", turned: []knob{long, short, mix, waiters, pace, again, spin, on, away}, places: []place{
		{what: "a Semaphore of 4, 5 rivals with Exp(100 ms)", slots: 4, rivals: 5},
		{what: "the same with strict shares", slots: 6, rivals: 5, semaphore: fairshare.Config{ShareFunc: fairshare.EqualShare}},
		{what: "a Semaphore of 4, at most 20 waiting, 5 rivals", slots: 4, rivals: 5, semaphore: fairshare.Config{MaxWaiting: 20}},
	}, play: playSemaphore, gain: fair, tries: 40},
}

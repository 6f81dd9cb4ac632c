package protocol

import "fmt"

// A pc is the step that a goroutine takes next. Between two steps anybody else
// may take theirs. What a goroutine does under the lock without touching an
// inbox, a channel or the generation of a slot nobody else can look into, and
// it belongs to the step before.
type pc uint8

const (
	done pc = iota

	// An Acquire.
	acquire
	acquireTry
	askBusy
	leaveWaiter
	readForWaiter
	tryAcquire
	wait
	receive
	wake
	readGeneration // of a mistaken code only
	holding

	// The end of a lease.
	finish
	giveBack
	leaveSlot
	readForSlot
	finishDestroy

	// Taking the lock.
	lock
	lookReturns
	lookArrivals
	takeReturns
	clearReturns // of a mistaken code only, as the next
	takeArrivals
	clearArrivals

	// Letting go of it, when there is nothing to tell.
	unlock
	peekReturns
	peekArrivals
	peekTry

	// The same when there is.
	collect
	tellLocked // of a mistaken code only
	unlockLong
	tell
	againReturns
	againArrivals
	againTry

	// Others.
	act
	seize
	construct
	destruct
	backoff
	pcs
)

// A step says what a pc stands for, and which function of the code does that.
type step struct {
	what  string
	where string // package and function
}

var steps = [pcs]step{
	done:           {"ends", ""},
	acquire:        {"looks whether its context is done", "fairshare Line.acquire"},
	acquireTry:     {"tries for the lock", "fairshare Line.acquire"},
	askBusy:        {"looks whether anybody waits", "fairshare Line.acquire"},
	leaveWaiter:    {"leaves its waiter in the inbox", "fairshare put"},
	readForWaiter:  {"tries for the lock, to read the inboxes", "fairshare Line.readInboxes"},
	tryAcquire:     {"calls TryAcquire", "fairshare Line.TryAcquireLocked"},
	wait:           {"waits for a slot or the end of its context", "fairshare Line.wait"},
	receive:        {"waits for what it was told already", "fairshare Line.wait"},
	wake:           {"reads what it was told, and whether its context is done", "fairshare Line.wait"},
	readGeneration: {"reads the generation of its slot", ""},
	holding:        {"ends its lease", "fairshare Grant.Release"},
	finish:         {"finishes the grant", "fairshare Grant.Finish"},
	giveBack:       {"tries for the lock, to give the slot back", "fairshare Line.giveBack"},
	leaveSlot:      {"leaves the slot in the inbox", "fairshare put"},
	readForSlot:    {"tries for the lock, to read the inboxes", "fairshare Line.readInboxes"},
	finishDestroy:  {"finishes the grant, to destroy the resource", "pool Lease.destroy"},
	lock:           {"waits for the lock and takes it", "fairshare Line.Lock"},
	lookReturns:    {"looks for returns", "fairshare Line.inboxesEmpty"},
	lookArrivals:   {"looks for arrivals", "fairshare Line.inboxesEmpty"},
	takeReturns:    {"takes the returns and puts them to use", "fairshare Line.readInboxesLocked"},
	clearReturns:   {"empties the returns", ""},
	takeArrivals:   {"takes the arrivals and admits them", "fairshare Line.readInboxesLocked"},
	clearArrivals:  {"empties the arrivals", ""},
	unlock:         {"unlocks", "fairshare Line.Unlock"},
	peekReturns:    {"looks for returns again", "fairshare Line.Unlock"},
	peekArrivals:   {"looks for arrivals again", "fairshare Line.Unlock"},
	peekTry:        {"tries for the lock again", "fairshare Line.Unlock"},
	collect:        {"says whether anybody waits", "fairshare Line.unlock"},
	tellLocked:     {"wakes a waiter under the lock", ""},
	unlockLong:     {"unlocks, with waiters to wake", "fairshare Line.unlock"},
	tell:           {"wakes a waiter", "fairshare Line.unlock"},
	againReturns:   {"looks for returns once more", "fairshare Line.unlock"},
	againArrivals:  {"looks for arrivals once more", "fairshare Line.unlock"},
	againTry:       {"tries for the lock once more", "fairshare Line.unlock"},
	act:            {"acts", ""},
	seize:          {"seizes a lease", "pool Pool.seize"},
	construct:      {"returns from the constructor", "pool Pool.build"},
	destruct:       {"returns from the destructor", "pool Pool.destruct"},
	backoff:        {"runs out", "pool Pool.failedLocked"},
}

// A body is what a goroutine does under the lock.
type body uint8

const (
	nothing body = iota
	request
	try
	cancel
	passOn
	putBack
	takeBack
	closeLine
	shrink
	grow
	suspend
	resume
	loosePatience
	built
	buildFailed
	destructed
	backoffOver
	goOn // a long Unlock that has the lock again
	bodies
)

// codeOf names the function of the code that a body stands for.
var codeOf = [bodies]string{
	nothing:       "fairshare Line.readInboxes",
	request:       "fairshare Line.requestLocked",
	try:           "fairshare Line.TryAcquireLocked",
	cancel:        "fairshare Line.removeLocked",
	passOn:        "fairshare Line.passOn",
	putBack:       "fairshare Line.returnLocked",
	takeBack:      "pool Pool.takeBackLocked",
	closeLine:     "fairshare Line.CloseLocked",
	shrink:        "fairshare Line.ResizeLocked",
	grow:          "fairshare Line.ResizeLocked",
	suspend:       "fairshare Line.PauseLocked",
	resume:        "fairshare Line.PauseLocked",
	loosePatience: "fairshare Line.loosePatience",
	built:         "pool Pool.bornLocked",
	buildFailed:   "pool Pool.failedLocked",
	destructed:    "pool Pool.succeedLocked",
	backoffOver:   "pool Pool.balanceLocked",
	goOn:          "fairshare Line.unlock",
}

// A label says who does what on the way from one state to another.
type label struct {
	thread  uint8
	pc      pc
	outside bool // it is up to somebody outside whether it ever happens
	variant uint8
}

const isCancel = 0xfe // the variant of a context that ends

// mayNot reports whether it may never happen. A lease ends sooner or later, a
// constructor and a destructor return, and a backoff runs out.
func (l label) mayNot() bool { return l.pc == act || l.variant == isCancel }

func (sc *Scenario) describe(l label) string {
	who := fmt.Sprintf("goroutine %d", l.thread)
	switch {
	case l.thread == none:
		who = "somebody"
	case l.thread < firstActor:
		who = fmt.Sprintf("caller %d", l.thread)
	case l.thread < firstHelper:
		who = [...]string{"nobody", "Close", "Resize to less", "Resize to more", "Suspend", "Resume", "AcquireTimeout", "Revoke"}[sc.Actors[l.thread-firstActor]]
	}
	if l.variant == isCancel {
		return who + ": its context ends"
	}
	return fmt.Sprintf("%s: %s", who, steps[l.pc].what)
}

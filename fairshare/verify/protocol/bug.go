package protocol

// A Bug is a mistake, made on purpose, that an exploration has to find.
type Bug uint8

const (
	noBug Bug = iota
	noLookAfterFastUnlock
	noLookAfterSlowUnlock
	lookBeforeUnlock
	lookAtReturnsOnly
	lookAtArrivalsOnly
	takeInTwoSteps
	noTryAfterPut
	noServeAfterRounds
	cancelForgetsGrant
	lateGrantIsLost
	admitWhenClosed
	closeWakesFirst
	closeForgetsQueue
	wakeUnderLock
	generationAfterUnlock
	releaseTwice
	failedBuildKeepsPlace
	backoffForgetsWaiters
	destructorForgetsWaiters
	closedPoolKeepsReturned
	headroomForAll
	headroomForNobody
	putForgetsHeadroom
	tryUntilFree
	returnedIsLeftAgain
	waiterIsLeftAgain
	surplusIsReplaced
	bugs
)

func (b Bug) String() string {
	return [...]string{
		"none",
		"the short Unlock does not look at the inboxes again",
		"the long Unlock does not look at the inboxes again",
		"the inboxes are looked at before unlocking instead of after",
		"only the returns are looked at after unlocking",
		"only the arrivals are looked at after unlocking",
		"an inbox is read and emptied in two steps",
		"what was left in an inbox is left there without trying for the lock",
		"an Unlock that has served long enough leaves without a successor",
		"a cancelled waiter leaves although it was granted a slot",
		"a slot that was granted too late is not passed on",
		"a waiter from the inbox is queued although the line is closed",
		"Close wakes one waiter only",
		"Close wakes nobody",
		"waiters are told under the lock, on channels without a buffer",
		"the generation of a grant is read after unlocking",
		"Release does not ask whether the grant is finished",
		"a failed build keeps its place",
		"the end of a backoff starts nothing for those who wait",
		"the end of a destructor starts nothing for those who wait",
		"a pool that is closed keeps a resource that is returned",
		"the last slots are granted to anybody",
		"the last slots are granted to nobody",
		"a slot is handed on without a look at the headroom",
		"whoever finds the lock taken tries again until it is free",
		"a slot from the inbox that nobody waits for is left there again",
		"a waiter from the inbox that has to wait on is left there again",
		"a resource that nobody waits for is destroyed, and replaced",
	}[b]
}

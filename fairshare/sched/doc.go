// Package sched decides who is granted the next of N indistinguishable slots,
// when holding times are unknown in advance and a slot is never taken away.
//
// It is plain data. There are no goroutines, locks, channels or clocks: time is
// an argument, decisions are return values, and package fairshare performs
// them.
//
// # The rule
//
//	Grant to the waiting tenant whose service, projected one horizon ahead, is
//	least.
//
// For a tenant with weight w that holds h slots, S is the slot-time over weight
// that it was charged so far, and R is the horizon, by default about the
// mean holding time of the whole pool: a single hold at most doubles it. The tenant with the least
//
//	K = S + R*h/w
//
// is next: what it has had, plus what it holds now is still going to cost.
//
// With R at zero this is pure slot-time fairness, right in the long run; but
// when N slots come free together all N go to one tenant, and the next time
// all N to the other. With R at infinity it is max-min fairness on what is in
// use; steady, but without memory, so that a tenant with holds of 10 ms gets 1%
// of the slot-time beside one with holds of 1 s. With R at the mean holding
// time, each slot granted counts as if it were already paid for, which
// staggers the grants, and every error that the projection made is corrected
// by the service charged later.
//
// # What is charged
//
// What a tenant holds while nobody waits costs it nothing: S grows at h/w only
// while some tenant is backlogged, which is to say has a waiter and is not at
// its cap. One that is the only one to wait is charged like the others: its
// service is V then, see below, so what it had of the slots that nobody else
// wanted is not held against it later, and those that hold a slot beside it are
// not in debt for that. S is charged as time passes, not on return: a slot held
// for an hour counts for an hour already.
//
// # Coming and going
//
// V is the greatest value that the least S among the backlogged has ever had. A
// tenant whose queue becomes empty counts among them until another slot is granted
// or it waits again: until then its absence made no difference. Without that, a
// heavy tenant with one worker more than there are slots would be absent for an
// instant after each of its grants, and V would leap to the S of a light tenant,
// whose debt would be forgotten.
//
// A tenant that becomes backlogged has its S raised to V - B/w. So an absence earns
// B of slot-time. B is two mean holding times at least, whatever Burst says: with
// less, tenants whose queues are empty while they hold a slot would lose their place.
//
// S falls only with a change of weight. What a tenant is ahead of V or behind
// it counts as slot-time then, so S is scaled around V: neither leaving and
// coming back nor a change of weight wipes a debt or multiplies a credit.
//
// Nobody keeps more slots than it asks for. A tenant of weight 100 with 4 workers
// has 3.2 of 4 slots beside one of weight 1 with 5, where 3.96 would be its part:
// when it releases the fourth slot none of its workers waits. With a fifth worker
// it has its part.
//
// # Newcomers
//
// A tenant that was never charged starts at the level: the weighted mean S of the
// backlogged tenants that were charged before, and V at least. If newcomers started
// at V, those that wait would hold V where it is, and a stream of names that are
// used once would be served before everybody else. As it is, k names used once
// get about what k steady tenants with one request each would get, where holds
// are alike: .633 of 4 slots for 8 names beside 5 steady tenants, where .615 is
// even. A newcomer that gives up and asks again goes on where it stood, as far as
// the level can have risen meanwhile. A name that was used for a tiny request earns
// credit by its absence. With 154 such names at a time, each used once more, a
// caller had .77 of 4 slots beside 5 steady tenants, where 154 names that are
// kept have .97.
//
// A name that is never used again leaves its debt behind. With holds of 1 s beside
// holds of 100 ms the same 8 names get .926. No rule that does not know the holds in
// advance can prevent that. Names that are used again are tenants, and k
// tenants have k shares.
//
// Departed tenants are remembered up to a bound, those in debt longer.
//
// # Promises
//
// Tenants that hold fewer slots than their Min come before all others, the
// least held/Min first. A tenant at its Max, or in strict mode at the limit
// times its weight, is not backlogged. The last Headroom free slots go to
// tenants that hold none.
//
// # Several slots at once
//
// A request of n slots waits in its tenant's queue like any other and holds nothing
// meanwhile. It gets all of them or none, and is charged for n while it holds them.
// If its turn comes while fewer are free, slots are collected for it: nobody else
// gets one until it has its own, except tenants below their Min and, from the
// headroom, tenants that hold nothing. Slots are collected for one request at a time.
//
// What is kept for a request while others wait is charged to its tenant when the
// collecting ends, however it ends. So the slots that stay idle come out of the
// tenant's own share.
//
// One slot that does not come back makes collecting vain. So after P, which is 16
// mean holding times and 10 ms at least, the tenant is charged, and the turn
// is that of the least K again. P doubles each time that this happens to a request.
// It is also that of the least K when somebody comes while nobody else waited.
//
// Slots that the tenant itself holds are not collected for it: while it holds so many
// that n more exceed the capacity or its cap, it is not backlogged. A request
// counts as below the Min only if it fits in the Min.
//
// # Cost
//
// S(t) = a + (h/w)*c, where c is the time during which somebody was backlogged,
// so K = a + (h/w)*(c+R): among tenants of equal h/w the order depends on a
// alone, which does not change while a tenant waits, and R may change freely.
// There is one heap for each class of equal h/w in use, and the tops are
// compared. Tenants that hold nothing are one class, and those
// that hold something are at most N. Each operation costs O(log n + classes)
// for n backlogged tenants.
//
// # Bounds
//
// Let H be the longest hold, m the most slots that a tenant holds, and R the
// greatest horizon in an interval. For tenants f and g that stay backlogged and
// below any cap throughout it, or whose queues are empty only while no slot is
// granted,
//
//	|dS_f - dS_g| <= (H+R)(m_f/w_f + m_g/w_g) + B(1/w_f + 1/w_g).
//
// For f is granted a slot only when S_f + R*h_f/w_f <= S_g + R*h_g/w_g, so
// that S_f leads by at most R*h_g/w_g then, and what f holds adds at most
// H*m_f/w_f after its last grant; the same holds the other way round.
//
// A waiter without debt, which stands at V at most, is served within
//
//	H + sum(m*H + B)/N,
//
// summed over its rivals, whatever the weights. All slots are taken for H at first.
// From then on all N slots serve rivals until its turn: each may spend the B
// by which it may stand below V, and hold m slots for H beyond it. A newcomer stands
// at the level instead, and is served within
//
//	H + sum(m*H + (H+R)*m + B)/N
//
// beside rivals that stay backlogged: by the nature of a mean those below the level
// are as far below, in slot-time, as others are above, which is (H+R)*m + B for
// each at most.
//
// Requests of several slots add G = (n-1)*max(P, 2H), the most slot-time that is kept
// for one before it is charged: in the first bound G/w for each tenant that
// makes them, in the second G for each such rival. Nobody is kept waiting by one
// collecting for longer than max(P, 2H).
//
// A request of n slots whose turn has come is granted within H if H is P at most:
// nothing else is granted meanwhile, so all slots come back. Otherwise collecting
// is in vain while its period is shorter than H, and all its periods together are
// at most 4H. After each of them, rivals of weight W together are served until they
// have had as much, which takes W/w of the period at most. So the request is granted
// within 4H*(1+W/w) and, for each of the log2(H/P) periods in vain, the wait of a
// waiter without debt. With the horizon Instant nothing is charged, and the turn
// passes only to tenants that hold less.
//
// # Sources
//
// In-use order with weights: CockroachDB's admission queue; its issue 91533
// describes what the lack of history costs. Virtual time with provisional
// charges: Kubernetes API Priority and Fairness, KEP-1040. Start-time fair
// queueing and its bound for N servers: Goyal, Vin, Cheng, SIGCOMM 1996; Jin,
// Chase, Kaur, SIGMETRICS 2004. Counters lifted on return: Sheng et al.,
// Fairness in Serving Large Language Models, OSDI 2024. Staggering over many
// workers: Mace et al., 2DFQ, SIGCOMM 2016.
package sched

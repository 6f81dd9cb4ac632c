// Package chromedpfair shares the tabs of real browsers fairly among tenants.
// A Pool is a pool.Pool of tabs driven with chromedp: who waits, and who is
// next, is decided as package pool says; this package sees to it that there are
// tabs, that they are clean, and that nobody waits for one that is dead.
//
//	err := tabs.Do(ctx, "tenant-1", func(ctx context.Context) error {
//		return chromedp.Do(ctx, chromedp.Navigate("https://example.com"))
//	})
//
// # Tabs
//
// By default each lease gets a tab in a browser context of its own, so that
// cookies, storage, caches, service workers, permissions and logins are its own
// and end with it, popups included. A few tabs are kept ready, so that nobody
// waits for one to be opened while there are any.
//
// With ReuseSameTenant each tenant has one browser context, which its tabs share:
// who has logged in once is logged in with every lease, in parallel ones too,
// until the context makes way for those of others (MaxContexts) or its browser
// is replaced. A tab is kept for its tenant and cleaned after each lease: the
// page is left, its popups are closed, name and history are forgotten, and the
// session with the browser is replaced, to which all belongs that a lease can
// set on a page: headers, emulation, interception, injected scripts, exposed
// functions. A tab that does not become clean, such as one whose clock has been
// stopped, and one whose lease has failed, is closed instead. The next lease of the
// tenant waits until its tab is clean, which takes a second at most while the browser
// answers promptly; other tenants do not wait for that.
//
// No tab ever serves two tenants: beside the pool, the tab itself refuses to.
// Downloads are denied unless the holder allows them. A browser has one
// clipboard: it is emptied before a lease if another tenant may have used it.
//
// Tenants are kept apart as far as pages go. The Go code of a lease is trusted:
// it could send commands to the whole browser.
//
// # What goes wrong
//
// The context of a lease ends, with a *LostError as the cause, when the page
// crashes or closes, and when the browser dies, hangs or is killed. chromedp by
// itself would wait for an answer from a crashed page until the deadline. What
// is broken is cleaned up out of the holder's way, and a browser that is gone
// is replaced: by one launch at a time, with growing pauses if that fails. A
// tenant pays for the replacement of a tab whose page crashed, as for any
// resource that it wrecked; for that of a browser nobody pays.
//
// A page that hangs in a script without end may be what its tenant wants: the
// caller's deadline ends the lease, and the tab is closed over the page's head.
// With Health.HangAfter such a page is lost, found out by asking it now and
// then. A page whose server does not answer does not hang: only the caller knows
// how long it is worth waiting. Nor does one with a dialog; what becomes of those
// Config.Dialogs says.
//
// # Browsers
//
// A pool has up to Browsers browsers, launched as they are needed or connected
// to. A launched one leads a process group of its own, which is all that is ever
// killed, and has a profile folder of its own, which is removed at its end; if
// this process does not live to see that, the next one to call New with the same
// ProfileRoot removes it. A browser is replaced when it has served for long
// enough, see Retire, and when it does not answer, see Health. Whatever its
// state, it takes one of the Browsers places until no process of it runs.
//
// On Linux a browser does not outlive this process, however that ends, and
// where this process is init, as in many containers, it leaves no zombies. On
// Windows there are no process groups: the browser itself is killed, and its
// children end when they notice. The memory of a browser is known on Linux only.
package chromedpfair

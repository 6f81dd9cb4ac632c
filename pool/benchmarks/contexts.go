package main

import "context"

// A contextKind is what an acquire is bounded by. One that can end makes a
// waiter listen to two channels.
type contextKind struct {
	name string
	new  func() (context.Context, context.CancelFunc)
}

var (
	background = contextKind{"Background", func() (context.Context, context.CancelFunc) {
		return context.Background(), func() {}
	}}
	cancellable = contextKind{"cancellable", func() (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancel(context.Background())
		ctx.Done() // makes the channel
		return ctx, cancel
	}}
)

package main

import "context"

// A buffered channel of resources, as many a program has for a pool. The
// runtime hands a released resource to the receiver that has waited longest.
var channelPeer = peer{"a buffered channel", "resources, first come", false, openChannel}

type channelLender struct {
	idle chan *int
}

func openChannel(slots int) (lender, error) {
	l := channelLender{make(chan *int, slots)}
	for range slots {
		l.idle <- new(int)
	}
	return l, nil
}

func (l channelLender) Cycle(ctx context.Context, _ string) error {
	select {
	case resource := <-l.idle:
		l.idle <- resource
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l channelLender) Hold(ctx context.Context, _ string) (func(), error) {
	select {
	case resource := <-l.idle:
		return func() { l.idle <- resource }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l channelLender) Close() {}

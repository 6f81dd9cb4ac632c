package pgfleet_test

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/fleet"
	"github.com/fairpool/fairpool/adapters/pgfleet"
	"github.com/fairpool/fairpool/adapters/throwaway"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
)

// A network passes on what is sent to a server. While it is silent the answers are lost, also those to
// connections that are made meanwhile, and nobody is told.
type network struct {
	listener net.Listener
	silent   atomic.Bool
}

func networkTo(t *testing.T, server string) *network {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	n := &network{listener: listener}
	var running sync.WaitGroup
	ctx, end := context.WithCancel(context.Background())
	t.Cleanup(func() { end(); listener.Close(); running.Wait() })
	running.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			upstream, err := net.Dial("tcp", server)
			if err != nil {
				client.Close()
				continue
			}
			context.AfterFunc(ctx, func() { client.Close(); upstream.Close() })
			running.Go(func() { _, _ = io.Copy(upstream, client); upstream.Close() })
			running.Go(func() { n.answer(client, upstream); client.Close() })
		}
	})
	return n
}

// answer passes on the answers. A connection that has lost one is of no more use.
func (n *network) answer(client io.Writer, upstream io.Reader) {
	buffer := make([]byte, 32<<10)
	for lost := false; ; {
		size, err := upstream.Read(buffer)
		lost = lost || n.silent.Load()
		if err != nil {
			return
		}
		if lost {
			continue
		}
		if _, err := client.Write(buffer[:size]); err != nil {
			return
		}
	}
}

// With a pool as anybody makes one: its dials have no timeout of their own.
func TestAnEngineIsBackAsSoonAsTheNetworkIs(t *testing.T) {
	server := throwaway.PostgresFor(t, throwaway.PostgresConfig{})
	require.NoError(t, pgfleet.Migrate(t.Context(), connect(t, server.URL("postgres"))))
	n := networkTo(t, server.Addr())
	db, err := pgxpool.New(t.Context(), "postgres://postgres@"+n.listener.Addr().String()+"/postgres?sslmode=disable")
	require.NoError(t, err)
	t.Cleanup(func() { go db.Close() })
	engine, err := pgfleet.New(t.Context(), db, "connections")
	require.NoError(t, err)
	r := request
	sync := func(patience time.Duration) (fleet.Reply, error) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		r.Seq++
		return engine.Sync(ctx, r)
	}
	reply, err := sync(time.Minute)
	require.NoError(t, err)
	r.Token = reply.Token

	n.silent.Store(true)
	for range 12 {
		_, err = sync(100 * time.Millisecond)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}
	n.silent.Store(false)
	reply, err = sync(10 * time.Second)
	require.NoError(t, err)
	require.Equal(t, fleet.OK, reply.Status)
	r.Leave = true
	_, err = sync(10 * time.Second)
	require.NoError(t, err)
}

package httpfair_test

import (
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/httpfair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

func TestABodyThatIsNotClosedIsReported(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 1})
	leaks := make(chan httpfair.Leak, 2)
	client, transport := newClient(t, sem, httpfair.TransportOptions{
		LeakAfter: 50 * time.Millisecond,
		Leak:      func(l httpfair.Leak) { leaks <- l },
	})
	server := newServer(t, text("hello"))
	resp := get(t, client, server.URL+"/path?secret=1", "a")
	leak := <-leaks
	require.Equal(t, "a", leak.Tenant)
	require.Equal(t, "GET "+server.URL+"/path", leak.Request)
	require.GreaterOrEqual(t, leak.Held, 50*time.Millisecond)
	require.Contains(t, leak.Stack, "httpfair_test.get", "where the request was made")
	require.False(t, leak.Ended || leak.Lost)
	require.EqualValues(t, 1, transport.Stats().Leaks)
	require.Equal(t, 1, sem.Stats().InUse, "it may still be read")

	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, "hello", string(body))
	require.True(t, (<-leaks).Ended)
	require.NoError(t, resp.Body.Close())
}

// Bodies that were dropped give their slots back, and their connections, once
// the garbage collector has noticed.
func TestBodiesThatAreDroppedAreReportedAndClosed(t *testing.T) {
	const lost = 20
	sem := newSemaphore(t, fairshare.Config{Capacity: lost})
	leaks := make(chan httpfair.Leak, lost)
	client, transport := newClient(t, sem, httpfair.TransportOptions{Leak: func(l httpfair.Leak) { leaks <- l }})
	server := newServer(t, text(strings.Repeat("more than a buffer holds", 100_000)))
	for i := range lost {
		resp := get(t, client, server.URL, "a")
		if i%2 == 0 {
			resp.Body.Read(make([]byte, 10))
		}
	}
	for range lost {
		leak := collect(t, leaks)
		require.True(t, leak.Lost)
		require.Contains(t, leak.Stack, "httpfair_test.get")
	}
	eventually(t, func() bool { return sem.Stats().InUse == 0 })
	require.EqualValues(t, lost, transport.Stats().Lost)
	// That no goroutine of a connection is left, the end of all tests sees.
}

func collect(t *testing.T, leaks <-chan httpfair.Leak) httpfair.Leak {
	t.Helper()
	for ctx := within(t); ; {
		runtime.GC()
		select {
		case l := <-leaks:
			return l
		case <-ctx.Done():
			t.Fatal("nothing was noticed")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// A body that is being read, by nothing but a call to its Read, is not lost.
func TestABodyThatIsReadSlowlyIsNotLost(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 1})
	client, transport := newClient(t, sem, httpfair.TransportOptions{})
	more := make(chan struct{})
	server := newServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).Flush()
		<-more
		io.WriteString(w, "at last")
	}))
	read := make(chan string)
	go func() {
		body, _ := io.ReadAll(get(t, client, server.URL, "a").Body)
		read <- string(body)
	}()
	eventually(t, func() bool { return sem.Stats().InUse == 1 })
	for range 20 {
		runtime.GC()
		time.Sleep(time.Millisecond) // the cleanup, if there were one, has a goroutine of its own
	}
	close(more)
	require.Equal(t, "at last", <-read)
	require.Zero(t, transport.Stats().Lost)
}

package httpfair_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/adapters/httpfair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

// hangUp has a client of the server hang up while its request is queued, and
// reports whether the request left the queue for it.
func hangUp(t *testing.T, opt httpfair.Options, http2 bool, r *http.Request) (noticed bool) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 1})
	server := httptest.NewUnstartedServer(fair(t, sem, opt, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
	}))
	server.EnableHTTP2 = http2
	if http2 {
		server.StartTLS()
	} else {
		server.Start()
	}
	defer server.Close()
	held, err := sem.Acquire(t.Context(), "holder")
	require.NoError(t, err)
	defer held.Release()

	ctx, cancel := context.WithCancel(within(t))
	r = r.WithContext(ctx)
	var errParse error
	r.URL, errParse = r.URL.Parse(server.URL)
	require.NoError(t, errParse)
	done := make(chan error, 1)
	go func() {
		resp, err := server.Client().Do(r)
		if err == nil {
			resp.Body.Close()
		}
		done <- err
	}()
	eventually(t, func() bool { return sem.Stats().Waiting == 1 })
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
	limit := 20 * time.Second
	if !http2 && opt.ReadAhead != 0 && r.ContentLength > opt.ReadAhead {
		limit = 200 * time.Millisecond // it is not going to be noticed
	}
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if sem.Stats().Waiting == 0 {
			require.EqualValues(t, 1, sem.Stats().Canceled)
			return true
		}
	}
	return false
}

func TestAClientThatHangsUpWhileQueuedLeavesTheQueue(t *testing.T) {
	const text = "a body"
	require.True(t, hangUp(t, httpfair.Options{}, false, ask("GET", "/", "a", nil)))
	require.True(t, hangUp(t, httpfair.Options{}, true, ask("GET", "/", "a", nil)))
	require.True(t, hangUp(t, httpfair.Options{}, true, ask("POST", "/", "a", strings.NewReader(text))))
	require.True(t, hangUp(t, httpfair.Options{}, false, ask("POST", "/", "a", strings.NewReader(text))))
	require.True(t, hangUp(t, httpfair.Options{ReadAhead: int64(len(text))}, false, ask("POST", "/", "a", strings.NewReader(text))))

	// This is what ReadAhead is for.
	require.False(t, hangUp(t, httpfair.Options{ReadAhead: -1}, false, ask("POST", "/", "a", strings.NewReader(text))))
	require.False(t, hangUp(t, httpfair.Options{ReadAhead: int64(len(text)) - 2}, false, ask("POST", "/", "a", strings.NewReader(text))))
}

func TestManyClientsThatHangUpLeaveNothingBehind(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 2})
	server := newServer(t, fair(t, sem, httpfair.Options{ReadAhead: 1024}, func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(2 * time.Millisecond)
	}))
	const clients = 100
	served := make(chan bool, clients)
	for i := range clients {
		go func() {
			ctx := context.Context(within(t))
			if i%2 == 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, time.Duration(i)*time.Millisecond/2)
				defer cancel()
			}
			resp, err := server.Client().Do(ask("POST", server.URL, "a", strings.NewReader("x")).WithContext(ctx))
			if err == nil {
				resp.Body.Close()
			}
			served <- err == nil
		}()
	}
	patient := 0
	for range clients {
		if <-served {
			patient++
		}
	}
	require.GreaterOrEqual(t, patient, clients/2)
	eventually(t, func() bool { return sem.Stats().InUse == 0 && sem.Stats().Waiting == 0 })
}

// queued has a request wait for a slot for a second before it is handled. It has to
// run in a bubble.
func queued(t *testing.T, opt httpfair.Options, outer func(http.Handler) http.Handler, r *http.Request, h http.HandlerFunc) *httptest.ResponseRecorder {
	t.Helper()
	sem, err := fairshare.NewSemaphore(fairshare.Config{Capacity: 1})
	require.NoError(t, err)
	held, err := sem.Acquire(t.Context(), "holder")
	require.NoError(t, err)
	time.AfterFunc(time.Second, held.Release)
	return do(outer(fair(t, sem, opt, h)), r)
}

func plain(h http.Handler) http.Handler { return h }

func TestTheBodyIsTheSameWithReadAhead(t *testing.T) {
	for _, ahead := range []int64{-1, 0, 1, 99, 100, 101, 1 << 20} {
		for _, chunked := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				text := strings.Repeat("0123456789", 10)
				r := ask("POST", "/", "a", iotest.OneByteReader(strings.NewReader(text)))
				if !chunked {
					r.ContentLength = 100
				}
				got := queued(t, httpfair.Options{ReadAhead: ahead}, plain, r, func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) })
				require.Equal(t, text, got.Body.String())
			})
		}
	}
}

func TestTheHandlerLearnsWhatWentWrongReadingAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limited := func(h http.Handler) http.Handler { return http.MaxBytesHandler(h, 9) }
		queued(t, httpfair.Options{}, limited, ask("POST", "/", "a", strings.NewReader("0123456789")), func(w http.ResponseWriter, r *http.Request) {
			text, err := io.ReadAll(r.Body)
			require.Equal(t, "012345678", string(text))
			var tooLong *http.MaxBytesError
			require.ErrorAs(t, err, &tooLong)
		})
	})
}

// panicking is a body of somebody else's.
type panicking struct{ io.ReadCloser }

func (panicking) Read([]byte) (int, error) { panic("broken body") }

func TestAPanicWhileReadingAheadIsThatOfTheHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		require.PanicsWithValue(t, "broken body", func() {
			queued(t, httpfair.Options{}, plain, ask("POST", "/", "a", panicking{}), func(w http.ResponseWriter, r *http.Request) {
				io.ReadAll(r.Body)
			})
		})
	})
}

// A client that waits for an answer to the first part of its body gets it, also if
// the body is still being read ahead.
func TestWhatWasReadAheadIsThereBeforeTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body, client := io.Pipe()
		answered := make(chan struct{})
		go func() {
			io.WriteString(client, "question")
			<-answered
			io.WriteString(client, "thanks")
			client.Close()
		}()
		queued(t, httpfair.Options{}, plain, ask("POST", "/", "a", body), func(w http.ResponseWriter, r *http.Request) {
			text := make([]byte, 8)
			_, err := io.ReadFull(r.Body, text)
			require.NoError(t, err)
			require.Equal(t, "question", string(text))
			close(answered)
			rest, err := io.ReadAll(r.Body)
			require.NoError(t, err)
			require.Equal(t, "thanks", string(rest))
		})
	})
}

func TestARefusalDoesNotWaitForASlowUpload(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 1, AcquireTimeout: 100 * time.Millisecond})
	server := newServer(t, fair(t, sem, httpfair.Options{}, func(w http.ResponseWriter, r *http.Request) { t.Error("handled") }))
	held, err := sem.Acquire(t.Context(), "holder")
	require.NoError(t, err)
	defer held.Release()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: x\r\nX-Tenant: a\r\nContent-Length: 20000\r\n\r\n0123456789")
	conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
}

func TestNothingIsReadAheadOfAClientThatWaitsToBeAsked(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 1})
	sem.Close()
	h := fair(t, sem, httpfair.Options{ReadAhead: 1000}, nil)
	body := strings.NewReader("0123456789")
	r := ask("POST", "/", "a", body)
	r.Header.Set("Expect", "100-continue")
	require.Equal(t, http.StatusServiceUnavailable, do(h, r).Code)
	require.Equal(t, 10, body.Len())
}

package debugfair_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/adapters/debugfair"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// serve serves the page until those who watch at the end of the test are gone.
func serve(t *testing.T, h http.Handler) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server
}

// An event is a server-sent one.
type event struct{ kind, id, data string }

// A reader reads a stream of events.
type reader struct {
	t    *testing.T
	body io.Closer
	scan *bufio.Scanner
}

func watch(t *testing.T, url, last string) *reader {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	require.NoError(t, err)
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	t.Cleanup(func() { response.Body.Close() })
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Equal(t, "text/event-stream", response.Header.Get("Content-Type"))
	scan := bufio.NewScanner(response.Body)
	scan.Buffer(nil, 64<<20)
	return &reader{t, response.Body, scan}
}

// next returns the next event, or false at the end of the stream.
func (r *reader) next() (e event, ok bool) {
	for r.scan.Scan() {
		name, value, _ := strings.Cut(r.scan.Text(), ": ")
		switch name {
		case "event":
			e.kind = value
		case "id":
			e.id = value
		case "data":
			e.data = value
		case "":
			return e, true
		}
	}
	return e, false
}

// missed is what a stream begins with.
type missed struct {
	Whole bool
	At    []int64
	Pools []struct {
		Name     string
		Held     [][]int
		Capacity []int
	}
	Frame shown
}

func (r *reader) backlog() (e event, m missed) {
	r.t.Helper()
	e, ok := r.next()
	require.True(r.t, ok)
	require.Equal(r.t, "backlog", e.kind)
	require.NoError(r.t, json.Unmarshal([]byte(e.data), &m))
	return e, m
}

func quick(source debugfair.Source) debugfair.Config {
	return debugfair.Config{Pools: []debugfair.Pool{{Name: "p", Source: source}}, Every: 100 * time.Millisecond}
}

func TestAReaderThatComesBackGetsWhatItHasMissedAndNothingTwice(t *testing.T) {
	_, source := seats(t, 3)
	server := serve(t, newPage(t, quick(source)))

	r := watch(t, server.URL+"/events", "")
	_, all := r.backlog()
	require.True(t, all.Whole)
	times := all.At
	var last event
	for range 3 {
		e, ok := r.next()
		require.True(t, ok)
		var f shown
		require.NoError(t, json.Unmarshal([]byte(e.data), &f))
		require.Equal(t, e.id, f.ID)
		times = append(times, f.At)
		last = e
	}
	r.body.Close()

	other := watch(t, server.URL+"/events", "") // so that there is something to miss
	other.backlog()
	for range 4 {
		_, ok := other.next()
		require.True(t, ok)
	}
	for _, again := range []*reader{
		watch(t, server.URL+"/events", last.id),
		watch(t, server.URL+"/events?after="+last.id, ""),
	} {
		_, m := again.backlog()
		require.False(t, m.Whole)
		require.GreaterOrEqual(t, len(m.At), 3)
		require.Len(t, m.Pools[0].Capacity, len(m.At))
		require.Greater(t, m.At[0], times[len(times)-1])
		require.Equal(t, m.Frame.At, m.At[len(m.At)-1])
		_, whole := watch(t, server.URL+"/events", "").backlog()
		require.Equal(t, append(times[:len(times):len(times)], m.At...), whole.At[:len(times)+len(m.At)])
	}
}

func TestAReaderOfAnotherPageGetsEverything(t *testing.T) {
	_, source := seats(t, 3)
	server := serve(t, newPage(t, quick(source)))
	for _, last := range []string{"other-1", "nonsense", "-", strings.Repeat("9", 99)} {
		_, m := watch(t, server.URL+"/events", last).backlog()
		require.True(t, m.Whole, last)
		require.NotEmpty(t, m.At)
	}
	e, _ := watch(t, server.URL+"/events", "").backlog()
	boot, _, _ := strings.Cut(e.id, "-")
	_, m := watch(t, server.URL+"/events", boot+"-999999").backlog()
	require.True(t, m.Whole, "a number that has not been")
}

func TestASlowReaderIsDroppedAndHoldsUpNobody(t *testing.T) {
	s, source := seats(t, 1000)
	for i := range 1000 { // so that a frame is large
		_, err := s.Acquire(t.Context(), fmt.Sprintf("%s %d", strings.Repeat("tenant", 9), i))
		require.NoError(t, err)
	}
	page := newPage(t, quick(source))
	server := httptest.NewUnstartedServer(page)
	server.Config.ConnState = func(c net.Conn, state http.ConnState) {
		if tcp, ok := c.(*net.TCPConn); ok && state == http.StateNew {
			_ = tcp.SetWriteBuffer(4096)
		}
	}
	server.Start()
	t.Cleanup(server.Close)

	// It asks and never reads.
	slow, err := net.DialTCP("tcp", nil, server.Listener.Addr().(*net.TCPAddr))
	require.NoError(t, err)
	defer slow.Close()
	require.NoError(t, slow.SetReadBuffer(4096))
	fmt.Fprintf(slow, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
	require.Eventually(t, func() bool { return page.Watching() == 1 }, 20*time.Second, 5*time.Millisecond)

	quick := watch(t, server.URL+"/events", "")
	quick.backlog()
	var before shown
	gaps := time.Duration(0)
	for deadline := time.Now().Add(time.Minute); page.Watching() > 1; {
		require.True(t, time.Now().Before(deadline), "the slow one is still there")
		e, ok := quick.next()
		require.True(t, ok)
		var f shown
		require.NoError(t, json.Unmarshal([]byte(e.data), &f))
		if before.At > 0 {
			gaps = max(gaps, time.Duration(f.At-before.At)*time.Millisecond)
		}
		before = f
	}
	t.Logf("dropped; the other was never without news for longer than %v", gaps)
	require.Less(t, gaps, 5*time.Second, "which is less than a write may take")
}

func TestThereIsAnEndToHowManyWatch(t *testing.T) {
	_, source := seats(t, 3)
	server := serve(t, newPage(t, quick(source)))
	var all []*reader
	for range 32 {
		all = append(all, watch(t, server.URL+"/events", ""))
	}
	response, err := http.Get(server.URL + "/events")
	require.NoError(t, err)
	response.Body.Close()
	require.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
	require.NotEmpty(t, response.Header.Get("Retry-After"))
	all[0].body.Close()
	require.Eventually(t, func() bool {
		response, err := http.Get(server.URL + "/events")
		require.NoError(t, err)
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	}, 20*time.Second, 10*time.Millisecond)
}

func TestCloseEndsStreamsSoThatAServerCanShutDown(t *testing.T) {
	_, source := seats(t, 3)
	page := newPage(t, quick(source))
	server := serve(t, page)
	r := watch(t, server.URL+"/events", "")
	r.backlog()
	server.Config.RegisterOnShutdown(page.Close)
	require.NoError(t, server.Config.Shutdown(t.Context()))
	for ok := true; ok; {
		_, ok = r.next()
	}
}

func TestAPageLooksLessOftenWhileNobodyWatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, source := seats(t, 3)
		page, err := debugfair.New(debugfair.Config{Pools: []debugfair.Pool{{Name: "p", Source: source}}})
		require.NoError(t, err)
		defer page.Close()
		samples := func() (n int) {
			_, number, _ := strings.Cut(look(t, page).ID, "-")
			_, err := fmt.Sscan(number, &n)
			require.NoError(t, err)
			return n
		}
		synctest.Wait()
		require.Equal(t, 1, samples(), "at once")
		time.Sleep(10*time.Second + time.Millisecond)
		synctest.Wait()
		require.Equal(t, 1+5, samples())

		// Somebody comes, and is not kept waiting.
		w := &recorder{ResponseRecorder: httptest.NewRecorder()}
		r := request("GET", "/events").WithContext(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			page.ServeHTTP(w, r)
		}()
		time.Sleep(time.Second)
		synctest.Wait()
		require.Equal(t, 6+2, samples())
		time.Sleep(10 * time.Second)
		synctest.Wait()
		require.Equal(t, 6+22, samples())
		page.Close()
		<-done
		require.Equal(t, 1+22, strings.Count(w.Body.String(), "\n\n"))
	})
}

// slowSource takes its time.
type slowSource struct{ debugfair.Source }

func (s slowSource) Holders() iter.Seq[pool.Holder] {
	time.Sleep(400 * time.Millisecond)
	return s.Source.Holders()
}

func TestAPageSpendsATwentiethOfTheTimeOnLooking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, source := seats(t, 3)
		page, err := debugfair.New(debugfair.Config{Pools: []debugfair.Pool{{Name: "p", Source: slowSource{source}}}})
		require.NoError(t, err)
		defer page.Close()
		time.Sleep(10 * time.Minute)
		_, number, _ := strings.Cut(look(t, page).ID, "-")
		samples, err := strconv.Atoi(number)
		require.NoError(t, err)
		require.InDelta(t, 600/8.4, samples, 3)
	})
}

// A recorder has deadlines, as a server's ResponseWriter does.
type recorder struct{ *httptest.ResponseRecorder }

func (recorder) SetWriteDeadline(time.Time) error { return nil }

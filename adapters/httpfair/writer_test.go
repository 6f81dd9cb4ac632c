package httpfair_test

import (
	"bufio"
	"bytes"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/httpfair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

func TestTheResponseWriterIsTheServersOwn(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 1})
	var outside http.ResponseWriter
	inside := fair(t, sem, httpfair.Options{}, func(w http.ResponseWriter, r *http.Request) {
		require.Same(t, outside, w)
		c := http.NewResponseController(w)
		require.NoError(t, c.SetReadDeadline(time.Now().Add(time.Minute)))
		require.NoError(t, c.SetWriteDeadline(time.Now().Add(time.Minute)))
		require.NoError(t, c.EnableFullDuplex())
		require.NoError(t, c.Flush())
	})
	server := newServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		outside = w
		inside.ServeHTTP(w, r)
	}))
	resp, err := server.Client().Do(ask("GET", server.URL, "a", nil))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode)
}

func TestAStreamedResponseHoldsItsSlotUntilItEnds(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 1})
	more := make(chan struct{})
	server := newServer(t, fair(t, sem, httpfair.Options{}, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "first\n")
		require.NoError(t, http.NewResponseController(w).Flush())
		<-more
		io.WriteString(w, "second\n")
	}))
	resp, err := server.Client().Do(ask("GET", server.URL, "a", nil))
	require.NoError(t, err)
	defer resp.Body.Close()
	lines := bufio.NewReader(resp.Body)
	line, err := lines.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "first\n", line)
	require.Equal(t, 1, sem.Stats().InUse)
	close(more)
	line, err = lines.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "second\n", line)
	eventually(t, func() bool { return sem.Stats().InUse == 0 })
}

func TestAHijackedConnectionHoldsItsSlotUntilTheHandlerReturns(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 1})
	returned := make(chan net.Conn, 1)
	server := newServer(t, fair(t, sem, httpfair.Options{}, func(w http.ResponseWriter, r *http.Request) {
		conn, buffered, err := http.NewResponseController(w).Hijack()
		require.NoError(t, err)
		line, err := buffered.ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, 1, sem.Stats().InUse)
		_, err = conn.Write([]byte("you said " + line))
		require.NoError(t, err)
		returned <- conn
	}))
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\nhello\n")
	require.NoError(t, err)
	line, err := bufio.NewReader(conn).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "you said hello\n", line)
	eventually(t, func() bool { return sem.Stats().InUse == 0 })
	(<-returned).Close()
}

func TestAnAbortedHandlerAbortsTheResponse(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 1})
	server := newServer(t, fair(t, sem, httpfair.Options{}, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "half of it")
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}))
	resp, err := server.Client().Do(ask("GET", server.URL, "a", nil))
	require.NoError(t, err)
	defer resp.Body.Close()
	_, err = io.ReadAll(resp.Body)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	eventually(t, func() bool { return sem.Stats().InUse == 0 })
}

// The server removes the files of the forms of requests that it knows of.
func TestTheFilesOfAFormAreRemoved(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Setenv("TMP", dir) // on Windows
	sem := newSemaphore(t, fairshare.Config{Capacity: 1})
	files := func() int {
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		return len(entries)
	}
	handler := func(w http.ResponseWriter, r *http.Request) {
		require.NoError(t, r.ParseMultipartForm(1))
		require.Equal(t, 1, files())
	}
	for _, h := range []http.Handler{
		fair(t, sem, httpfair.Options{}, handler),
		httpfair.Identify(httpfair.Header("X-Tenant"))(http.HandlerFunc(handler)),
	} {
		server := newServer(t, h)
		var form bytes.Buffer
		w := multipart.NewWriter(&form)
		part, err := w.CreateFormFile("file", "name")
		require.NoError(t, err)
		part.Write(bytes.Repeat([]byte("x"), 100))
		require.NoError(t, w.Close())
		r := ask("POST", server.URL, "a", &form)
		r.Header.Set("Content-Type", w.FormDataContentType())
		resp, err := server.Client().Do(r)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, http.StatusOK, resp.StatusCode)
		eventually(t, func() bool { return files() == 0 })
	}
}

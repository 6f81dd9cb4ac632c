package httpfair

import (
	"io"
	"net/http"
	"runtime"

	"github.com/fairpool/fairpool/adapters/internal/upstream"
)

// hold has the call end with the body of its response, and reports whether there
// is one.
func hold(resp *http.Response, call *upstream.Call) bool {
	if resp.Body == nil || resp.Body == http.NoBody {
		return false
	}
	inner := resp.Body
	body := &responseBody{inner, call}
	upstream.EndWith(body, call, func() { inner.Close() })
	resp.Body = body
	if conn, ok := inner.(io.Writer); ok { // 101 Switching Protocols
		resp.Body = &upgradedBody{body, conn}
	}
	return true
}

// A responseBody ends a call when it is read to its end or closed.
type responseBody struct {
	inner io.ReadCloser
	call  *upstream.Call
}

func (b *responseBody) Read(p []byte) (int, error) {
	n, err := b.inner.Read(p)
	if err != nil {
		b.call.End()
	}
	runtime.KeepAlive(b) // it is not lost while it is read
	return n, err
}

func (b *responseBody) Close() error {
	err := b.inner.Close()
	b.call.End()
	runtime.KeepAlive(b)
	return err
}

// An upgradedBody is a connection that no longer speaks HTTP.
type upgradedBody struct {
	*responseBody
	conn io.Writer
}

func (b *upgradedBody) Write(p []byte) (int, error) {
	n, err := b.conn.Write(p)
	runtime.KeepAlive(b)
	return n, err
}

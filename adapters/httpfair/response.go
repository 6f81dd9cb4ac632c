package httpfair

import (
	"io"
	"net/http"
	"runtime"

	"github.com/fairpool/fairpool/adapters/internal/upstream"
)

// hold returns the response with a body that ends the call, or ends the call if
// there is no body. It returns a copy, since the goroutine that reads the
// connection may still refer to the response, which would keep a body from being
// lost.
func hold(resp *http.Response, call *upstream.Call) *http.Response {
	if resp.Body == nil || resp.Body == http.NoBody {
		call.End()
		return resp
	}
	inner := resp.Body
	body := &responseBody{inner, call}
	upstream.EndWith(body, call, func() { inner.Close() })
	held := *resp
	held.Body = body
	if conn, ok := inner.(io.Writer); ok { // 101 Switching Protocols
		held.Body = &upgradedBody{body, conn}
	}
	return &held
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

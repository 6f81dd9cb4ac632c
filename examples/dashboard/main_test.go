package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// started runs the program until stop is called, and returns the address that
// it prints.
func started(t *testing.T) (address string, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := run(ctx, "127.0.0.1:0", 1, in)
		in.CloseWithError(io.EOF)
		done <- err
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	return strings.TrimSpace(line), func() error {
		cancel()
		return <-done
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(url)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, http.StatusOK, response.StatusCode)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(body)
}

func TestTheAddressThatIsPrintedShowsAServiceAtWork(t *testing.T) {
	address, stop := started(t)
	require.Contains(t, get(t, address), "<!doctype html>")
	require.Contains(t, get(t, strings.TrimSuffix(address, "debug/fairpool/")), "<!doctype html>", "the root leads there")
	require.Eventually(t, func() bool {
		text := get(t, address+"?format=text")
		return strings.Contains(text, "browser tabs: ") && strings.Contains(text, "map API: ") &&
			strings.Contains(text, "acme") && strings.Contains(text, "free-") && strings.Contains(text, "(*service).useTab")
	}, 60*time.Second, 100*time.Millisecond)
	require.NoError(t, stop())
}

func TestItEndsWhileSomebodyWatches(t *testing.T) {
	address, stop := started(t)
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Get(address + "events")
	require.NoError(t, err)
	defer response.Body.Close()
	_, err = bufio.NewReader(response.Body).ReadString('\n')
	require.NoError(t, err)
	require.NoError(t, stop(), "an error says that it waited for this client in vain")
}

func TestAnAddressThatIsTakenIsAnError(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	var out bytes.Buffer
	require.Error(t, run(t.Context(), l.Addr().String(), 1, &out))
	require.Empty(t, out.String())
}

package main

import (
	"bytes"
	"os"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "-worker" { // the demonstration starts itself
		main()
		return
	}
	goleak.VerifyTestMain(m)
}

func TestTheCapacityAndTheSharesAreKept(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 20 s")
	}
	var out bytes.Buffer
	require.NoError(t, show(t.Context(), &out, 3*time.Second, "", ""), "%s", &out)
	t.Log(out.String())
	peak := regexp.MustCompile(`At most (\d+) of 40 seats`).FindStringSubmatch(out.String())
	require.NotNil(t, peak)
	n, err := strconv.Atoi(peak[1])
	require.NoError(t, err)
	require.LessOrEqual(t, n, 40)
	require.Greater(t, n, 30)
	share := regexp.MustCompile(`happened: A ([\d.]+)%`).FindStringSubmatch(out.String())
	require.NotNil(t, share)
	a, err := strconv.ParseFloat(share[1], 64)
	require.NoError(t, err)
	require.InDelta(t, 50, a, 10, "A asks in eight processes, B in one")
	require.Contains(t, out.String(), "dead")
}

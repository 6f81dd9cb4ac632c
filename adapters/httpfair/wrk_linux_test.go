package httpfair_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/throwaway"
	"github.com/stretchr/testify/require"
)

// A measured is what wrk tells of a run.
type measured struct {
	Requests int     `json:"requests"`
	Refused  int     `json:"refused"` // status 400 and above
	Broken   int     `json:"broken"`  // connections that failed, timeouts
	P50      float64 `json:"p50"`     // ms
	P99      float64 `json:"p99"`
}

func (m measured) success() float64 {
	return float64(m.Requests-m.Refused-m.Broken) / float64(max(m.Requests, 1))
}

const wrkScript = `
done = function(summary, latency, requests)
	local e = summary.errors
	io.write(string.format(
		'\n{"requests":%d,"refused":%d,"broken":%d,"p50":%f,"p99":%f}\n',
		summary.requests, e.status, e.connect + e.read + e.write + e.timeout,
		latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end`

// wrk returns a function that runs wrk against a URL on behalf of a tenant, over
// so many connections.
func wrk(t *testing.T) func(url, tenant string, connections int, duration time.Duration) (measured, error) {
	t.Helper()
	path := throwaway.ProgramFor(t, "wrk", nil)
	script := filepath.Join(t.TempDir(), "report.lua")
	require.NoError(t, os.WriteFile(script, []byte(wrkScript), 0o600))
	return func(url, tenant string, connections int, duration time.Duration) (m measured, err error) {
		cmd := exec.CommandContext(t.Context(), path, "-t1", fmt.Sprint("-c", connections),
			fmt.Sprintf("-d%.0fs", duration.Seconds()), "-s"+script, "-HX-Tenant: "+tenant, url)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
		out, err := cmd.CombinedOutput()
		if err != nil {
			return m, fmt.Errorf("%w: %s", err, out)
		}
		at := len(out) - 1
		for at > 0 && out[at] != '{' {
			at--
		}
		return m, json.Unmarshal(out[at:], &m)
	}
}

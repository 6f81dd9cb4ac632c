package redisfleet

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Check looks at the server and returns a warning for each setting that a fleet
// should not rely on, see the documentation of the package. It returns an error
// if the server does not answer, or is older than Redis 7.
func (e *Engine) Check(ctx context.Context) (warnings []string, err error) {
	info := make(map[string]string)
	for _, section := range []string{"server", "memory", "persistence", "replication"} {
		text, err := e.client.Info(ctx, section).Result()
		if err != nil {
			return nil, fmt.Errorf("redisfleet: %w", err)
		}
		for line := range strings.Lines(text) {
			if key, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
				info[key] = value
			}
		}
	}
	version := info["redis_version"]
	major, _, _ := strings.Cut(version, ".")
	if n, err := strconv.Atoi(major); err != nil || n < 7 {
		return nil, fmt.Errorf("redisfleet: the server is version %q, must be at least 7", version)
	}
	warn := func(format string, args ...any) { warnings = append(warnings, fmt.Sprintf(format, args...)) }
	if policy := info["maxmemory_policy"]; info["maxmemory"] != "0" && policy != "noeviction" {
		warn("maxmemory-policy is %s: the server may drop the grants of processes; set noeviction", policy)
	}
	if info["aof_enabled"] != "1" {
		warn("appendonly is no: after a restart of the server nothing is granted until every process has claimed what it has; set yes")
	}
	if replicas := info["connected_slaves"]; replicas != "0" && info["min_slaves_good_slaves"] == "" {
		warn("there are %s replicas, but min-replicas-to-write is 0: a server that is cut off from them goes on granting after a failover; set at least 1", replicas)
	}
	if info["role"] != "master" {
		warn("the server is a replica, which grants nothing")
	}
	if c, ok := e.client.(*redis.Client); ok && c.Options().MaxRetries > 0 {
		warn("the client repeats commands up to %d times: the answer to a repeated request is lost; set MaxRetries to -1", c.Options().MaxRetries)
	}
	if c, ok := e.client.(*redis.Client); ok && !c.Options().ContextTimeoutEnabled {
		warn("the client does not heed contexts: a sync without an answer keeps a connection for %v longer; set ContextTimeoutEnabled", c.Options().ReadTimeout)
	}
	return warnings, nil
}

package fairshare_test

import (
	"context"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the messages to testdata instead of comparing them")

// requireReviewed compares messages with those that somebody has read, in a file.
func requireReviewed(t *testing.T, file string, messages []string) {
	t.Helper()
	for _, m := range messages {
		for line := range strings.SplitSeq(m, "\n") {
			require.LessOrEqual(t, strings.Count(line, "fairshare:"), 1, line)
			for _, bad := range []string{"queue full: queue full", "line full", "all 1 slot", "1 waiters", "pool:", "%!"} {
				require.NotContains(t, line, bad)
			}
		}
	}
	text := strings.Join(messages, "\n") + "\n"
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	}
	reviewed, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(reviewed), text, "read the new messages, and run the test with -update")
}

// Every message says what, for whom, why, and which setting decides it, once each.
func TestTheMessagesAreThoseThatWereReviewed(t *testing.T) {
	var all []string
	say := func(err error) {
		t.Helper()
		require.Error(t, err)
		all = append(all, err.Error())
	}
	type shares = map[string]fairshare.Share
	for _, cfg := range []fairshare.Config{
		{Capacity: -3},
		{Capacity: -3, Headroom: 2, MinShare: 2, ShareFunc: fairshare.EqualShare, Default: fairshare.Share{Min: 1}, Tenants: shares{"a": {Min: 1}}},
		{Capacity: 4, Headroom: -1}, {Capacity: 4, Headroom: 5},
		{Capacity: 4, MinShare: -1}, {Capacity: 4, MinShare: 2}, {Capacity: 4, MinShare: 5, ShareFunc: fairshare.EqualShare},
		{Capacity: 4, Horizon: -1}, {Capacity: 4, MaxWaiting: -1}, {Capacity: 4, AcquireTimeout: -1}, {Capacity: 4, AcquireTimeout: 30},
		{Capacity: 4, Default: fairshare.Share{Weight: -1}}, {Capacity: 4, Default: fairshare.Share{Min: -1}},
		{Capacity: 4, Default: fairshare.Share{Max: -1}}, {Capacity: 4, Default: fairshare.Share{Min: 3, Max: 2}},
		{Capacity: 4, Default: fairshare.Share{MaxWaiting: -1}}, {Capacity: 4, Default: fairshare.Share{Min: 5}},
		{Capacity: 4, Tenants: shares{"a": {Weight: -1}, "b": {Min: 5}}}, {Capacity: 4, Tenants: shares{"a": {Min: 2}, "b": {Min: 3}}},
		{Capacity: 4, RequireTenant: true, Tenants: shares{"": {}}},
		{Capacity: 4, ShareFunc: func(int, int) int { panic("no\nidea") }},
	} {
		_, err := fairshare.NewSemaphore(cfg)
		say(err)
	}
	synctest.Test(t, func(t *testing.T) {
		ended, cancel := context.WithCancelCause(background)
		cancel(errors.New("the user left"))
		outcome := func(cfg fairshare.Config, held int, do func(*fairshare.Semaphore) error) {
			t.Helper()
			s := newSemaphore(t, cfg)
			for range held {
				defer acquire(t, s, "a").Release()
			}
			say(do(s))
		}
		wait := func(s *fairshare.Semaphore) error {
			ctx, cancel := context.WithTimeout(background, 2*time.Second)
			defer cancel()
			_, err := s.Acquire(ctx, "a")
			return err
		}
		several := func(s *fairshare.Semaphore) error {
			ctx, cancel := context.WithTimeout(background, 2*time.Second)
			defer cancel()
			_, err := s.AcquireN(ctx, "b", 2)
			return err
		}
		full := func(s *fairshare.Semaphore) error {
			ctx, cancel := context.WithTimeout(background, time.Second)
			defer cancel()
			w := begin(ctx, s, "a")
			_, err := s.Acquire(background, "a")
			w.failed(t)
			return err
		}
		outcome(slots(1), 0, func(s *fairshare.Semaphore) error { _, err := s.Acquire(ended, "a"); return err })
		outcome(slots(1), 0, func(s *fairshare.Semaphore) error { s.Close(); return wait(s) })
		outcome(named(1), 0, func(s *fairshare.Semaphore) error { _, err := s.Acquire(background, ""); return err })
		outcome(slots(1), 1, wait)
		outcome(slots(2), 2, wait)
		outcome(slots(2), 1, several)
		outcome(slots(2), 0, func(s *fairshare.Semaphore) error { _, err := s.AcquireN(background, "a", 3); return err })
		outcome(slots(2), 0, func(s *fairshare.Semaphore) error { _, err := s.AcquireN(background, "a", 0); return err })
		outcome(fairshare.Config{Capacity: 4, Default: fairshare.Share{Max: 1}}, 0, several)
		outcome(fairshare.Config{Capacity: 4, ShareFunc: func(int, int) int { return 1 }}, 0, several)
		outcome(fairshare.Config{Capacity: 3, Headroom: 1}, 2, wait)
		outcome(fairshare.Config{Capacity: 3, Default: fairshare.Share{Max: 1}}, 1, wait)
		outcome(fairshare.Config{Capacity: 1, AcquireTimeout: time.Second}, 1, wait)
		outcome(fairshare.Config{Capacity: 1, Default: fairshare.Share{MaxWaiting: 1}}, 1, full)
		outcome(fairshare.Config{Capacity: 1, MaxWaiting: 1}, 1, full)
		outcome(slots(1), 0, func(s *fairshare.Semaphore) error { s.Suspend(); return wait(s) })
		outcome(slots(1), 0, func(s *fairshare.Semaphore) error { _ = s.Resize(0); return wait(s) })
		outcome(slots(1), 0, func(s *fairshare.Semaphore) error { return s.Resize(-1) })
		outcome(slots(1), 0, func(s *fairshare.Semaphore) error { return s.SetShare("a", fairshare.Share{Max: -1}) })
		outcome(slots(1), 0, func(s *fairshare.Semaphore) error { return s.SetShare("a", fairshare.Share{Min: 2}) })
	})
	for _, e := range []fairshare.AcquireError{
		{Reason: fairshare.Saturated, Err: fairshare.ErrLate, Estimate: 3 * time.Second, InUse: 2, Capacity: 2, Waiting: 4},
		{Reason: fairshare.HandedOver, Err: context.Canceled, Waited: time.Second, Held: 1},
		{Reason: fairshare.Building, Err: context.DeadlineExceeded, Waited: time.Second, InUse: 1, Capacity: 2},
		{Reason: fairshare.BuildFailing, Err: errors.New("no route to host"), Waited: time.Second},
		{Reason: fairshare.BuildFailing, Err: context.DeadlineExceeded, BuildErr: errors.New("no route to host"), Waited: time.Second},
		{Reason: fairshare.NotPrepared, Err: errors.New("no such role"), Waited: time.Second},
		{Reason: fairshare.Collected, Err: context.DeadlineExceeded, Slots: 3, Waited: time.Second, InUse: 1, Capacity: 3},
	} {
		e.Tenant = "a"
		say(&e)
	}
	requireReviewed(t, "testdata/messages.txt", all)
}

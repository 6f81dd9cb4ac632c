package tracefair

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

var background = context.Background()

// recording returns a Recorder whose flight recorder says the same each time.
// The real one does not work by the clock of a test.
func recording(t *testing.T, o RecorderOptions) (r *Recorder, dumps func() []Dump) {
	var mu sync.Mutex
	var all []Dump
	o.Dir = t.TempDir()
	o.Report = func(d Dump) {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, d)
	}
	require.NoError(t, o.complete())
	r = &Recorder{options: o, stop: func() {}, write: func(w io.Writer) error {
		_, err := io.WriteString(w, "a trace")
		return err
	}}
	return r, func() []Dump {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(all)
	}
}

func semaphore(t *testing.T, capacity int) *fairshare.Semaphore {
	s, err := fairshare.NewSemaphore(fairshare.Config{Capacity: capacity})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

func take(t *testing.T, s *fairshare.Semaphore, tenant string, n int) (all []fairshare.Permit) {
	for range n {
		p, err := s.Acquire(background, tenant)
		require.NoError(t, err)
		all = append(all, p)
	}
	return all
}

func files(t *testing.T, r *Recorder) (names []string) {
	entries, err := os.ReadDir(r.options.Dir)
	require.NoError(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestAFileIsWrittenWhenATenantStarves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, dumps := recording(t, RecorderOptions{After: 4 * time.Second})
		s := semaphore(t, 2)
		ctx, stop := context.WithCancel(background)
		defer stop()
		go Watch(ctx, r, "db/1", s)
		held := take(t, s, "hog", 2)
		time.Sleep(time.Hour)
		require.Empty(t, dumps(), "nobody waits")
		go func() { _, _ = s.Acquire(background, "small") }()
		time.Sleep(3999 * time.Millisecond)
		require.Empty(t, dumps())
		time.Sleep(1002 * time.Millisecond)
		require.Len(t, dumps(), 1)
		d := dumps()[0]
		require.NoError(t, d.Err)
		require.GreaterOrEqual(t, d.Why.Waited, 4*time.Second)
		d.Why.Waited = 0
		require.Equal(t, Reason{Pool: "db/1", Tenant: "small", Share: 1}, d.Why)
		require.True(t, strings.HasSuffix(d.Path, "-db_1.trace"), d.Path)
		written, err := os.ReadFile(d.Path)
		require.NoError(t, err)
		require.Equal(t, "a trace", string(written))
		held[0].Release()
		synctest.Wait()
	})
}

// Who waits for its own slots to return does not starve.
func TestNoFileIsWrittenForATenantThatHasItsShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, dumps := recording(t, RecorderOptions{After: time.Second})
		s := semaphore(t, 2)
		ctx, stop := context.WithCancel(background)
		defer stop()
		go Watch(ctx, r, "p", s)
		take(t, s, "a", 1)
		take(t, s, "b", 1)
		for _, tenant := range []string{"a", "b"} {
			go func() { _, _ = s.Acquire(background, tenant) }()
		}
		time.Sleep(10 * time.Minute)
		require.Empty(t, dumps())
	})
}

func TestAfterAFileThereIsAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, dumps := recording(t, RecorderOptions{After: time.Second, Pause: time.Minute})
		s := semaphore(t, 1)
		ctx, stop := context.WithCancel(background)
		defer stop()
		go Watch(ctx, r, "p", s)
		take(t, s, "hog", 1)
		go func() { _, _ = s.Acquire(background, "small") }()
		time.Sleep(30 * time.Second)
		require.Len(t, dumps(), 1)
		time.Sleep(150 * time.Second)
		require.Len(t, dumps(), 3)
	})
}

func TestOnlySoManyFilesAreKept(t *testing.T) {
	r, _ := recording(t, RecorderOptions{MaxFiles: 3})
	other := filepath.Join(r.options.Dir, "fairpool-notes.txt")
	require.NoError(t, os.WriteFile(other, nil, 0o600))
	var paths []string
	for range 5 {
		path, err := r.Write(Reason{Pool: "z"})
		require.NoError(t, err)
		paths = append(paths, path)
		time.Sleep(2 * time.Microsecond) // the names tell microseconds
	}
	require.Len(t, files(t, r), 4)
	for i, path := range append(paths, other) {
		if i < 2 {
			require.NoFileExists(t, path)
		} else {
			require.FileExists(t, path)
		}
	}
}

func TestAFileThatFailsLeavesNothingBehind(t *testing.T) {
	r, dumps := recording(t, RecorderOptions{})
	broken := errors.New("broken")
	r.write = func(w io.Writer) error {
		_, _ = io.WriteString(w, "half")
		return broken
	}
	_, err := r.Write(Reason{Pool: "p"})
	require.ErrorIs(t, err, broken)
	require.Empty(t, files(t, r))
	r.last = time.Time{}
	r.happens(Reason{Pool: "p"})
	require.ErrorIs(t, dumps()[0].Err, broken)
}

func TestAFileIsWrittenWhenALeaseIsAskedBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, dumps := recording(t, RecorderOptions{})
		p, err := pool.New(pool.Config[int]{
			Constructor: func(context.Context) (int, error) { return 0, nil },
			MaxSize:     1,
			Reclaim:     pool.Reclaim{After: time.Second},
			Trace:       r.Trace("p"),
		})
		require.NoError(t, err)
		l, err := p.Acquire(background, "hog")
		require.NoError(t, err)
		go func() {
			if l, err := p.Acquire(background, "small"); err == nil {
				l.Release()
			}
		}()
		<-l.Revoked()
		synctest.Wait()
		l.Release()
		require.Len(t, dumps(), 1)
		require.Equal(t, Reason{Pool: "p", Tenant: "hog", Err: pool.ErrRevoked}, dumps()[0].Why)
		synctest.Wait()
		p.Close()
	})
}

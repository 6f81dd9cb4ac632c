package throwaway

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// ahead is what a server with a clock of its own has loaded before the C library:
// its time of day is that of the machine and as many microseconds as the mapped
// file says. PostgreSQL and Redis ask gettimeofday for it. (libfaketime cannot be
// loaded into a program with jemalloc, as Redis is.)
const ahead = `
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>

static const volatile int64_t *ahead;

__attribute__((constructor)) static void map(void)
{
	int file = open(getenv("THROWAWAY_CLOCK"), O_RDONLY);
	void *at = mmap(NULL, sizeof *ahead, PROT_READ, MAP_SHARED, file, 0);
	if (at == MAP_FAILED)
		abort();
	ahead = at;
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	struct timespec now;
	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	int64_t us = now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000 + (ahead ? *ahead : 0);
	tv->tv_sec = us / 1000000;
	tv->tv_usec = us % 1000000;
	return 0;
}
`

// ownClock gives the server a clock that SetClock sets, from its next start on.
func (s *server) ownClock(ctx context.Context) error {
	if runtime.GOOS != "linux" {
		return fmt.Errorf("throwaway: the clock of %s cannot be set on %s: %w", s.name, runtime.GOOS, errors.ErrUnsupported)
	}
	cc, err := find("cc", "gcc", "clang")
	if err != nil {
		return err
	}
	source, library := filepath.Join(s.dir, "clock.c"), filepath.Join(s.dir, "clock.so")
	if err := os.WriteFile(source, []byte(ahead), 0o644); err != nil {
		return fmt.Errorf("throwaway: %w", err)
	}
	if err := s.run(ctx, cc, "-shared", "-fPIC", "-o", library, source); err != nil {
		return err
	}
	s.clock = filepath.Join(s.dir, "clock")
	s.env = []string{"LD_PRELOAD=" + library, "THROWAWAY_CLOCK=" + s.clock}
	return s.SetClock(0)
}

// SetClock sets the server's time of day, which goes on from there: ahead of the
// machine's, or behind it if ahead is negative. What the server measures with a
// monotonic clock goes on as it did. The server must have been started with
// SettableClock.
func (s *server) SetClock(ahead time.Duration) error {
	if s.clock == "" {
		return fmt.Errorf("throwaway: %s was started without SettableClock", s.name)
	}
	file, err := os.OpenFile(s.clock, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("throwaway: %w", err)
	}
	defer file.Close()
	if _, err := file.Write(binary.NativeEndian.AppendUint64(nil, uint64(ahead.Microseconds()))); err != nil {
		return fmt.Errorf("throwaway: %w", err)
	}
	return nil
}

package pgxfair

import (
	"time"

	"github.com/fairpool/fairpool/pool"
)

// A Stat is a snapshot of a Pool's figures under the names of pgxpool.Stat.
type Stat struct{ s pool.Stats }

// Stat returns the figures of the pool.
func (p *Pool) Stat() *Stat { return &Stat{p.fair.Stats()} }

// AcquireCount is how often a connection was handed out.
func (s *Stat) AcquireCount() int64 { return int64(s.s.Acquired) }

// AcquireDuration is for how long callers had to wait in total, those in vain
// included, which pgxpool leaves out.
func (s *Stat) AcquireDuration() time.Duration { return s.s.WaitTime }

// AcquiredConns is the number of connections in use.
func (s *Stat) AcquiredConns() int32 { return int32(s.s.Leased) }

// CanceledAcquireCount is how often somebody gave up waiting.
func (s *Stat) CanceledAcquireCount() int64 { return int64(s.s.Canceled) }

// ConstructingConns is the number of connections being made.
func (s *Stat) ConstructingConns() int32 { return int32(s.s.Building) }

// IdleConns is the number of connections that nobody uses, those included that
// are being checked or restored.
func (s *Stat) IdleConns() int32 { return int32(s.s.Warm + s.s.Checking + s.s.Resetting) }

// MaxConns is the most connections that there can be.
func (s *Stat) MaxConns() int32 { return int32(s.s.MaxSize) }

// TotalConns is the number of connections in use, idle or being made.
func (s *Stat) TotalConns() int32 { return s.AcquiredConns() + s.IdleConns() + s.ConstructingConns() }

// NewConnsCount is how many connections were made.
func (s *Stat) NewConnsCount() int64 { return int64(s.s.Built) }

// MaxLifetimeDestroyCount is how many were closed because of MaxConnLifetime.
func (s *Stat) MaxLifetimeDestroyCount() int64 { return int64(s.s.Retired[pool.Lifetime]) }

// MaxIdleDestroyCount is how many were closed because of MaxConnIdleTime.
func (s *Stat) MaxIdleDestroyCount() int64 { return int64(s.s.Retired[pool.Idle]) }

// EmptyAcquireCount is how many callers had to wait for a connection to be returned
// or made, those in vain included.
func (s *Stat) EmptyAcquireCount() int64 { return int64(s.s.Waits.Total()) }

// EmptyAcquireWaitTime is for how long they had waited in total.
func (s *Stat) EmptyAcquireWaitTime() time.Duration { return s.s.WaitTime }

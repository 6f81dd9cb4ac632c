// Package pgxpool is what pgxpool's own tests get for it: pgxfair.
package pgxpool

import (
	"context"

	"github.com/fairpool/fairpool/adapters/pgxfair"
	"github.com/jackc/pgx/v5/pgxpool"
)

type (
	Pool   = pgxfair.Pool
	Config = pgxfair.Config
	Conn   = pgxfair.Conn
	Tx     = pgxfair.Tx
	Stat   = pgxfair.Stat

	ShouldPingParams      = pgxpool.ShouldPingParams
	AcquireTracer         = pgxfair.AcquireTracer
	ReleaseTracer         = pgxfair.ReleaseTracer
	TraceAcquireStartData = pgxfair.TraceAcquireStartData
	TraceAcquireEndData   = pgxfair.TraceAcquireEndData
	TraceReleaseData      = pgxfair.TraceReleaseData
)

func New(ctx context.Context, connString string) (*Pool, error) { return pgxfair.New(ctx, connString) }

func NewWithConfig(ctx context.Context, config *Config) (*Pool, error) {
	return pgxfair.NewWithConfig(ctx, config)
}

func ParseConfig(connString string) (*Config, error) { return pgxfair.ParseConfig(connString) }

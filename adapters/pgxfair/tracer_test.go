package pgxfair_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/fairpool/fairpool/adapters/pgxfair"
	"github.com/fairpool/fairpool/pool"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/multitracer"
	"github.com/jackc/pgx/v5/tracelog"
	"github.com/stretchr/testify/require"
)

// A diary is a tracer of everything.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) note(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
}

func (d *diary) take() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	lines := d.lines
	d.lines = nil
	return lines
}

func (d *diary) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	return context.WithValue(ctx, key{}, data.SQL)
}

func (d *diary) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryEndData) {
	d.note("query %s: %s", ctx.Value(key{}), data.CommandTag)
}

func (d *diary) TraceBatchStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	d.note("batch of %d", data.Batch.Len())
	return ctx
}
func (d *diary) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}
func (d *diary) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {
	d.note("batch ends")
}

func (d *diary) TraceCopyFromStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceCopyFromStartData) context.Context {
	d.note("copy into %s", data.TableName.Sanitize())
	return ctx
}
func (d *diary) TraceCopyFromEnd(context.Context, *pgx.Conn, pgx.TraceCopyFromEndData) {}

func (d *diary) TraceConnectStart(ctx context.Context, _ pgx.TraceConnectStartData) context.Context {
	d.note("connect")
	return ctx
}
func (d *diary) TraceConnectEnd(context.Context, pgx.TraceConnectEndData) {}

func (d *diary) TraceAcquireStart(ctx context.Context, db *pgxfair.Pool, data pgxfair.TraceAcquireStartData) context.Context {
	return context.WithValue(ctx, key{}, data.Tenant)
}

func (d *diary) TraceAcquireEnd(ctx context.Context, db *pgxfair.Pool, data pgxfair.TraceAcquireEndData) {
	what := "acquired"
	if data.Err != nil {
		what = data.Err.Error()
	} else if data.Conn == nil || db == nil {
		what = "nothing"
	}
	d.note("%s for %s, %s", what, data.Tenant, ctx.Value(key{}))
}

func (d *diary) TraceRelease(db *pgxfair.Pool, data pgxfair.TraceReleaseData) {
	d.note("released by %s, %t", data.Tenant, data.Conn != nil && db != nil)
}

var (
	_ pgxfair.AcquireTracer = (*diary)(nil)
	_ pgxfair.ReleaseTracer = (*diary)(nil)
)

func TestTracersSeeWhatIsDoneForTheTenantsAndNothingElse(t *testing.T) {
	d := &diary{}
	refuse := false
	db := open(t, database(t), func(c *pgxfair.Config) {
		c.MaxConns, c.TenantSetting, c.ResetSession = 1, "app.tenant", pgxfair.ResetDirty
		c.ConnConfig.Tracer = d
		c.PrepareConn = func(context.Context, *pgx.Conn) (bool, error) {
			if refuse {
				return true, errors.New("refused")
			}
			return true, nil
		}
	})
	a := db.Tenant("a")
	_, err := a.Exec(t.Context(), "create table traced (n int)")
	require.NoError(t, err)
	require.Equal(t, []string{"connect", "acquired for a, a", "query create table traced (n int): CREATE TABLE", "released by a, true"}, d.take())
	b := &pgx.Batch{}
	b.Queue("select 1")
	require.NoError(t, a.SendBatch(t.Context(), b).Close())
	require.Equal(t, []string{"acquired for a, a", "batch of 1", "batch ends", "released by a, true"}, d.take())
	_, err = a.CopyFrom(t.Context(), pgx.Identifier{"traced"}, []string{"n"}, pgx.CopyFromRows([][]any{{1}}))
	require.NoError(t, err)
	require.Equal(t, []string{"acquired for a, a", `copy into "traced"`, "released by a, true"}, d.take())
	refuse = true
	require.Error(t, a.Ping(t.Context()))
	require.Equal(t, []string{"released by a, true", "refused for a, a"}, d.take())
}

func TestTheTracersOfPgxCanBeUsed(t *testing.T) {
	var log bytes.Buffer
	d := &diary{}
	db := open(t, database(t), func(c *pgxfair.Config) {
		c.ConnConfig.Tracer = multitracer.New(d, &tracelog.TraceLog{LogLevel: tracelog.LogLevelTrace, Logger: tracelog.LoggerFunc(
			func(_ context.Context, _ tracelog.LogLevel, msg string, data map[string]any) {
				fmt.Fprintln(&log, msg, data["sql"])
			},
		)})
	})
	require.NoError(t, db.QueryRow(t.Context(), "select 1").Scan(new(int)))
	require.Contains(t, log.String(), "Query select 1")
	require.Contains(t, d.take(), "query select 1: SELECT 1")
}

// A journal is a buffer that others write while it is read.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

func TestTheTraceOfThePoolIsPassedOn(t *testing.T) {
	var log journal
	built := make(chan uint64, 1)
	db := open(t, database(t), func(c *pgxfair.Config) {
		c.Trace = pool.Trace{BuildDone: func(_ context.Context, e pool.Event) { built <- e.Resource }}
		c.Logger = slog.New(slog.NewTextHandler(&log, nil))
		c.AfterConnect = func(context.Context, *pgx.Conn) error { return errors.New("no luck") }
	})
	require.Error(t, db.Ping(t.Context()))
	require.EqualValues(t, 1, <-built)
	eventually(t, func() bool { return strings.Contains(log.String(), `msg="pool: build failed" error="no luck"`) }, "no log")
}

package sqlfair_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/sqlfair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

// bound is a driver that notices when a connection serves another tenant than
// the one that it was bound to last. Queries have the form "as <tenant>".
type bound struct {
	fake
	mu      sync.Mutex
	to      map[*fakeConn]string
	served  int
	strange []string
}

func newBound() *bound {
	b := &bound{to: make(map[*fakeConn]string)}
	b.on = func(c *fakeConn, call string) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		call = strings.TrimSuffix(call, " []")
		if tenant, ok := strings.CutPrefix(call, "exec bind "); ok {
			b.to[c] = tenant
		}
		for _, how := range []string{"exec as ", "query as ", "prepare as ", "stmt exec as "} {
			if tenant, ok := strings.CutPrefix(call, how); ok {
				b.served++
				if b.to[c] != tenant {
					b.strange = append(b.strange, fmt.Sprintf("connection %d of %q: %s", c.id, b.to[c], call))
				}
			}
		}
		return nil
	}
	return b
}

func bindWith(ctx context.Context, c *sql.Conn, tenant string) error {
	_, err := c.ExecContext(ctx, "bind "+tenant)
	return err
}

func TestSetMaxOpenConnsFailsEveryQueryUntilItIsUndone(t *testing.T) {
	db, pool := open(t, newBound(), sqlfair.Config{MaxOpenConns: 2, Tenancy: sqlfair.Tenancy{Bind: bindWith}})
	require.NoError(t, db.PingContext(as("a")))
	db.SetMaxOpenConns(2)
	for range 3 {
		_, err := db.ExecContext(as("a"), "as a")
		require.ErrorIs(t, err, sqlfair.ErrMaxOpenConns)
		require.ErrorIs(t, db.PingContext(context.Background()), sqlfair.ErrMaxOpenConns)
	}
	require.Zero(t, pool.Stats().InUse)
	db.SetMaxOpenConns(0)
	_, err := db.ExecContext(as("a"), "as a")
	require.NoError(t, err)
}

// Whoever waits in the line of database/sql gets a connection that was opened
// for nobody, even after the limit is gone. It must be an error.
func TestNobodyIsServedFromTheLineOfDatabaseSQL(t *testing.T) {
	b := newBound()
	db, _ := open(t, b, sqlfair.Config{MaxOpenConns: 2, Tenancy: sqlfair.Tenancy{Bind: bindWith}})
	held, err := db.Conn(as("a"))
	require.NoError(t, err)
	db.SetMaxOpenConns(1)
	served := make(chan error)
	go func() {
		c, err := db.Conn(as("b"))
		if err == nil {
			_, err = c.ExecContext(context.Background(), "as b") // the guard of the context does not help here
			c.Close()
		}
		served <- err
	}()
	wait(t, "b waits in the line of database/sql", func() bool { return db.Stats().WaitCount == 1 })
	db.SetMaxOpenConns(0)
	require.NoError(t, held.Close())
	require.ErrorIs(t, <-served, sqlfair.ErrMaxOpenConns)
	require.Zero(t, b.served)

	require.ErrorIs(t, db.PingContext(context.Background()), sqlfair.ErrMaxOpenConns, "it may be that line again")
	_, err = db.ExecContext(as("b"), "as b")
	require.NoError(t, err)
	require.Empty(t, b.strange)
}

func TestSetMaxIdleConnsNeitherKeepsLeasesNorPassesThemOn(t *testing.T) {
	b := newBound()
	db, pool := open(t, b, sqlfair.Config{MaxOpenConns: 1, Tenancy: sqlfair.Tenancy{Bind: bindWith}})
	db.SetMaxIdleConns(10)
	db.SetConnMaxLifetime(time.Hour)
	db.SetConnMaxIdleTime(time.Hour)
	for i := range 10 {
		tenant := fmt.Sprint("tenant-", i%2)
		_, err := db.ExecContext(as(tenant), "as "+tenant)
		require.NoError(t, err)
		require.Zero(t, db.Stats().Idle)
		require.Zero(t, pool.Stats().InUse)
	}
	require.Equal(t, 1, b.made())

	// One that waits in the pool gets it on release.
	held, err := db.Conn(as("a"))
	require.NoError(t, err)
	served := make(chan error)
	go func() { served <- db.PingContext(as("b")) }()
	wait(t, "b waits in the pool", func() bool { return pool.Stats().Waiting == 1 })
	require.NoError(t, held.Close())
	require.NoError(t, <-served)
	require.Empty(t, b.strange)
}

// TestNoLimitMakesAConnectionServeTwoTenants changes every limit that a DB has
// at random, while tenants use it in every way.
func TestNoLimitMakesAConnectionServeTwoTenants(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	b := newBound()
	db, pool := open(t, b, sqlfair.Config{MaxOpenConns: 4, Tenancy: sqlfair.Tenancy{Bind: bindWith}, PreparedStatements: 3})
	var tenants, meddler sync.WaitGroup
	over := make(chan struct{})
	meddler.Go(func() {
		r := rand.New(rand.NewPCG(seed, 0))
		for {
			select {
			case <-over:
				return
			default:
			}
			switch r.IntN(3) {
			case 0:
				db.SetMaxOpenConns(1 + r.IntN(6))
				time.Sleep(time.Duration(r.IntN(100)) * time.Microsecond)
				db.SetMaxOpenConns(0)
			case 1:
				db.SetMaxIdleConns(r.IntN(6))
			case 2:
				db.SetConnMaxLifetime(time.Duration(r.IntN(1000)) * time.Microsecond)
			}
			time.Sleep(time.Duration(r.IntN(1000)) * time.Microsecond) // the tenants need time in between
		}
	})
	rounds := 300
	if testing.Short() {
		rounds = 50
	}
	var refused sync.Map
	for i := range 20 {
		tenants.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(i)))
			tenant := fmt.Sprint("tenant-", i%10)
			stmt, _ := db.PrepareContext(as(tenant), "as "+tenant)
			for done := 0; done < rounds; {
				ctx, cancel := context.WithCancel(as(tenant))
				if r.IntN(10) == 0 {
					time.AfterFunc(time.Duration(r.IntN(500))*time.Microsecond, cancel)
				}
				if err := useAs(ctx, db, stmt, tenant, r.IntN(5)); err != nil {
					refused.Store(err.Error(), true)
				} else {
					done++
				}
				cancel()
			}
			if stmt != nil {
				stmt.Close()
			}
		})
	}
	tenants.Wait()
	close(over)
	meddler.Wait()
	require.Empty(t, b.strange)
	require.Positive(t, b.served)
	_, sawLimit := refused.Load(sqlfair.ErrMaxOpenConns.Error())
	require.True(t, sawLimit, "the limit was never met: nothing was tested")
	wait(t, "every lease is back", func() bool { return pool.Stats().InUse == 0 })
	t.Log(b.served, "served on", b.made(), "connections")
}

// useAs uses a DB in one of the ways there are. Once it has a Tx or Conn, the
// context does not name the tenant any more.
func useAs(ctx context.Context, db *sql.DB, stmt *sql.Stmt, tenant string, how int) error {
	query := "as " + tenant
	switch how {
	case 0:
		_, err := db.ExecContext(ctx, query)
		return err
	case 1:
		rows, err := db.QueryContext(ctx, query)
		if err == nil {
			rows.Next()
			err = rows.Close()
		}
		return err
	case 2:
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(query); err != nil {
			tx.Rollback()
			return err
		}
		return tx.Commit()
	case 3:
		c, err := db.Conn(ctx)
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = c.ExecContext(context.Background(), query)
		return err
	}
	if stmt == nil {
		return nil
	}
	_, err := stmt.ExecContext(ctx)
	return err
}

func TestAConnectionRefusesTheContextOfAnotherTenant(t *testing.T) {
	b := newBound()
	db, _ := open(t, b, sqlfair.Config{MaxOpenConns: 2})
	ctx := context.Background()
	c, err := db.Conn(as("a"))
	require.NoError(t, err)
	for who, err := range map[string]error{
		"exec":    second(c.ExecContext(as("b"), "insert")),
		"prepare": second(c.PrepareContext(as("b"), "insert")),
		"begin":   second(c.BeginTx(as("b"), nil)),
		"ping":    c.PingContext(as("b")),
	} {
		require.ErrorIs(t, err, sqlfair.ErrOtherTenant, who)
		require.ErrorContains(t, err, `to "a", but used for "b"`, who)
	}
	_, err = c.QueryContext(as("b"), "select")
	require.ErrorIs(t, err, sqlfair.ErrOtherTenant)
	require.Empty(t, relevant(b.wrote()), "nothing reached the driver")

	_, err = c.ExecContext(as("a"), "insert")
	require.NoError(t, err)
	_, err = c.ExecContext(ctx, "insert")
	require.NoError(t, err, "a context without a tenant goes with the lease")
	require.NoError(t, c.Close())

	tx, err := db.BeginTx(as("a"), nil)
	require.NoError(t, err)
	_, err = tx.ExecContext(as("b"), "insert")
	require.ErrorIs(t, err, sqlfair.ErrOtherTenant)
	require.NoError(t, tx.Commit())

	anonymous, err := db.Conn(ctx)
	require.NoError(t, err)
	_, err = anonymous.ExecContext(as("a"), "insert")
	require.ErrorIs(t, err, sqlfair.ErrOtherTenant, "nor is the anonymous tenant anybody")
	require.NoError(t, anonymous.Close())
}

func second[T any](_ T, err error) error { return err }

func TestTheTenantMayComeFromElsewhere(t *testing.T) {
	type key struct{}
	b := newBound()
	db, pool := open(t, b, sqlfair.Config{
		MaxOpenConns: 1,
		Tenancy:      sqlfair.Tenancy{Bind: bindWith},
		Tenant: func(ctx context.Context) string {
			tenant, _ := ctx.Value(key{}).(string)
			return tenant
		},
	})
	for _, ctx := range []context.Context{
		context.WithValue(context.Background(), key{}, "mine"),
		context.WithValue(fairshare.WithTenant(context.Background(), "other"), key{}, "mine"),
		as("mine"),
	} {
		_, err := db.ExecContext(ctx, "as mine")
		require.NoError(t, err)
	}
	require.Empty(t, b.strange)
	for name, stats := range pool.Tenants() {
		require.Equal(t, "mine", name)
		require.EqualValues(t, 3, stats.Acquired)
	}
}

// What the package relies on, and what it guards against.
func TestDatabaseSQLConnectsOnTheContextOfTheCallerUnlessThereIsALimit(t *testing.T) {
	f := &fake{}
	db := sql.OpenDB(f)
	defer db.Close()
	db.SetMaxIdleConns(-1)
	for _, tenant := range []string{"a", "b"} {
		require.NoError(t, db.PingContext(as(tenant)))
	}
	db.SetMaxOpenConns(1)
	held, err := db.Conn(as("a"))
	require.NoError(t, err)
	served := make(chan error)
	go func() { served <- db.PingContext(as("b")) }()
	wait(t, "b waits in the line of database/sql", func() bool { return db.Stats().WaitCount == 1 })
	require.Error(t, held.Raw(func(any) error { return driver.ErrBadConn })) // its successor is opened for b
	require.NoError(t, <-served)

	var tenants []string
	for _, ctx := range f.asked() {
		tenants = append(tenants, fairshare.TenantFrom(ctx))
	}
	require.Equal(t, []string{"a", "b", "a", ""}, tenants)
}

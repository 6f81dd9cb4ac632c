package sqlfair_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"github.com/fairpool/fairpool/adapters/sqlfair"
	"github.com/fairpool/fairpool/adapters/throwaway"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

type thing struct {
	ID   int
	Name string
}

// served checks how many leases the tenants have had, and that none is out.
func served(t *testing.T, p *sqlfair.Pool, tenant string) {
	t.Helper()
	require.Zero(t, p.Stats().InUse)
	for name, s := range p.Tenants() {
		if name == tenant {
			require.Positive(t, s.Acquired)
			return
		}
	}
	require.Fail(t, "the tenant was never served", tenant)
}

func TestSqlxWorksUnchanged(t *testing.T) {
	plain, p := open(t, overSQLite(t), sqlfair.Config{MaxOpenConns: 2})
	db := sqlx.NewDb(plain, "sqlite")
	ctx := as("a")
	var one thing
	require.NoError(t, db.GetContext(ctx, &one, "SELECT id, name FROM things WHERE id = ?", 3))
	require.Equal(t, thing{3, "three"}, one)
	query, args, err := sqlx.In("SELECT id, name FROM things WHERE id IN (?) ORDER BY id", []int{1, 5})
	require.NoError(t, err)
	var some []thing
	require.NoError(t, db.SelectContext(ctx, &some, query, args...))
	require.Equal(t, []thing{{1, "one"}, {5, "five"}}, some)

	tx, err := db.BeginTxx(ctx, nil)
	require.NoError(t, err)
	_, err = tx.NamedExecContext(ctx, "INSERT INTO things VALUES (:id, :name)", thing{6, "six"})
	require.NoError(t, err)
	stmt, err := tx.PreparexContext(ctx, "SELECT count(*) FROM things")
	require.NoError(t, err)
	var n int
	require.NoError(t, stmt.GetContext(ctx, &n))
	require.Equal(t, 6, n)
	require.NoError(t, tx.Rollback())
	named, err := db.PrepareNamedContext(ctx, "SELECT count(*) FROM things WHERE id <= :id")
	require.NoError(t, err)
	require.NoError(t, named.GetContext(ctx, &n, thing{ID: 4}))
	require.Equal(t, 4, n)
	require.NoError(t, named.Close())
	served(t, p, "a")
}

func TestGormWorksUnchanged(t *testing.T) {
	server := throwaway.PostgresFor(t, throwaway.PostgresConfig{})
	plain, p := open(t, overPostgres(t, server, "postgres", "postgres"), sqlfair.Config{
		MaxOpenConns: 2, PreparedStatements: 20, Tenancy: sqlfair.PostgresTenant("app.tenant"),
	})
	db, err := gorm.Open(postgres.New(postgres.Config{Conn: plain}), &gorm.Config{
		PrepareStmt: true, Logger: logger.Discard,
	})
	require.NoError(t, err)
	require.NoError(t, db.WithContext(as("migration")).AutoMigrate(&thing{}))
	db = db.WithContext(as("a"))
	require.NoError(t, db.Create(&[]thing{{1, "one"}, {2, "two"}, {3, "three"}}).Error)
	var got thing
	require.NoError(t, db.First(&got, "name = ?", "two").Error)
	require.Equal(t, 2, got.ID)
	rolledBack := errors.New("rolled back")
	require.ErrorIs(t, db.Transaction(func(tx *gorm.DB) error {
		require.NoError(t, tx.Delete(&thing{}, "id > 0").Error)
		return rolledBack
	}), rolledBack)
	var n int64
	require.NoError(t, db.Model(&thing{}).Count(&n).Error)
	require.EqualValues(t, 3, n)
	var tenant string
	require.NoError(t, db.Raw("SELECT current_setting('app.tenant')").Scan(&tenant).Error)
	require.Equal(t, "a", tenant)
	wait(t, "the last session is wiped", func() bool { return p.Stats().InUse == 0 })
	served(t, p, "a")
	served(t, p, "migration")
	own, err := db.DB()
	require.NoError(t, err)
	require.Same(t, plain, own)
	db.ConnPool.(*gorm.PreparedStmtDB).Close()
}

// What sqlc generates.
type (
	dbtx      = queryer
	generated struct{ db dbtx }
)

func (q *generated) WithTx(tx *sql.Tx) *generated { return &generated{db: tx} }

func (q *generated) CountThings(ctx context.Context) (n int, err error) {
	err = q.db.QueryRowContext(ctx, "SELECT count(*) FROM things").Scan(&n)
	return n, err
}

func TestWhatSqlcGeneratesWorksUnchanged(t *testing.T) {
	db, p := open(t, overSQLite(t), sqlfair.Config{MaxOpenConns: 2})
	tx, err := db.BeginTx(as("a"), nil)
	require.NoError(t, err)
	_, err = tx.Exec("DELETE FROM things WHERE id > 3")
	require.NoError(t, err)
	n, err := (&generated{db}).WithTx(tx).CountThings(as("a"))
	require.NoError(t, err)
	require.Equal(t, 3, n)
	require.NoError(t, tx.Rollback())
	c, err := db.Conn(as("a"))
	require.NoError(t, err)
	for _, q := range []dbtx{db, c} {
		n, err := (&generated{q}).CountThings(as("a"))
		require.NoError(t, err)
		require.Equal(t, 5, n)
	}
	require.NoError(t, c.Close())
	served(t, p, "a")
}

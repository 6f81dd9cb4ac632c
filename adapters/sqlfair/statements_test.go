package sqlfair_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/fairpool/fairpool/adapters/sqlfair"
	"github.com/stretchr/testify/require"
)

// prepared counts how often statements were prepared and closed.
func prepared(f *fake) (prepared, closed int) {
	for _, call := range f.wrote() {
		if strings.HasPrefix(call, "prepare ") {
			prepared++
		}
		if strings.HasPrefix(call, "close ") {
			closed++
		}
	}
	return prepared, closed
}

func TestAStatementOfTheDBIsPreparedOnceForEachConnection(t *testing.T) {
	for kept, want := range map[int]int{0: 31, 5: 2} {
		t.Run(fmt.Sprint(kept), func(t *testing.T) {
			f := &fake{}
			db, _ := open(t, f, sqlfair.Config{MaxOpenConns: 2, PreparedStatements: kept})
			fill(t, db, 2)
			stmt, err := db.PrepareContext(as("a"), "insert ?")
			require.NoError(t, err)
			for i := range 30 {
				held, err := db.Conn(as("b")) // so that the other is used too
				require.NoError(t, err)
				_, err = stmt.ExecContext(as("a"), i)
				require.NoError(t, err)
				if i%2 == 0 {
					require.NoError(t, held.Close())
					held, err = db.Conn(as("a"))
					require.NoError(t, err)
				}
				require.NoError(t, held.Close())
			}
			require.NoError(t, stmt.Close())
			n, _ := prepared(f)
			require.Equal(t, want, n)
		})
	}
}

func TestOnlyTheStatementsUsedLastAreKept(t *testing.T) {
	f := &fake{}
	db, p := open(t, f, sqlfair.Config{MaxOpenConns: 1, PreparedStatements: 2})
	use := func(queries ...string) {
		for _, q := range queries {
			stmt, err := db.PrepareContext(as("a"), q)
			require.NoError(t, err)
			require.NoError(t, stmt.Close())
		}
	}
	use("one", "two", "one", "three", "one")
	require.Equal(t, []string{"prepare one", "prepare two", "prepare three", "close two"}, relevant(f.wrote()))
	p.Reset()
	wait(t, "it is closed", func() bool { return f.open() == 0 })
	_, closed := prepared(f)
	require.Equal(t, 3, closed, "the others with their connection")
}

func TestAStatementThatFailedIsNotKept(t *testing.T) {
	f := &fake{on: func(_ *fakeConn, call string) error {
		if strings.HasPrefix(call, "stmt") {
			return errors.New("cached plan must not change result type")
		}
		return nil
	}}
	db, _ := open(t, f, sqlfair.Config{MaxOpenConns: 1, PreparedStatements: 2})
	stmt, err := db.PrepareContext(as("a"), "insert")
	require.NoError(t, err)
	_, err = stmt.ExecContext(as("a"))
	require.Error(t, err)
	_, err = stmt.QueryContext(as("a"))
	require.Error(t, err)
	require.NoError(t, stmt.Close())
	n, closed := prepared(f)
	require.Equal(t, []int{2, 2}, []int{n, closed}, "prepared by PrepareContext and kept, and then once more")
}

func TestAStatementInUseTwiceIsPreparedTwice(t *testing.T) {
	f := &fake{}
	db, _ := open(t, f, sqlfair.Config{MaxOpenConns: 1, PreparedStatements: 2})
	tx, err := db.BeginTx(as("a"), nil)
	require.NoError(t, err)
	for range 2 {
		stmt, err := tx.Prepare("insert")
		require.NoError(t, err)
		defer stmt.Close()
	}
	require.NoError(t, tx.Commit())
	n, closed := prepared(f)
	require.Equal(t, []int{2, 1}, []int{n, closed})
}

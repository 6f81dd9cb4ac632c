package sqlfair_test

import (
	"regexp"
	"testing"

	"github.com/fairpool/fairpool/adapters/internal/suite"
	"github.com/fairpool/fairpool/adapters/throwaway"
)

// TestTheTestsOfPgxForDatabaseSQLPass runs the tests of pgx/stdlib, those of the
// version of pgx that the module requires, on DBs of sqlfair.
func TestTheTestsOfPgxForDatabaseSQLPass(t *testing.T) {
	suite.Run(t, suite.Suite{
		Module:  "github.com/jackc/pgx/v5",
		Folder:  "stdlib",
		Skip:    regexp.MustCompile(`internal|go1\.27|bench`),
		Replace: map[string]string{"github.com/jackc/pgx/v5/stdlib": "testdata/stdlib.go"},
		Rewrite: map[string]string{
			"sql.Open(":                 "stdlib.Open(",
			"driverConn.(*stdlib.Conn)": "stdlib.Unwrap(driverConn).(*stdlib.Conn)",
			"db.SetMaxOpenConns(":       "stdlib.SetMaxOpenConns(db, ",
		},
		Database: throwaway.PostgresFor(t, throwaway.PostgresConfig{}).URL("postgres"),
		Differences: map[string]string{
			"TestCheckIdleConn":                    "DB.Stats counts no idle connections: they are the pool's",
			"TestConnMultiplePrepareAndDeallocate": "a statement of the DB is prepared for each use, and closed after it",
			"TestOptionBeforeAfterConnect":         "SetMaxIdleConns has no effect: the connection is kept",
		},
	})
}

package pgxfair_test

import (
	"testing"

	"github.com/fairpool/fairpool/adapters/internal/suite"
)

// TestTheTestsOfPgxpoolPass runs pgxpool's own tests, those of the version of pgx
// that the module requires, with pgxfair in the place of pgxpool.
func TestTheTestsOfPgxpoolPass(t *testing.T) {
	suite.Run(t, suite.Suite{
		Module:   "github.com/jackc/pgx/v5",
		Folder:   "pgxpool",
		Replace:  map[string]string{"github.com/jackc/pgx/v5/pgxpool": "testdata/pgxpool.go"},
		Internal: []string{"internal/pgmock"},
		Database: database(t),
		Differences: map[string]string{
			"TestConnectConfigRequiresConnConfigFromParseConfig": "a wrong configuration is an error, not a panic",
			"TestPoolAcquireCanceledDuringStalledPing":           "a PingTimeout of 0 is five seconds, not a minute, and a new connection is not pinged",
			"TestPoolAcquireDestroysExpiredIdleConn":             "a connection is closed when its lifetime is over, not when it is acquired next",
			"TestPoolBackgroundConnectionsContext":               "a connection may take ten seconds, not a minute, and are tried again after a second at most, not after HealthCheckPeriod",
		},
		Races: map[string]string{
			"TestPoolAcquireChecksIdleConns": "when one idle connection is found dead the others are checked beside, not before a new one is made, and may not be closed yet",
		},
	})
}

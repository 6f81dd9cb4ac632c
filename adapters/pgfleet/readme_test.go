package pgfleet_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// The faults are injected with the client that the README shows.
func TestTheClientOfTheReadmeIsTheOneOfTheFaults(t *testing.T) {
	const client = `"postgres://postgres@"+addr+"/postgres?sslmode=disable")`
	for _, file := range []string{"README.md", "faults_test.go"} {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Contains(t, string(text), client, file)
	}
}

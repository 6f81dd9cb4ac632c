package throwaway

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAMissingProgramIsNamedWithItsPackage(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("FAIRPOOL_HIDE", "")
	defer func(before []string) { outside = before }(outside)
	outside = nil
	for program, start := range map[string]func() error{
		"initdb":       func() error { _, err := StartPostgres(context.Background(), PostgresConfig{}); return err },
		"redis-server": func() error { _, err := StartRedis(context.Background(), RedisConfig{}); return err },
		"pgbouncer":    func() error { _, err := StartPgBouncer(context.Background(), nil, PgBouncerConfig{}); return err },
	} {
		var missing *MissingError
		require.ErrorAs(t, start(), &missing)
		require.Equal(t, program, missing.Program)
		require.NotEmpty(t, missing.Package)
	}
}

func TestTheHighestVersionOutsideOfPathIsFound(t *testing.T) {
	root := t.TempDir()
	for _, v := range []string{"9.6", "16", "15", "17"} {
		dir := filepath.Join(root, "postgresql", v, "bin")
		require.NoError(t, os.MkdirAll(dir, 0o755))
		mode := os.FileMode(0o755)
		if v == "17" {
			mode = 0o644 // not a program
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, "initdb"), nil, mode))
	}
	t.Setenv("PATH", t.TempDir())
	t.Setenv("FAIRPOOL_HIDE", "")
	defer func(before []string) { outside = before }(outside)
	outside = []string{filepath.Join(root, "postgresql/*/bin")}
	path, err := find("initdb")
	require.NoError(t, err)
	require.Equal(t, filepath.Join(root, "postgresql/16/bin/initdb"), path)
}

func TestAPortInUseIsNotFree(t *testing.T) {
	port, err := freePort()
	require.NoError(t, err)
	require.True(t, isFree(port))
	require.False(t, isFree(1<<16), "no such port")
}

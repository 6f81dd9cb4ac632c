package throwaway

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A PgBouncerConfig describes a PgBouncer. Its zero value is good.
type PgBouncerConfig struct {
	// PoolSize is the most connections to a database, for each role. 0 means 20.
	PoolSize int

	// Roles are the roles that may connect, beside postgres, which may use the
	// administration console too.
	Roles []string

	// Settings are settings of the section pgbouncer of its file, beside or
	// instead of those that the package chooses. The port is not among them.
	Settings map[string]string
}

// A PgBouncer is a PgBouncer in transaction mode in front of a PostgreSQL
// server. It may outlive that, and is closed before or after it.
type PgBouncer struct{ *server }

// StartPgBouncer starts a PgBouncer in front of db. It needs pgbouncer. The
// caller closes it.
func StartPgBouncer(ctx context.Context, db *Postgres, cfg PgBouncerConfig) (*PgBouncer, error) {
	program, err := find("pgbouncer")
	if err != nil {
		return nil, err
	}
	if cfg.PoolSize < 0 {
		return nil, fmt.Errorf("throwaway: PgBouncerConfig.PoolSize is %d, must not be negative; 0 means 20", cfg.PoolSize)
	}
	if cfg.PoolSize == 0 {
		cfg.PoolSize = 20
	}
	if _, ok := cfg.Settings["listen_port"]; ok {
		return nil, fmt.Errorf("throwaway: PgBouncerConfig.Settings[%q] is %q, but the port is chosen", "listen_port", cfg.Settings["listen_port"])
	}
	s, err := newServer("pgbouncer")
	if err != nil {
		return nil, err
	}
	b := &PgBouncer{s}
	file, users := filepath.Join(s.dir, "pgbouncer.ini"), filepath.Join(s.dir, "users.txt")
	s.ready = func(int) error {
		conn, err := net.DialTimeout("tcp", s.Addr(), time.Second)
		if err == nil {
			conn.Close()
		}
		return err
	}
	var failed error
	s.arguments = func() []string {
		failed = s.write(file, cfg.file(db, users, s.port))
		return []string{program, file}
	}
	err = s.write(users, cfg.users())
	if err == nil {
		err = errors.Join(s.startSomewhere(ctx), failed)
	}
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// file returns the text of the configuration file.
func (c PgBouncerConfig) file(db *Postgres, users string, port int) string {
	all := map[string]string{
		"listen_addr":               "127.0.0.1",
		"unix_socket_dir":           "",
		"auth_type":                 "trust",
		"auth_file":                 users,
		"admin_users":               "postgres",
		"pool_mode":                 "transaction",
		"default_pool_size":         strconv.Itoa(c.PoolSize),
		"max_client_conn":           "10000",
		"ignore_startup_parameters": "extra_float_digits",
	}
	maps.Copy(all, c.Settings)
	all["listen_port"] = strconv.Itoa(port)
	var b strings.Builder
	fmt.Fprintf(&b, "[databases]\n* = host=127.0.0.1 port=%d\n[pgbouncer]\n", db.port)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&b, "%s = %s\n", name, all[name])
	}
	return b.String()
}

// users returns the text of the file that names who may connect.
func (c PgBouncerConfig) users() string {
	var b strings.Builder
	for _, role := range append([]string{"postgres"}, c.Roles...) {
		fmt.Fprintf(&b, "\"%s\" \"\"\n", strings.ReplaceAll(role, `"`, `""`))
	}
	return b.String()
}

// write writes a file that the server can read.
func (s *server) write(name, text string) error {
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		return fmt.Errorf("throwaway: %w", err)
	}
	return nil
}

// URL returns the connection string of a database for the superuser; that of the
// administration console is URL("pgbouncer").
func (b *PgBouncer) URL(database string) string { return b.URLFor("postgres", database) }

// URLFor returns the connection string of a database for a role.
func (b *PgBouncer) URLFor(role, database string) string { return urlFor(b.Addr(), role, database) }

// Stop stops the PgBouncer and waits until it has ended. Start starts it again on
// the same port.
func (b *PgBouncer) Stop() error { return b.end(quit) }

// Restart is Stop and Start.
func (b *PgBouncer) Restart(ctx context.Context) error { return b.restart(ctx, quit) }

// Close ends the PgBouncer and removes all that is left of it. Further calls do
// nothing.
func (b *PgBouncer) Close() error { return b.close(quit) }

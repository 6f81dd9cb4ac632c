package throwaway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// A PostgresConfig describes a PostgreSQL server. Its zero value is good.
type PostgresConfig struct {
	// Settings are server settings, such as max_connections, beside or instead
	// of those that the package chooses. The port is not among them.
	Settings map[string]string

	// Primary is a server that runs. Then the new one starts with a copy of its
	// data and follows it, as a hot standby, until pg_promote is called or the
	// setting primary_conninfo changed. It has to be given the same settings.
	Primary *Postgres

	// SettableClock has SetClock work. It needs a C compiler, and Linux.
	SettableClock bool
}

// A Postgres is a PostgreSQL server. Everybody may connect as anybody, without
// encryption; postgres is a superuser, and a database.
type Postgres struct{ *server }

// A Shutdown is how a PostgreSQL server is stopped.
type Shutdown int

const (
	Fast      Shutdown = iota // transactions are rolled back
	Immediate                 // as in a crash: the server recovers when it is started again
)

func (s Shutdown) signal() signal {
	if s == Immediate {
		return quit
	}
	return interrupt
}

// StartPostgres creates a database cluster and starts a server for it. It needs
// initdb and postgres, from PATH or where packages put them. The caller closes
// the server.
func StartPostgres(ctx context.Context, cfg PostgresConfig) (*Postgres, error) {
	initdb, err := find("initdb")
	if err != nil {
		return nil, err
	}
	// That of the same version is beside initdb, where a link on PATH may lead.
	if real, err := filepath.EvalSymlinks(initdb); err == nil {
		initdb = real
	}
	postgres := filepath.Join(filepath.Dir(initdb), "postgres")
	if _, err := os.Stat(postgres); err != nil {
		if postgres, err = find("postgres"); err != nil {
			return nil, err
		}
	}
	if _, ok := cfg.Settings["port"]; ok {
		return nil, fmt.Errorf("throwaway: PostgresConfig.Settings[%q] is %q, but the port is chosen", "port", cfg.Settings["port"])
	}
	s, err := newServer("postgres")
	if err != nil {
		return nil, err
	}
	p := &Postgres{s}
	data := filepath.Join(s.dir, "data")
	s.ready = func(pid int) error { return readyFile(data, pid) }
	create := []string{initdb, "--pgdata=" + data, "--username=postgres", "--auth=trust",
		"--encoding=UTF8", "--no-locale", "--no-sync"}
	if cfg.Primary != nil {
		create = []string{filepath.Join(filepath.Dir(initdb), "pg_basebackup"), "--pgdata=" + data, "--dbname=" + cfg.Primary.URL(""),
			"--write-recovery-conf", "--checkpoint=fast", "--no-sync"}
	}
	s.arguments = func() []string { return append([]string{postgres, "-D", data}, settings(cfg, s.port)...) }
	err = s.run(ctx, create[0], create[1:]...)
	if err == nil && cfg.SettableClock {
		err = s.ownClock(ctx)
	}
	if err == nil {
		err = s.startSomewhere(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// settings returns the arguments that configure a server.
func settings(cfg PostgresConfig, port int) []string {
	all := map[string]string{
		"listen_addresses":        "127.0.0.1",
		"unix_socket_directories": "",
		"fsync":                   "off",
		"full_page_writes":        "off",
		"synchronous_commit":      "off",
		"shared_buffers":          "32MB",
	}
	maps.Copy(all, cfg.Settings)
	all["port"] = strconv.Itoa(port)
	var args []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		args = append(args, "-c", name+"="+all[name])
	}
	return args
}

// readyFile looks into the file in which a server says how far it is.
func readyFile(data string, pid int) error {
	text, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		return err
	}
	const status = 7 // lines before it
	lines := bytes.Split(text, []byte("\n"))
	if len(lines) <= status || string(lines[0]) != strconv.Itoa(pid) {
		return errors.New("starting")
	}
	if state := string(bytes.TrimSpace(lines[status])); state != "ready" && state != "standby" {
		return fmt.Errorf("%s", state)
	}
	return nil
}

// URL returns the connection string of a database for the superuser.
func (p *Postgres) URL(database string) string { return p.URLFor("postgres", database) }

// URLFor returns the connection string of a database for a role.
func (p *Postgres) URLFor(role, database string) string { return urlFor(p.Addr(), role, database) }

func urlFor(addr, role, database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(role), Host: addr, Path: "/" + database, RawQuery: "sslmode=disable"}
	return u.String()
}

// Stop stops the server and waits until it has ended. Start starts it again,
// with the same data on the same port.
func (p *Postgres) Stop(how Shutdown) error { return p.end(how.signal()) }

// Restart is Stop and Start.
func (p *Postgres) Restart(ctx context.Context, how Shutdown) error {
	return p.restart(ctx, how.signal())
}

// Close stops the server and removes all that is left of it. Further calls do
// nothing.
func (p *Postgres) Close() error { return p.close(quit) }

// Package throwaway starts servers that tests and demonstrations throw away
// afterwards: PostgreSQL, PgBouncer in front of one, and Redis or Valkey. They
// are the real ones, run from the binaries that are installed.
//
// Each server has a folder of its own among the temporary files and a free port
// of the loopback address, and trades durability for speed. It runs in a process
// group of its own; as somebody else if the caller is root, because PostgreSQL
// and PgBouncer refuse to run as root: as the user postgres if there is one, or
// nobody.
//
// Nothing is left of a server after its Close, nor after the end of the process
// that started it, however that came about: a small shell process waits for the
// end of the other, ends the server and removes the folder. It needs nothing but
// sh, kill, sleep and rm. On Linux the kernel ends the server too.
//
// Where a binary is missing, starting fails with a *MissingError that names the
// package to install. Tests use PostgresFor, PgBouncerFor and RedisFor, which
// skip the test in that case, as ProgramFor does for any other program.
//
// Servers are not started on Windows: there, starting fails with an error that
// wraps errors.ErrUnsupported.
package throwaway

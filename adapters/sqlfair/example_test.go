package sqlfair_test

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/fairpool/fairpool/adapters/sqlfair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"modernc.org/sqlite"
)

func Example() {
	connector, err := sqlite.NewConnector("file:example?mode=memory&cache=shared")
	if err != nil {
		panic(err)
	}
	db, connections, err := sqlfair.Open(connector, sqlfair.Config{
		MaxOpenConns: 4,
		Sharing: fairshare.Config{
			Tenants: map[string]fairshare.Share{"batch": {Weight: 0.5, Max: 3}},
		},
	})
	if err != nil {
		panic(err)
	}
	defer db.Close()

	ctx := fairshare.WithTenant(context.Background(), "web")
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		panic(err)
	}
	tx.Exec("CREATE TABLE visits (page TEXT)")
	tx.Exec("INSERT INTO visits VALUES ('/')")
	for h := range connections.Holders() {
		fmt.Println(h.Tenant, "holds a connection")
	}
	fmt.Println("commit:", tx.Commit())

	var n int
	err = db.QueryRowContext(ctx, "SELECT count(*) FROM visits").Scan(&n)
	fmt.Println(n, err)
	// Output:
	// web holds a connection
	// commit: <nil>
	// 1 <nil>
}

func ExampleTenancy() {
	connector, err := sqlite.NewConnector(":memory:")
	if err != nil {
		panic(err)
	}
	db, _, err := sqlfair.Open(connector, sqlfair.Config{
		MaxOpenConns: 1,
		Tenancy: sqlfair.Tenancy{
			Admit: func(tenant string) error {
				if tenant == "" {
					return fmt.Errorf("a query for nobody")
				}
				return nil
			},
			Bind: func(ctx context.Context, c *sql.Conn, tenant string) error {
				if _, err := c.ExecContext(ctx, "CREATE TEMPORARY TABLE me AS SELECT ? AS name", tenant); err != nil {
					return err
				}
				return nil
			},
			Reset: func(ctx context.Context, c *sql.Conn) error {
				_, err := c.ExecContext(ctx, "DROP TABLE me")
				return err
			},
		},
	})
	if err != nil {
		panic(err)
	}
	defer db.Close()
	for _, tenant := range []string{"a", "b", ""} {
		var name string
		err := db.QueryRowContext(fairshare.WithTenant(context.Background(), tenant), "SELECT name FROM me").Scan(&name)
		fmt.Println(name, err)
	}
	// Output:
	// a <nil>
	// b <nil>
	//  a query for nobody
}

// A batch that floods the pool is told to wait; what it may hold can change at
// any time.
func ExamplePool() {
	connector, err := sqlite.NewConnector(":memory:")
	if err != nil {
		panic(err)
	}
	db, connections, err := sqlfair.Open(connector, sqlfair.Config{MaxOpenConns: 8})
	if err != nil {
		panic(err)
	}
	defer db.Close()
	if err := connections.SetShare("batch", fairshare.Share{Max: 2}); err != nil {
		panic(err)
	}
	if err := connections.Resize(4); err != nil { // not db.SetMaxOpenConns
		panic(err)
	}
	if err := db.PingContext(fairshare.WithTenant(context.Background(), "batch")); err != nil {
		panic(err)
	}
	for tenant, s := range connections.Tenants() {
		fmt.Println(tenant, "has had", s.Acquired, "of", connections.Stats().Capacity, "and may hold", s.Cap)
	}
	// Output: batch has had 1 of 4 and may hold 2
}

func ExampleConns() {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		panic(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(4)
	db.SetMaxIdleConns(4)
	conns, err := sqlfair.Conns(db, pool.Config[*sql.Conn]{})
	if err != nil {
		panic(err)
	}
	defer conns.Close()
	err = conns.Do(context.Background(), "tenant-1", func(ctx context.Context, c *sql.Conn) error {
		var n int
		err := c.QueryRowContext(ctx, "SELECT 6 * 7").Scan(&n)
		fmt.Println(n)
		return err
	})
	fmt.Println(err)
	// Output:
	// 42
	// <nil>
}

func ExampleUnwrap() {
	connector, err := sqlite.NewConnector(":memory:")
	if err != nil {
		panic(err)
	}
	db, _, err := sqlfair.Open(connector, sqlfair.Config{MaxOpenConns: 1})
	if err != nil {
		panic(err)
	}
	defer db.Close()
	c, err := db.Conn(context.Background())
	if err != nil {
		panic(err)
	}
	defer c.Close()
	err = c.Raw(func(driverConn any) error {
		image, err := sqlfair.Unwrap(driverConn).(interface{ Serialize() ([]byte, error) }).Serialize()
		fmt.Printf("%.15s\n", image)
		return err
	})
	fmt.Println(err)
	// Output:
	// SQLite format 3
	// <nil>
}

package main

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"
	_ "modernc.org/sqlite"
)

const (
	customers = 5000

	// slowSQL is what the batch asks: it reads every order of a range.
	slowSQL = `
		SELECT product, sum(cents * quantity), sum(cents * cents), count(DISTINCT customer)
		FROM orders WHERE id BETWEEN ? AND ?
		GROUP BY product ORDER BY 2 DESC LIMIT 10`

	// quickSQL is what a web page asks: it finds a few orders by an index.
	quickSQL = `
		SELECT id, product, cents * quantity
		FROM orders WHERE customer = ?
		ORDER BY id DESC LIMIT 20`
)

// createOrders makes a database file of invented orders. The *sql.DB serves
// as a factory of connections and keeps up to the given number of them open,
// so that both pools are handed the same ones, warm.
func createOrders(ctx context.Context, dir string, connections, orders int) (*sql.DB, error) {
	// Nothing has to survive a crash: the file goes when the program ends.
	db, err := sql.Open("sqlite", filepath.Join(dir, "orders.db")+"?_pragma=journal_mode(off)&_pragma=synchronous(off)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	for _, statement := range []string{
		`CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER, product INTEGER, cents INTEGER, quantity INTEGER)`,
		fmt.Sprintf(`
			WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < %d)
			INSERT INTO orders
			SELECT id, id * 2654435761 %% %d, id * 40503 %% 97, 100 + id * 48271 %% 9900, 1 + id * 69621 %% 9 FROM n`,
			orders, customers),
		`CREATE INDEX orders_by_customer ON orders (customer, id)`,
	} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			db.Close()
			return nil, fmt.Errorf("create the database: %w", err)
		}
	}
	return db, nil
}

// readingRate runs slow queries, of so many orders each, on all connections at
// once for a moment, and returns how many orders they read per second.
func readingRate(ctx context.Context, db *sql.DB, connections, orders int) (float64, error) {
	const moment = 300 * time.Millisecond
	read := make([]int, connections)
	g, ctx := errgroup.WithContext(ctx)
	begin := time.Now()
	for i := range connections {
		g.Go(func() error {
			conn, err := db.Conn(ctx)
			if err != nil {
				return err
			}
			defer conn.Close()
			for time.Since(begin) < moment {
				if err := runQuery(ctx, conn, slowSQL, 1, orders); err != nil {
					return err
				}
				read[i] += orders
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return 0, fmt.Errorf("measure the speed of the database: %w", err)
	}
	total := 0
	for _, n := range read {
		total += n
	}
	return float64(total) / time.Since(begin).Seconds(), nil
}

// runQuery reads the whole result of a query.
func runQuery(ctx context.Context, conn *sql.Conn, query string, args ...any) error {
	rows, err := conn.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
	}
	return rows.Err()
}

package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/jackc/pgx/v5"
)

// An order is a row as the API shows it.
type order struct {
	Tenant string  `json:"tenant"`
	ID     int64   `json:"id"`
	Item   string  `json:"item"`
	Price  float64 `json:"price"`
}

// An api answers the requests of all tenants. No query of it names a tenant.
type api struct {
	db     database
	report time.Duration
}

func newAPI(db database, report time.Duration) http.Handler {
	a := &api{db, report}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /orders", a.list)
	mux.HandleFunc("POST /orders", a.add)
	mux.HandleFunc("GET /report", a.sum)
	return withTenant(mux)
}

// withTenant finds out whose a request is, once for all that is done for it.
func withTenant(next http.Handler) http.Handler {
	owner := map[string]string{}
	for _, tenant := range tenants {
		owner["key-of-"+tenant] = tenant
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		tenant, ok := owner[key]
		if !ok {
			http.Error(w, "no such key", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r.WithContext(fairshare.WithTenant(r.Context(), tenant)))
	})
}

func (a *api) list(w http.ResponseWriter, r *http.Request) {
	rows, err := a.db.Query(r.Context(), "select tenant, id, item, price from orders order by id desc limit 20")
	if err != nil {
		fail(w, err)
		return
	}
	orders, err := pgx.CollectRows(rows, pgx.RowToStructByPos[order])
	answer(w, orders, err)
}

func (a *api) add(w http.ResponseWriter, r *http.Request) {
	var o order
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&o); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	err := a.db.QueryRow(r.Context(), "insert into orders (item, price) values ($1, $2) returning tenant, id, item, price", o.Item, o.Price).
		Scan(&o.Tenant, &o.ID, &o.Item, &o.Price)
	answer(w, o, err)
}

// sum is a report. To take as long on any machine it sleeps.
func (a *api) sum(w http.ResponseWriter, r *http.Request) {
	var report struct {
		Orders int     `json:"orders"`
		Sum    float64 `json:"sum"`
	}
	err := a.db.QueryRow(r.Context(), "select count(*), sum(price) from orders, pg_sleep($1)", a.report.Seconds()).
		Scan(&report.Orders, &report.Sum)
	answer(w, report, err)
}

func answer(w http.ResponseWriter, result any, err error) {
	if err != nil {
		fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(result)
}

// fail tells a server with too much to do from one with a fault.
func fail(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	var waited *pool.AcquireError
	if errors.As(err, &waited) {
		status = http.StatusServiceUnavailable
	}
	http.Error(w, err.Error(), status)
}

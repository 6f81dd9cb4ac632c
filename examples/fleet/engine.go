package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"

	"github.com/fairpool/fairpool/adapters/fleet"
	"github.com/fairpool/fairpool/adapters/pgfleet"
	"github.com/fairpool/fairpool/adapters/redisfleet"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"
)

// A place is where the state of the fleet is kept.
type place struct {
	Kind  string // http, redis or postgres
	Addr  string
	Fleet string
}

// connect returns the engine there.
func (p place) connect(ctx context.Context) (fleet.Engine, func(), error) {
	switch p.Kind {
	case "redis":
		client := redis.NewClient(&redis.Options{Addr: p.Addr, MaxRetries: -1, ContextTimeoutEnabled: true})
		engine, err := redisfleet.New(client, p.Fleet)
		return engine, func() { client.Close() }, err
	case "postgres":
		db, err := pgxpool.New(ctx, p.Addr)
		if err != nil {
			return nil, nil, err
		}
		engine, err := pgfleet.New(ctx, db, p.Fleet)
		return engine, db.Close, err
	}
	return remote(p.Addr), func() {}, nil
}

// migrate installs what pgfleet needs.
func migrate(ctx context.Context, dsn string) error {
	db, err := pgxpool.New(ctx, dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	return pgfleet.Migrate(ctx, db)
}

// serveMemory has a fleet.Memory of this process serve others: the smallest
// engine there is, which forgets everything when this process ends.
func serveMemory() (addr string, end func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	engine := new(fleet.Memory)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var request fleet.Request
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		reply, err := engine.Sync(r.Context(), request)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		_ = json.NewEncoder(w).Encode(reply)
	})}
	go func() { _ = server.Serve(l) }()
	return l.Addr().String(), func() { server.Close() }, nil
}

// remote is the address of such a process.
type remote string

func (a remote) Sync(ctx context.Context, r fleet.Request) (reply fleet.Reply, err error) {
	body, err := json.Marshal(r)
	if err != nil {
		return reply, err
	}
	post, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+string(a), bytes.NewReader(body))
	if err != nil {
		return reply, err
	}
	answer, err := http.DefaultClient.Do(post)
	if err != nil {
		return reply, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return reply, fmt.Errorf("engine answered %s", answer.Status)
	}
	return reply, json.NewDecoder(answer.Body).Decode(&reply)
}

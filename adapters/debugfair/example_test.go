package debugfair_test

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/fairpool/fairpool/adapters/debugfair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
)

// get is what a client on this machine is answered, but for what depends on
// the time.
func get(h http.Handler, path string, lines int) string {
	r := httptest.NewRequest("GET", path, nil)
	r.RemoteAddr, r.Host = "127.0.0.1:50000", "localhost"
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	all := strings.SplitN(w.Body.String(), "\n", lines+3)
	return strings.Join(all[2:len(all)-1], "\n")
}

func ExampleHandler() {
	tabs, err := pool.New(pool.Config[string]{
		Constructor: func(context.Context) (string, error) { return "a tab", nil },
		MaxSize:     4,
	})
	if err != nil {
		panic(err)
	}
	defer tabs.Close()
	page := debugfair.Handler(debugfair.Pool{Name: "tabs", Source: tabs})
	defer page.Close()
	mux := http.NewServeMux()
	mux.Handle("/debug/fairpool/", page)

	fmt.Println(get(mux, "/debug/fairpool/?format=text", 1))
	// Output: tabs: 0 of 4 held, 0 idle, 0 building; 0 waiting
}

func ExampleNew() {
	api, err := fairshare.NewSemaphore(fairshare.Config{Capacity: 10})
	if err != nil {
		panic(err)
	}
	defer api.Close()
	page, err := debugfair.New(debugfair.Config{
		Title: "billing",
		Pools: []debugfair.Pool{{
			Name:   "tax API",
			Source: debugfair.Semaphore(api),
			Figures: func() iter.Seq2[string, string] {
				return debugfair.Pairs("granted", 10, "of", 40)
			},
		}},
		Authorize: func(r *http.Request) bool {
			user, password, _ := r.BasicAuth()
			return user == "ops" && password == "swordfish"
		},
	})
	if err != nil {
		panic(err)
	}
	defer page.Close()

	r := httptest.NewRequest("GET", "/?format=text", nil)
	w := httptest.NewRecorder()
	page.ServeHTTP(w, r)
	fmt.Println(w.Code)
	r.SetBasicAuth("ops", "swordfish")
	w = httptest.NewRecorder()
	page.ServeHTTP(w, r)
	fmt.Println(w.Code)
	// Output:
	// 403
	// 200
}

func ExampleSemaphore() {
	api, err := fairshare.NewSemaphore(fairshare.Config{Capacity: 10})
	if err != nil {
		panic(err)
	}
	defer api.Close()
	permit, err := api.Acquire(context.Background(), "acme")
	if err != nil {
		panic(err)
	}
	defer permit.Release()
	page := debugfair.Handler(debugfair.Pool{Name: "tax API", Source: debugfair.Semaphore(api)})
	defer page.Close()

	fmt.Println(get(page, "/?format=text", 1))
	// Output: tax API: 1 of 10 held, 0 idle, 0 building; 0 waiting
}

func ExampleWaits() {
	// A pool counts its waits by its Trace, a semaphore's are told.
	waits := new(debugfair.Waits)
	cfg := pool.Config[string]{
		Constructor: func(context.Context) (string, error) { return "a tab", nil },
		MaxSize:     4,
		Trace:       waits.Trace(pool.Trace{}),
	}
	tabs, err := pool.New(cfg)
	if err != nil {
		panic(err)
	}
	defer tabs.Close()
	page := debugfair.Handler(debugfair.Pool{Name: "tabs", Source: tabs, Waits: waits})
	defer page.Close()

	lease, err := tabs.Acquire(context.Background(), "acme") // is counted
	if err != nil {
		panic(err)
	}
	lease.Release()
	waits.Observe(25 * time.Millisecond) // another, of whatever else counts here
	fmt.Println(tabs.Stats().Acquired)
	// Output: 1
}

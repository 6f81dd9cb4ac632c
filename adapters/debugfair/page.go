package debugfair

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// A Config describes a Page. Pools is required.
type Config struct {
	Pools []Pool

	// Title tells the pages of several programs apart. "" means the name of
	// the program.
	Title string

	// Authorize says whether a request is answered. It is called for every
	// one, a stream's once. nil means those that come from the machine itself
	// without a proxy, and call it "localhost" or by a loopback address: a
	// site on the internet that has a browser here ask on its behalf does not.
	// A proxy on this machine that does not tell of itself in a header goes
	// unnoticed; behind one, set Authorize.
	Authorize func(*http.Request) bool

	// Every is how often the pools are looked at while somebody watches. 0
	// means 500 ms; else it lies between 100 ms and a minute.
	Every time.Duration
}

// A Page is an http.Handler that shows pools. It is to be served at a path that
// ends in a slash. All its methods may be called from any goroutine.
type Page struct {
	config Config
	boot   string
	stop   context.CancelFunc
	done   chan struct{}
	came   chan struct{} // somebody has, to watch

	pools []*watched // of the goroutine that samples, but for their histories

	mu      sync.Mutex
	latest  frame
	encoded []byte // the latest frame
	archive archive
	streams map[*stream]bool
	closed  bool
}

// Handler returns a Page of the pools with the defaults of Config. It panics
// where New returns an error.
func Handler(pools ...Pool) *Page {
	p, err := New(Config{Pools: pools})
	if err != nil {
		panic(err)
	}
	return p
}

// New returns a page, which looks at the pools from now on until Close, or an
// error that names each wrong field of cfg and its value.
func New(cfg Config) (*Page, error) {
	p, err := newPage(cfg)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	p.sample(time.Now())
	go p.run(ctx)
	return p, nil
}

// newPage returns a page that does not look by itself.
func newPage(cfg Config) (*Page, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if cfg.Title == "" {
		cfg.Title = filepath.Base(os.Args[0])
	}
	if cfg.Every == 0 {
		cfg.Every = usualEvery
	}
	if cfg.Authorize == nil {
		cfg.Authorize = isLocal
	}
	p := &Page{
		config: cfg, boot: rand.Text()[:12],
		done: make(chan struct{}), came: make(chan struct{}, 1), streams: map[*stream]bool{},
	}
	for _, pool := range cfg.Pools {
		p.pools = append(p.pools, &watched{Pool: pool})
	}
	return p, nil
}

func (c *Config) check() error {
	var wrong []error
	names := map[string]bool{}
	if len(c.Pools) == 0 {
		wrong = append(wrong, errors.New("debugfair: Config.Pools is empty"))
	}
	for i, p := range c.Pools {
		switch {
		case p.Name == "":
			wrong = append(wrong, fmt.Errorf("debugfair: Config.Pools[%d].Name is empty", i))
		case names[short(p.Name)]:
			wrong = append(wrong, fmt.Errorf("debugfair: Config.Pools[%d].Name is %q like that of another", i, p.Name))
		}
		names[short(p.Name)] = true
		if p.Source == nil {
			wrong = append(wrong, fmt.Errorf("debugfair: Config.Pools[%d].Source is nil", i))
		}
	}
	if c.Every != 0 && (c.Every < 100*time.Millisecond || c.Every > time.Minute) {
		wrong = append(wrong, fmt.Errorf("debugfair: Config.Every is %v; it lies between 100ms and 1m, or is 0", c.Every))
	}
	return errors.Join(wrong...)
}

// Close ends all streams, and waits until nobody looks at the pools any more.
// From then on requests are answered with status 503. An http.Server does not
// end its Shutdown before its streams have ended: call Close first, or have it
// called by Server.RegisterOnShutdown. Further calls do nothing.
func (p *Page) Close() {
	p.mu.Lock()
	p.closed = true
	for s := range p.streams {
		p.endLocked(s)
	}
	p.mu.Unlock()
	p.stop()
	<-p.done
}

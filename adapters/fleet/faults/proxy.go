package faults

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// A Proxy stands between one worker and the engine.
type Proxy struct {
	listener net.Listener
	running  sync.WaitGroup
	target   atomic.Pointer[string]
	requests atomic.Bool // are dropped
	replies  atomic.Bool // are dropped

	mu    sync.Mutex
	conns map[net.Conn]bool
}

// NewProxy starts a proxy to an address.
func NewProxy(target string) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{listener: l, conns: make(map[net.Conn]bool)}
	p.target.Store(&target)
	p.running.Add(1)
	go p.accept()
	return p, nil
}

// Addr is where it listens.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Cut drops what comes from the worker, what comes from the engine, or both.
// Connections stay open, as when a network is cut. What was dropped is lost:
// those connections are of no use again, and are closed when all is well.
func (p *Proxy) Cut(requests, replies bool) {
	was := p.requests.Load() || p.replies.Load()
	p.requests.Store(requests)
	p.replies.Store(replies)
	if was && !requests && !replies {
		p.drop()
	}
}

// Target has connections lead elsewhere from now on.
func (p *Proxy) Target(addr string) {
	p.target.Store(&addr)
	p.drop()
}

// Close ends the proxy.
func (p *Proxy) Close() {
	_ = p.listener.Close()
	p.drop()
	p.running.Wait()
}

func (p *Proxy) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		_ = c.Close()
	}
	clear(p.conns)
}

func (p *Proxy) accept() {
	defer p.running.Done()
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.running.Add(1)
		go p.connect(c)
	}
}

func (p *Proxy) connect(worker net.Conn) {
	defer p.running.Done()
	defer worker.Close()
	engine, err := net.Dial("tcp", *p.target.Load())
	if err != nil {
		return
	}
	defer engine.Close()
	p.mu.Lock()
	p.conns[worker], p.conns[engine] = true, true
	p.mu.Unlock()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(valve{engine, &p.requests}, worker)
		_ = engine.Close()
		_ = worker.Close()
	}()
	_, _ = io.Copy(valve{worker, &p.replies}, engine)
	_ = engine.Close()
	_ = worker.Close()
	<-done
	p.mu.Lock()
	delete(p.conns, worker)
	delete(p.conns, engine)
	p.mu.Unlock()
}

// A valve is a writer that loses what it is given while it is shut.
type valve struct {
	io.Writer
	shut *atomic.Bool
}

func (v valve) Write(b []byte) (int, error) {
	if v.shut.Load() {
		return len(b), nil
	}
	return v.Writer.Write(b)
}

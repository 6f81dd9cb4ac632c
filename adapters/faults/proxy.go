package main

import (
	"net"
	"sync"
)

// A proxy passes connections on to a server, until it drops them: then nothing
// passes any more, in neither direction, and nobody is told.
type proxy struct {
	listener net.Listener
	server   string
	all      sync.WaitGroup

	mu    sync.Mutex
	deaf  bool // to new connections too
	drops int
	conns []net.Conn
}

func newProxy(server string) (*proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: l, server: server}
	p.all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.all.Go(func() { p.serve(c) })
		}
	})
	return p, nil
}

func (p *proxy) serve(c net.Conn) {
	p.mu.Lock()
	p.conns = append(p.conns, c)
	deaf, drops := p.deaf, p.drops
	p.mu.Unlock()
	if deaf {
		return
	}
	s, err := net.Dial("tcp", p.server)
	if err != nil {
		c.Close()
		return
	}
	p.mu.Lock()
	p.conns = append(p.conns, s)
	p.mu.Unlock()
	pass := func(from, to net.Conn) {
		buffer := make([]byte, 1<<15)
		for {
			n, err := from.Read(buffer)
			p.mu.Lock()
			dropped := p.drops != drops
			p.mu.Unlock()
			if err != nil {
				if !dropped {
					to.Close()
				}
				return
			}
			if !dropped {
				to.Write(buffer[:n])
			}
		}
	}
	p.all.Go(func() { pass(s, c) })
	pass(c, s)
}

// drop drops all connections, and those that are to come until heal is called.
func (p *proxy) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drops++
	p.deaf = true
}

func (p *proxy) heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deaf = false
}

func (p *proxy) close() {
	p.listener.Close()
	p.mu.Lock()
	for _, c := range p.conns {
		c.Close()
	}
	p.mu.Unlock()
	p.all.Wait()
}

package tracefair_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/trace"
	"time"

	"github.com/fairpool/fairpool/adapters/tracefair"
	"github.com/fairpool/fairpool/pool"
)

func connect(context.Context) (string, error) { return "a connection", nil }

// Waits are tasks in the execution trace, for "go tool trace".
func ExampleTrace() {
	p, _ := pool.New(pool.Config[string]{Constructor: connect, MaxSize: 1, Trace: tracefair.Trace()})
	defer p.Close()
	var b bytes.Buffer
	_ = trace.Start(&b)
	l, _ := p.Acquire(context.Background(), "acme")
	l.Release()
	trace.Stop()
	fmt.Println(bytes.Contains(b.Bytes(), []byte("fairpool.wait")))
	// Output: true
}

// When a tenant starves, what led to it is written down.
func ExampleWatch() {
	dir, _ := os.MkdirTemp("", "traces")
	defer os.RemoveAll(dir)
	written := make(chan tracefair.Dump, 1)
	recorder, err := tracefair.NewRecorder(tracefair.RecorderOptions{
		Dir:    dir,
		After:  20 * time.Millisecond,
		Report: func(d tracefair.Dump) { written <- d },
	})
	if err != nil {
		panic(err)
	}
	defer recorder.Stop()
	p, _ := pool.New(pool.Config[string]{Constructor: connect, MaxSize: 1, Trace: tracefair.Trace()})
	defer p.Close()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go tracefair.Watch(ctx, recorder, "db", p)

	hog, _ := p.Acquire(ctx, "hog")
	go func() {
		if l, err := p.Acquire(ctx, "small"); err == nil {
			l.Release()
		}
	}()
	d := <-written
	fmt.Println(d.Why.Tenant, "starves, see", filepath.Ext(d.Path))
	hog.Release()
	// Output: small starves, see .trace
}

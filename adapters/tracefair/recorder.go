package tracefair

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/trace"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fairpool/fairpool/adapters/internal/unit"
)

// RecorderOptions describe a Recorder. Dir is required.
type RecorderOptions struct {
	// Dir is where the files go. It has to be there.
	Dir string

	// After is how long a tenant waits below its share before that is written
	// down. 0 means five seconds.
	After time.Duration

	// Pause is how long after a file was written nothing is, whatever happens,
	// unless Write is called. 0 means five minutes, a negative one no pause.
	Pause time.Duration

	// MaxFiles is how many files are kept; the oldest go first. 0 means ten.
	MaxFiles int

	// Flight is a flight recorder that runs already, for there can be only
	// one. nil has the Recorder start its own, which reaches back to before
	// the wait began.
	Flight *trace.FlightRecorder

	// Report is told of each file, and of each that could not be written, by
	// the goroutine that wrote it. nil tells nobody.
	Report func(Dump)
}

// A Dump is a file that was written, or an error.
type Dump struct {
	Path string
	Why  Reason
	Err  error
}

// A Reason is why a file was written. What does not apply is zero.
type Reason struct {
	Pool   string
	Tenant string
	Waited time.Duration // of the tenant that starves
	Held   int           // slots that it holds
	Share  float64       // slots that it is entitled to
	Err    error         // of the lease that was asked back
}

// A Recorder writes down the last seconds of an execution trace. Its methods may
// be called from any goroutine.
type Recorder struct {
	options RecorderOptions
	write   func(io.Writer) error // of the flight recorder
	stop    func()

	mu   sync.Mutex
	last time.Time // a file was written
}

// NewRecorder starts a flight recorder, unless it is given one. It returns an
// error that names what is wrong with the options, or that of the flight
// recorder. Stop ends it.
func NewRecorder(o RecorderOptions) (*Recorder, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	r := &Recorder{options: o, stop: func() {}}
	flight := o.Flight
	if flight == nil {
		flight = trace.NewFlightRecorder(trace.FlightRecorderConfig{MinAge: 2 * o.After})
		if err := flight.Start(); err != nil {
			return nil, fmt.Errorf("tracefair: %w", err)
		}
		r.stop = flight.Stop
	}
	r.write = func(w io.Writer) error {
		_, err := flight.WriteTo(w)
		return err
	}
	return r, nil
}

func (o *RecorderOptions) complete() error {
	if info, err := os.Stat(o.Dir); o.Dir == "" || err != nil || !info.IsDir() {
		return fmt.Errorf("tracefair: RecorderOptions.Dir is %q, must be a directory", o.Dir)
	}
	if fault := unit.Fault(o.After); fault != "" {
		return fmt.Errorf("tracefair: RecorderOptions.After is %v, %s", o.After, fault)
	}
	if fault := unit.Fault(o.Pause); fault != "" {
		return fmt.Errorf("tracefair: RecorderOptions.Pause is %v, %s", o.Pause, fault)
	}
	if o.MaxFiles < 0 {
		return fmt.Errorf("tracefair: RecorderOptions.MaxFiles is %d, must not be negative", o.MaxFiles)
	}
	if o.Flight != nil && !o.Flight.Enabled() {
		return errors.New("tracefair: RecorderOptions.Flight was not started")
	}
	if o.After == 0 {
		o.After = 5 * time.Second
	}
	if o.Pause == 0 {
		o.Pause = 5 * time.Minute
	}
	if o.MaxFiles == 0 {
		o.MaxFiles = 10
	}
	return nil
}

// Stop ends the flight recorder, if it is the Recorder's own.
func (r *Recorder) Stop() { r.stop() }

// Write writes a file now, and returns its path.
func (r *Recorder) Write(why Reason) (path string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.writeLocked(why)
}

// happens writes a file unless that was done a short while ago.
func (r *Recorder) happens(why Reason) {
	r.mu.Lock()
	if !r.last.IsZero() && time.Since(r.last) < r.options.Pause {
		r.mu.Unlock()
		return
	}
	path, err := r.writeLocked(why)
	r.mu.Unlock()
	if r.options.Report != nil {
		r.options.Report(Dump{path, why, err})
	}
}

const prefix, suffix = "fairpool-", ".trace"

// writeLocked writes to a file that gets its name when it is complete. One that
// fails counts for the pause as well.
func (r *Recorder) writeLocked(why Reason) (path string, err error) {
	r.last = time.Now()
	file, err := os.CreateTemp(r.options.Dir, prefix+"*.unfinished")
	if err != nil {
		return "", fmt.Errorf("tracefair: %w", err)
	}
	path = filepath.Join(r.options.Dir, prefix+r.last.UTC().Format("20060102T150405.000000")+"-"+plain(why.Pool)+suffix)
	err = errors.Join(r.write(file), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		_ = os.Remove(file.Name())
		return "", fmt.Errorf("tracefair: %w", err)
	}
	if err = r.tidyLocked(); err != nil {
		return path, fmt.Errorf("tracefair: %w", err)
	}
	return path, nil
}

// tidyLocked removes the oldest files beyond MaxFiles, as their names tell.
func (r *Recorder) tidyLocked() error {
	entries, err := os.ReadDir(r.options.Dir)
	if err != nil {
		return err
	}
	var files []string
	for _, e := range entries {
		if name := e.Name(); strings.HasPrefix(name, prefix) && strings.HasSuffix(name, suffix) && e.Type().IsRegular() {
			files = append(files, name)
		}
	}
	slices.Sort(files)
	for len(files) > r.options.MaxFiles {
		err = errors.Join(err, os.Remove(filepath.Join(r.options.Dir, files[0])))
		files = files[1:]
	}
	return err
}

// plain is a name as far as any file system takes it.
func plain(name string) string {
	const most = 40
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '_'
	}, name[:min(len(name), most)])
}

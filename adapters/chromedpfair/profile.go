package chromedpfair

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/gofrs/flock"
)

const (
	folderPrefix = "chromedpfair-"
	lockName     = "in-use"
)

// A folder is a temporary one. While it is in use it holds a locked file; the
// lock ends with this process, however that comes, and then whoever looks for
// orphans next removes the folder.
type folder struct {
	path string
	lock *flock.Flock
}

// newFolder makes a folder in root, "" meaning that for temporary files.
func newFolder(root string) (*folder, error) {
	for try := 1; ; try++ {
		path, err := os.MkdirTemp(root, folderPrefix)
		if err != nil {
			return nil, err
		}
		f := &folder{path, flock.New(filepath.Join(path, lockName))}
		locked, err := f.lock.TryLock()
		if err == nil && locked {
			if _, err = os.Stat(f.lock.Path()); err == nil {
				return f, nil
			}
		}
		// Somebody has taken it for an orphan before it was locked.
		f.lock.Close()
		if try == 3 {
			os.RemoveAll(path)
			return nil, fmt.Errorf("lock %s: %w", f.lock.Path(), errors.Join(err, os.ErrDeadlineExceeded))
		}
	}
}

// remove removes the folder. What still holds on to a file of it, on Windows,
// gets a few seconds to let go.
func (f *folder) remove() (err error) {
	if runtime.GOOS == "windows" {
		f.lock.Close() // or the file could not be removed
	}
	defer f.lock.Close()
	for pause := 10 * time.Millisecond; pause < 4*time.Second; pause *= 2 {
		if err = os.RemoveAll(f.path); err == nil {
			return nil
		}
		time.Sleep(pause)
	}
	return fmt.Errorf("chromedpfair: remove a profile folder: %w", err)
}

// sweep removes the folders in root whose process has ended without doing so,
// and returns how many.
func sweep(root string) (swept int) {
	if root == "" {
		root = os.TempDir()
	}
	locks, _ := filepath.Glob(filepath.Join(root, folderPrefix+"*", lockName))
	for _, path := range locks {
		lock := flock.New(path, flock.SetFlag(os.O_RDWR)) // one that has gone meanwhile is not to come again
		if locked, err := lock.TryLock(); err != nil || !locked {
			lock.Close()
			continue
		}
		f := &folder{filepath.Dir(path), lock}
		if f.remove() == nil {
			swept++
		}
	}
	return swept
}

// A profile is the folders of one browser.
type profile struct {
	*folder
	temp string  // for its temporary files, "" for that of this process
	more *folder // where temp is, if the profile is no place for it
}

// The browser makes a socket in a folder of its own in that for temporary files.
// The path of a socket is short.
const (
	socketName = "/org.chromium.Chromium.XXXXXX/SingletonSocket"
	mostPath   = 107
)

func newProfile(root string) (*profile, error) {
	f, err := newFolder(root)
	if err != nil {
		return nil, fmt.Errorf("chromedpfair: make a profile folder: %w", err)
	}
	p := &profile{folder: f}
	if runtime.GOOS != "linux" { // others have other rules
		return p, nil
	}
	p.temp = filepath.Join(f.path, "tmp")
	if len(p.temp+socketName) > mostPath {
		if p.more, err = newFolder(""); err != nil {
			return nil, errors.Join(fmt.Errorf("chromedpfair: make a folder for temporary files: %w", err), f.remove())
		}
		p.temp = p.more.path
	}
	if err := os.MkdirAll(p.temp, 0o700); err != nil {
		return nil, errors.Join(fmt.Errorf("chromedpfair: make a folder for temporary files: %w", err), p.remove())
	}
	return p, nil
}

func (p *profile) remove() error {
	err := p.folder.remove()
	if p.more != nil {
		err = errors.Join(err, p.more.remove())
	}
	return err
}

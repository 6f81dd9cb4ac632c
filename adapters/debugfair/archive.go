package debugfair

import (
	"bytes"
	"cmp"
	"compress/flate"
	"io"
	"slices"
	"time"
)

const (
	archiveEvery = 2 * time.Second
	archiveBytes = 8 << 20
)

// An archive is compressed frames of the time that is looked back on.
type archive struct {
	pages []archived
	bytes int
}

type archived struct {
	at   time.Time
	data []byte
}

// add keeps the frame if it is time for another, and forgets the old ones, and
// more if they are too large.
func (a *archive) add(now time.Time, frame []byte) {
	if n := len(a.pages); n > 0 && now.Sub(a.pages[n-1].at) < archiveEvery {
		return
	}
	packed := pack(frame)
	a.pages = append(a.pages, archived{now, packed})
	a.bytes += len(packed)
	old := 0
	for old < len(a.pages)-1 && (now.Sub(a.pages[old].at) > lookBack || a.bytes > archiveBytes) {
		a.bytes -= len(a.pages[old].data)
		old++
	}
	a.pages = slices.Delete(a.pages, 0, old)
}

// nearest returns the frame kept that is nearest to t, still compressed.
func (a *archive) nearest(t time.Time) []byte {
	return slices.MinFunc(a.pages, func(x, y archived) int {
		return cmp.Compare(x.at.Sub(t).Abs(), y.at.Sub(t).Abs())
	}).data
}

func pack(frame []byte) []byte {
	var buf bytes.Buffer
	w, err := flate.NewWriter(&buf, flate.BestSpeed)
	if err == nil {
		w.Write(frame)
		err = w.Close()
	}
	if err != nil {
		panic(err) // there is nothing that can fail
	}
	return bytes.Clone(buf.Bytes())
}

func unpack(packed []byte) []byte {
	frame, err := io.ReadAll(flate.NewReader(bytes.NewReader(packed)))
	if err != nil {
		panic(err) // it is our own
	}
	return frame
}

package debugfair

import (
	"embed"
	"net/http"
	"path"
	"strconv"
	"time"
)

//go:embed static
var static embed.FS

// ServeHTTP answers, below the path at which the page is served:
//
//	./                   the page
//	./?format=text       the same as text
//	./?format=json       the same as JSON
//	./?format=json&at=n  as it was at n, in Unix milliseconds
//	./events             frames as server-sent events
//
// and the files of the page.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w.Header())
	if !p.config.Authorize(r) {
		http.Error(w, "debugfair: not from here; see Config.Authorize", http.StatusForbidden)
		return
	}
	if isForeign(r) {
		http.Error(w, "debugfair: not for another site", http.StatusForbidden)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "debugfair: there is nothing to change", http.StatusMethodNotAllowed)
		return
	}
	p.mu.Lock()
	closed := p.closed
	p.mu.Unlock()
	if closed {
		http.Error(w, "debugfair: closed", http.StatusServiceUnavailable)
		return
	}
	switch _, name := path.Split(r.URL.Path); name {
	case "":
		p.serveFormat(w, r)
	case "events":
		if r.Method == http.MethodGet {
			p.serveEvents(w, r)
		}
	default:
		serveFile(w, r, name)
	}
}

func (p *Page) serveFormat(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	p.mu.Lock()
	latest, encoded := p.latest, p.encoded
	p.mu.Unlock()
	switch query.Get("format") {
	case "":
		serveFile(w, r, "page.html")
	case "text":
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		writeText(w, &latest)
	case "json":
		if at := query.Get("at"); at != "" {
			ms, err := strconv.ParseInt(at, 10, 64)
			if err != nil {
				http.Error(w, "debugfair: at is not a number of milliseconds", http.StatusBadRequest)
				return
			}
			encoded = p.recall(time.UnixMilli(ms))
		}
		w.Header().Set("Content-Type", "application/json")
		w.Write(encoded)
	default:
		http.Error(w, "debugfair: format is neither text nor json", http.StatusBadRequest)
	}
}

// recall returns the frame kept that is nearest to t.
func (p *Page) recall(t time.Time) []byte {
	p.mu.Lock()
	packed := p.archive.nearest(t)
	p.mu.Unlock()
	return unpack(packed)
}

// kinds are those of the embedded files. What the system says of them, which
// package mime asks, may be wrong on Windows.
var kinds = map[string]string{
	".html":    "text/html; charset=utf-8",
	".css":     "text/css; charset=utf-8",
	".js":      "text/javascript; charset=utf-8",
	".svg":     "image/svg+xml",
	".LICENSE": "text/plain; charset=utf-8",
}

// serveFile serves one of the embedded files.
func serveFile(w http.ResponseWriter, r *http.Request, name string) {
	data, err := static.ReadFile("static/" + name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", kinds[path.Ext(name)])
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	w.Write(data)
}

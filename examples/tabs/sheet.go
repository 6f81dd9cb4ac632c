package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/chromedp/chromedp"
)

// A shot is the picture of a page.
type shot struct {
	Job     job
	Waited  time.Duration // for a tab
	At      time.Duration // since the run began
	picture []byte
}

// shots are the pictures of one run.
type shots struct {
	Name string

	mu  sync.Mutex
	all []shot
}

func (s *shots) add(one shot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, one)
}

// InOrder returns them in the order in which the pages were done.
func (s *shots) InOrder() []shot {
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.SortFunc(s.all, func(a, b shot) int { return int(a.At - b.At) })
	return s.all
}

func (s shot) Name() string { return fmt.Sprintf("%s-%02d", requests[s.Job.request], s.Job.number) }

func (s shot) Second() bool { return s.Job.request == 1 }

func (s shot) Times() string {
	return fmt.Sprintf("waited %.2f s, done at %.2f s", s.Waited.Seconds(), s.At.Seconds())
}

func (s shot) Source() template.URL {
	return template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(s.picture))
}

// save writes the pictures to a folder.
func (s *shots) save(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for _, one := range s.InOrder() {
		if err := os.WriteFile(filepath.Join(folder, one.Name()+".png"), one.picture, 0o644); err != nil {
			return err
		}
	}
	return nil
}

var sheetPage = template.Must(template.New("").Parse(`<!DOCTYPE html>
<meta charset=utf-8>
<title>Pages in the order in which they were done</title>
<style>
body { font: 14px sans-serif; margin: 24px; width: 1500px; background: #fafafa }
h2 { margin: 24px 0 8px }
div { display: grid; grid-template-columns: repeat(10, 1fr); gap: 10px }
figure { margin: 0; padding: 4px; background: #b9c6d8; border-radius: 4px }
figure.second { background: #f0803c }
img { width: 100%; display: block }
figcaption { font-size: 11px; padding-top: 3px }
</style>
{{range .}}<h2>{{.Name}}</h2>
<div>{{range .InOrder}}<figure class="{{if .Second}}second{{end}}"><img src="{{.Source}}"><figcaption><b>{{.Name}}</b><br>{{.Times}}</figcaption></figure>{{end}}</div>
{{end}}`))

// contactSheet draws all pictures as one, in a tab.
func contactSheet(ctx context.Context, run runner, file string, all []*shots) error {
	var page bytes.Buffer
	if err := sheetPage.Execute(&page, all); err != nil {
		return err
	}
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(page.Bytes()) // fails if the browser has gone
	}))
	defer site.Close()
	return run(ctx, "contact sheet", func(ctx context.Context) error {
		if err := chromedp.Do(ctx, chromedp.EmulateViewport(1548, 600), chromedp.Navigate(site.URL)); err != nil {
			return err
		}
		picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
		if err != nil {
			return err
		}
		return os.WriteFile(file, picture, 0o644)
	})
}

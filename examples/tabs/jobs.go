package main

import (
	"bufio"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"time"
)

// requests are who the pages are for.
var requests = [2]string{"request-1", "request-2"}

// A job is a page for a request.
type job struct {
	request int
	number  int // within the request, from 1
	url     string
}

// jobs returns the pages of the two requests, and a function that ends what
// serves them.
func (c config) jobs() (jobs []job, end func(), err error) {
	var urls []string
	pages, end := c.pages, func() {}
	if c.urls != "" {
		if urls, err = readURLs(c.urls); err != nil {
			return nil, nil, err
		}
		pages[1] = len(urls) / 4
		pages[0] = len(urls) - pages[1]
	} else {
		site := httptest.NewServer(slowSite(c.pageTime))
		end = site.Close
		for i := range pages[0] + pages[1] {
			urls = append(urls, site.URL+"/articles/"+strconv.Itoa(i+1))
		}
	}
	for i, url := range urls {
		j := job{0, i + 1, url}
		if i >= pages[0] {
			j.request, j.number = 1, i+1-pages[0]
		}
		jobs = append(jobs, j)
	}
	return jobs, end, nil
}

// readURLs reads a file of addresses. Empty lines and those that begin with #
// do not count.
func readURLs(file string) (urls []string, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if line := strings.TrimSpace(lines.Text()); line != "" && line[0] != '#' {
			urls = append(urls, line)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(urls) == 0 {
		return nil, fmt.Errorf("%s has no addresses", file)
	}
	return urls, nil
}

// slowSite serves articles, each in its own time: half of it to the double.
func slowSite(mean time.Duration) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/articles/{number}", func(w http.ResponseWriter, r *http.Request) {
		number, _ := strconv.Atoi(r.PathValue("number"))
		select {
		case <-time.After(mean/2 + mean*time.Duration(number*7%10)/9): // the server's own time
		case <-r.Context().Done():
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, article, number, number*9%360, strings.Repeat("<p>Every tenant waits for its turn, and no longer.", 3+number%5))
	})
	return mux
}

const article = `<!DOCTYPE html>
<title>Article %[1]d</title>
<style>body { font: 18px/1.6 sans-serif; max-width: 36em; margin: 3em auto } h1 { color: hsl(%[2]d 60%% 35%%) }</style>
<h1>Article %[1]d</h1>
%[3]s`

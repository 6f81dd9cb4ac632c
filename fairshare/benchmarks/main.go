// Command benchmarks measures who gets the slots of a pool under fairpool and
// under the rules that others use, in the scenarios by which fairpool's own is
// judged, and prints tables in Markdown:
//
//	go run ./fairshare/benchmarks
//
// All of it happens in virtual time, and every rule meets the same requests, so
// that the outcome is the same on every machine. With -write and the name of a
// folder, fairshare/benchmarks/results for one, it writes the tables there
// instead, with a CSV of all figures and the charts.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

func main() {
	log.SetFlags(0)
	folder := flag.String("write", "", "`folder` that the tables, a CSV and the charts are written to")
	short := flag.Bool("quick", false, "a tenth of the length: the same with more noise")
	flag.Parse()
	size := full
	if *short {
		size = quick
	}
	if err := report(*folder, size, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// report measures everything. It prints the tables to out if folder is empty,
// and writes all files into the folder otherwise. It makes the folder if there
// is none.
func report(folder string, s size, out io.Writer) error {
	if folder == "" {
		return writeMarkdown(out, measure(s, runtime.GOMAXPROCS(0)))
	}
	if err := os.MkdirAll(folder, 0o755); err != nil { // before a minute is spent in vain
		return err
	}
	start := time.Now()
	if err := write(folder, measure(s, runtime.GOMAXPROCS(0))); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "%s: written in %v\n", folder, time.Since(start).Round(time.Second))
	return err
}

func write(folder string, rows []row) error {
	if err := into(folder, "results.md", rows, writeMarkdown); err != nil {
		return err
	}
	if err := into(folder, "results.csv", rows, writeCSV); err != nil {
		return err
	}
	for _, c := range charts {
		if err := into(folder, c.file, rows, c.write); err != nil {
			return err
		}
	}
	return nil
}

func into(folder, name string, rows []row, write func(io.Writer, []row) error) error {
	var b bytes.Buffer
	if err := write(&b, rows); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return os.WriteFile(filepath.Join(folder, name), b.Bytes(), 0o644)
}

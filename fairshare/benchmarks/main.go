// Command benchmarks measures who gets the slots of a pool under fairpool and
// under the rules that others use, in the scenarios by which fairpool's own is
// judged:
//
//	go run ./fairshare/benchmarks
//
// All of it happens in virtual time, and every rule meets the same requests, so
// that the outcome is the same on every machine. A table in Markdown, one in CSV
// and the charts are written to fairshare/benchmarks/results.
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
	out := flag.String("out", filepath.Join("fairshare", "benchmarks", "results"), "folder for what is written")
	short := flag.Bool("quick", false, "a tenth of the length: the same with more noise")
	flag.Parse()
	size := full
	if *short {
		size = quick
	}
	start := time.Now()
	if err := write(*out, size); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: written in %v\n", *out, time.Since(start).Round(time.Second))
}

// write measures and writes everything into the folder, which is made if need
// be, but not the one above it.
func write(folder string, s size) error {
	if err := os.Mkdir(folder, 0o755); err != nil && !os.IsExist(err) {
		return fmt.Errorf("%w; run it from the root of the repository, or name a folder with -out", err)
	}
	rows := measure(s, runtime.GOMAXPROCS(0))
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

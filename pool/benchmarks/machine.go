package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// describe says what the figures are from.
func describe(rounds int, size string) string {
	return fmt.Sprintf("(%s %s/%s, %d processors%s; %s size, medians of %d rounds, or fewer where they are long.)",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0), load1(), size, rounds)
}

// load1 is how busy the machine was in the minute before, where it tells.
func load1() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	fields := strings.Fields(string(text))
	if len(fields) == 0 {
		return ""
	}
	return ", load average " + fields[0] + " before"
}

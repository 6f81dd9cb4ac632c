//go:build race

package fairshare_test

// The race detector makes everything some ten times as slow.
const raceDetector = true

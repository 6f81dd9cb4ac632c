//go:build race

package adaptfair_test

const raceEnabled = true

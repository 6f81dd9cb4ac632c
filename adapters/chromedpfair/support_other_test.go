//go:build !linux

package chromedpfair

func processesWith(string) []string { return nil } // cannot be told

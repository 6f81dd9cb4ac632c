package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// marker stands before and after the block of a file that is replaced.
const marker = "<!-- benchmarks -->"

// replaceBlock returns text with what is between its two markers replaced.
func replaceBlock(text, block string) (string, error) {
	parts := strings.Split(text, marker)
	if len(parts) != 3 {
		return "", fmt.Errorf("%d of the marker %s, must be two", len(parts)-1, marker)
	}
	return parts[0] + marker + "\n\n" + strings.TrimSpace(block) + "\n\n" + marker + parts[2], nil
}

// updatable returns an error if the named file has no block to replace.
func updatable(name string) error {
	text, err := os.ReadFile(name)
	if err == nil {
		_, err = replaceBlock(string(text), "")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// updateFile replaces the block of the named file. It is left as it was if
// anything goes wrong.
func updateFile(name, block string) error {
	old, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	text, err := replaceBlock(string(old), block)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	return overwrite(name, text, info.Mode().Perm())
}

// overwrite puts text in the place of the file in one step.
func overwrite(name, text string, mode os.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".benchmarks-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(text)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Chmod(f.Name(), mode)
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	return err
}

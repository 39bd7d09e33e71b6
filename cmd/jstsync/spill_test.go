package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"jstsync/diff"
)

// Nothing is left of a process that is killed: its file has no name.
func TestSpillFile(t *testing.T) {
	dir := t.TempDir()
	s, err := spillIn(dir, "do this")()
	if err != nil {
		t.Fatal(err)
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) > 0 && runtime.GOOS != "windows" {
		t.Errorf("while it is open: got %v, %v, want an empty directory", names, err)
	}
	for _, text := range []string{"first", " second"} {
		if n, err := s.Write([]byte(text)); n != len(text) || err != nil {
			t.Fatalf("Write: got %d, %v", n, err)
		}
	}
	b := make([]byte, 6)
	if _, err := s.ReadAt(b, 6); err != nil || string(b) != "second" {
		t.Errorf("ReadAt: got %q, %v, want second", b, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) > 0 {
		t.Errorf("after Close: got %v, %v, want an empty directory", names, err)
	}
	_, writeErr := s.Write([]byte("x"))
	_, openErr := spillIn(filepath.Join(dir, "nowhere"), "do this")()
	for what, err := range map[string]error{"Write": writeErr, "open": openErr} {
		e, ok := err.(*diff.Error) //nolint:errorlint // it is to be one itself
		if !ok || e.Remedy != "do this" || !strings.Contains(e.Error(), "set changes aside in a temporary file: ") {
			t.Errorf("%s: got %v", what, err)
		}
	}
}

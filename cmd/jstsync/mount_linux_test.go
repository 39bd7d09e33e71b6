package main

import (
	"fmt"
	"strconv"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// canMount reports whether this user may mount a disk in memory.
func canMount(t *testing.T) bool {
	dir := t.TempDir()
	if syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k") != nil {
		return false
	}
	return syscall.Unmount(dir, 0) == nil
}

func (s *script) disk(ts *testscript.TestScript, args []string) error {
	kib, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	dir := ts.MkAbs(args[1])
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dk", kib)); err != nil {
		return err
	}
	ts.Defer(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return nil
}

func (s *script) fifo(ts *testscript.TestScript, args []string) error {
	return syscall.Mkfifo(ts.MkAbs(args[0]), 0o600)
}

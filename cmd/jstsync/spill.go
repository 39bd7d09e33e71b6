package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"

	"jstsync/diff"
	"jstsync/internal/config"
)

// spillFile is where a run sets aside what is too much for memory: a file
// without a name, so that nothing is left of it when the process is killed.
// Where a system cannot do that, it goes when it is closed.
type spillFile struct {
	*os.File
	remedy string
	named  bool
}

// spillBeside sets aside what a run writes that may write beside the state file.
func spillBeside(settings *config.Settings) func() (diff.Spill, error) {
	dir := filepath.Dir(settings.State)
	return spillIn(dir, "make sure that "+dir+", where the state file is, can be written and has room for all changes of the run")
}

// spillAnywhere sets aside what a dry run finds, which touches nothing that is
// there.
func spillAnywhere() (diff.Spill, error) {
	dir := os.TempDir()
	return spillIn(dir, "make sure that "+dir+" can be written and has room for all changes of the plan, or name another directory in TMPDIR")()
}

func spillIn(dir, remedy string) func() (diff.Spill, error) {
	return func() (diff.Spill, error) {
		f, err := os.CreateTemp(dir, ".jstsync-*.tmp")
		s := &spillFile{File: f, remedy: remedy}
		if err != nil {
			return nil, s.failure(err)
		}
		s.named = os.Remove(f.Name()) != nil
		return s, nil
	}
}

// Write appends b.
func (s *spillFile) Write(b []byte) (int, error) {
	n, err := s.File.Write(b)
	return n, s.failure(err)
}

// ReadAt reads what was written.
func (s *spillFile) ReadAt(b []byte, at int64) (int, error) {
	n, err := s.File.ReadAt(b, at)
	if errors.Is(err, io.EOF) {
		return n, err
	}
	return n, s.failure(err)
}

// Close removes the file.
func (s *spillFile) Close() error {
	err := s.File.Close()
	if s.named {
		err = errors.Join(err, os.Remove(s.Name()))
	}
	return s.failure(err)
}

func (s *spillFile) failure(err error) error {
	if err == nil {
		return nil
	}
	return &diff.Error{Code: diff.CodeFailed, Message: "set changes aside in a temporary file", Err: err, Remedy: s.remedy}
}

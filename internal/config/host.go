package config

import (
	"io"
	"io/fs"
	"os"
)

// Host is what Load may look at. Both functions must be set.
type Host struct {
	LookupEnv func(name string) (string, bool)
	Open      func(name string) (fs.File, error)
}

// SystemHost is the environment and the files of this process.
func SystemHost() Host {
	return Host{
		LookupEnv: os.LookupEnv,
		Open:      func(name string) (fs.File, error) { return os.Open(name) },
	}
}

// env gives the variable's value; an empty one counts as unset.
func (h Host) env(name string) string {
	value, _ := h.LookupEnv(name)
	return value
}

// read gives the file's content, cut off one byte after limit, and its mode.
func (h Host) read(name string, limit int64) ([]byte, fs.FileMode, error) {
	f, err := h.Open(name)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	return data, info.Mode(), err
}

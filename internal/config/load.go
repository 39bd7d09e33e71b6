package config

import (
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"runtime"
)

const (
	configEnv    = "JSTSYNC_CONFIG"
	maxFileBytes = 128 << 10
)

// Load reads the settings from the file at path, or from the one JSTSYNC_CONFIG
// names when path is empty, or else from jstsync.yaml in the working directory.
// A named file must exist; without a file the defaults and the environment
// suffice. Every error is an [*Error].
func Load(path string, host Host) (*Settings, error) {
	named := true
	if path == "" {
		path = host.env(configEnv)
	}
	if path == "" {
		path, named = DefaultFile, false
	}
	data, mode, err := host.read(path, maxFileBytes)
	if err != nil && !named && errors.Is(err, fs.ErrNotExist) {
		return decode(path, nil, 0, host)
	}
	if err != nil {
		return nil, fileError(path, describeFileError(err), fileRemedy(err, named))
	}
	if len(data) > maxFileBytes {
		return nil, fileError(path, fmt.Sprintf("is larger than %d KiB", maxFileBytes>>10), "name a configuration file")
	}
	return decode(path, data, mode, host)
}

// decode makes settings of the file's content; nil data means no file.
func decode(path string, data []byte, mode fs.FileMode, host Host) (*Settings, error) {
	s := &Settings{}
	d := &decoder{file: path, host: host}
	root := d.parse(data)
	if len(d.problems) > 0 {
		return nil, problemsError(d.problems)
	}
	d.structure(reflect.ValueOf(s).Elem(), root, "")
	if d.literal != nil && mode.Perm()&0o077 != 0 && runtime.GOOS != "windows" {
		p := *d.literal
		p.Message = fmt.Sprintf("is a secret in a file that others can read (mode %04o)", mode.Perm())
		p.Remedy = "chmod 600 " + path
		d.problems = append(d.problems, p)
	}
	if len(d.problems) > 0 {
		return nil, problemsError(d.problems)
	}
	if data != nil {
		s.File = path
	}
	s.missing = d.missing
	return s, nil
}

func fileError(path, message, remedy string) error {
	return &Error{Problems: []Problem{{File: path, Message: message, Remedy: remedy}}}
}

// describeFileError leaves out the path, which the caller names or keeps to itself.
func describeFileError(err error) string {
	var pathErr *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "does not exist"
	case errors.Is(err, fs.ErrPermission):
		return "may not be read by this user"
	case errors.As(err, &pathErr):
		return "cannot be read: " + pathErr.Err.Error()
	}
	return "cannot be read"
}

func fileRemedy(err error, named bool) string {
	if named && errors.Is(err, fs.ErrNotExist) {
		return "correct --config or " + configEnv
	}
	return ""
}

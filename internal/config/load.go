package config

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"runtime"
	"slices"
)

const (
	configEnv    = "JSTSYNC_CONFIG"
	maxFileBytes = 128 << 10
)

// Load reads the settings from the file at path, or from the one JSTSYNC_CONFIG
// names when path is empty, or else from jstsync.yaml in the working directory.
// A named file must exist; without a file the defaults and the environment
// suffice. Every error is an [*Error]. What examiners find is in it too; alone it
// is an error only for whoever requires the setting or the pipeline.
func Load(path string, host Host, examiners ...Examiner) (*Settings, error) {
	s, d, err := read(path, host, examiners)
	if err == nil {
		err = s.WithFindings(problemsError(d.problems))
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Check is Load for whoever wants to know everything that is wrong: its [*Error]
// also lists all that examiners find, and every setting without a value but the
// access token of a source, which may be stored elsewhere.
func Check(path string, host Host, examiners ...Examiner) (*Settings, error) {
	s, d, err := read(path, host, examiners)
	if err != nil {
		return nil, err
	}
	problems := slices.Concat(d.problems, d.findings)
	for _, p := range d.missing {
		if _, isToken := sourcePath(p.Path); !isToken {
			problems = append(problems, p)
		}
	}
	if err := problemsError(problems); err != nil {
		return nil, err
	}
	return s, nil
}

// Inspect is Check for whoever goes on in spite of mistakes: it gives the
// settings as far as they can be told, what is wrong or missing having its zero
// value; all mistakes; and every setting without a value. Its error is an
// [*Error] when the file cannot be read as a configuration at all.
func Inspect(path string, host Host, examiners ...Examiner) (s *Settings, mistakes, missing []Problem, err error) {
	s, d, err := read(path, host, examiners)
	if err == nil && !d.decoded {
		err = problemsError(d.problems)
	}
	if err != nil {
		return nil, nil, nil, err
	}
	return s, slices.Concat(d.problems, d.findings), d.missing, nil
}

// FileName gives the file that Load reads for this path.
func FileName(path string, host Host) string {
	return cmp.Or(path, host.env(configEnv), DefaultFile)
}

// read decodes the file that Load documents. It fails only when there is none
// to decode; mistakes in it are the decoder's.
func read(path string, host Host, examiners []Examiner) (*Settings, *decoder, error) {
	named := path != "" || host.env(configEnv) != ""
	path = FileName(path, host)
	data, mode, err := host.read(path, maxFileBytes)
	if err != nil && !named && errors.Is(err, fs.ErrNotExist) {
		data, mode, err = nil, 0, nil
	}
	if err != nil {
		return nil, nil, fileError(path, describeFileError(err), fileRemedy(err, named))
	}
	if len(data) > maxFileBytes {
		return nil, nil, fileError(path, fmt.Sprintf("is larger than %d KiB", maxFileBytes>>10), "name a configuration file")
	}
	d := &decoder{file: path, host: host, places: map[string]origin{}}
	return d.decode(data, mode, examiners), d, nil
}

// decode makes settings of the file's content; nil data means no file.
func (d *decoder) decode(data []byte, mode fs.FileMode, examiners []Examiner) *Settings {
	s := &Settings{}
	root := d.parse(data)
	if d.decoded = len(d.problems) == 0; d.decoded {
		d.structure(reflect.ValueOf(s).Elem(), root, "", origin{})
		d.validate(s)
		d.examine(s, examiners)
		d.checkMode(mode)
	}
	if data != nil {
		s.File = d.file
	}
	d.source.quote(d.problems)
	d.source.quote(d.missing)
	d.source.quote(d.findings)
	s.missing, s.findings = d.missing, d.findings
	return s
}

// checkMode refuses a secret in a file that others can read.
func (d *decoder) checkMode(mode fs.FileMode) {
	if d.literal == nil || mode.Perm()&0o077 == 0 || runtime.GOOS == "windows" {
		return
	}
	p := *d.literal
	p.Message = fmt.Sprintf("is a secret in a file that others can read (mode %04o)", mode.Perm())
	p.Remedy = "chmod 600 " + d.file
	d.problems = append(d.problems, p)
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
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "let this user read it"
	case named:
		return "correct --config or " + configEnv
	default:
		return "name a configuration file with --config"
	}
}

package state

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"

	"jstsync/diff"
	"jstsync/internal/fault"
)

// Backup copies the state file at path to a new file, readable by its owner
// alone, while runs may work on it, and checks the copy. It returns what
// [Check] says of it: a damaged file is copied all the same. A file that
// exists is not overwritten.
func Backup(path, to string) (*Verdict, error) {
	if err := with(path, true, func(*bbolt.DB) error { return nil }); err != nil {
		return nil, absent(path, err)
	}
	if _, err := os.Lstat(to); err == nil {
		return nil, &diff.Error{
			Code: diff.CodeState, Message: fmt.Sprintf("back up to %s: it exists", to), Remedy: "name a file that does not exist yet",
		}
	}
	if err := copyFile(path, to); err != nil {
		return nil, err
	}
	return Check(to)
}

// absent says of a file that is not there that there is nothing to do with it.
func absent(path string, err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return &diff.Error{
		Code: diff.CodeState, Message: fmt.Sprintf("there is no state file %s", path),
		Remedy: "correct the setting state (JSTSYNC_STATE), or run jstsync sync, which makes one",
	}
}

// copyFile copies a state file as of one moment, under a temporary name that
// it moves into place.
func copyFile(path, to string) error {
	return replace(to, func(tmp string) error {
		return opened(path, true, func(db *bbolt.DB) error {
			return db.View(func(tx *bbolt.Tx) error { return copyTo(tx, tmp) })
		})
	})
}

func copyTo(tx *bbolt.Tx, path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	w := &witness{w: f}
	if _, err = tx.WriteTo(w); w.err != nil {
		err = w.err
	}
	return errors.Join(err, f.Close())
}

// witness remembers the error of a write, of which bbolt hands on the text alone.
type witness struct {
	w   io.Writer
	err error
}

func (w *witness) Write(b []byte) (int, error) {
	n, err := w.w.Write(b)
	if err != nil {
		w.err = err
	}
	return n, err
}

// replace makes the file at path be what write writes to the temporary name it
// is given, and leaves it alone when anything goes wrong before.
func replace(path string, write func(tmp string) error) (err error) {
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return writeError(path, err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(tmp.Name())
		}
	}()
	if err := errors.Join(tmp.Close(), write(tmp.Name()), syncFile(tmp.Name())); err != nil {
		return writeError(path, err)
	}
	if err := fault.Hit(fault.FileCreate); err != nil {
		return writeError(path, err)
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return writeError(path, err)
	}
	return errors.Join(syncDir(dir), fault.Hit(fault.FileCreated))
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func writeError(path string, err error) error {
	if _, ok := errors.AsType[*diff.Error](err); ok {
		return err
	}
	return &diff.Error{Code: diff.CodeState, Message: "write " + path, Err: err, Remedy: remedyOf(err)}
}

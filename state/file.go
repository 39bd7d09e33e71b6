package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"jstsync/diff"
)

// openTimeout is how long to wait for another process's short section.
const openTimeout = 10 * time.Second

// with opens an existing state file of this format, runs f and closes it. A
// file that does not exist is an error that wraps [fs.ErrNotExist]. bbolt
// answers a damaged page with a panic, and a page beyond the end of a
// truncated file is a fault: both come back as an error. After one in a write
// the file stays open and locked, for the process to end.
func with(path string, readOnly bool, f func(db *bbolt.DB) error) (err error) {
	var db *bbolt.DB
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = openError(path, fmt.Errorf("%w: %v", berrors.ErrInvalid, r))
			if db != nil && readOnly {
				err = errors.Join(err, db.Close())
			}
		}
	}()
	if db, err = open(path, readOnly); err != nil {
		return err
	}
	err = db.View(func(tx *bbolt.Tx) error { return checkFormat(path, tx) })
	if err == nil {
		err = f(db)
	}
	return errors.Join(err, db.Close())
}

// lostDirectory says that the file cannot be there, which is not the same as
// one that is yet to be made.
func lostDirectory(path string) error {
	return &diff.Error{
		Code: diff.CodeState, Message: fmt.Sprintf("open state file %s: its directory does not exist", path),
		Remedy: "create the directory, or correct the setting state (JSTSYNC_STATE)",
	}
}

func open(path string, readOnly bool) (*bbolt.DB, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, dirErr := os.Stat(filepath.Dir(path)); errors.Is(dirErr, fs.ErrNotExist) {
			return nil, lostDirectory(path)
		}
		return nil, err
	case err != nil:
		return nil, openError(path, err)
	case info.Size() == 0:
		return nil, foreign(path) // which bbolt would take for one to be initialised
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{
		ReadOnly: readOnly, Timeout: openTimeout, FreelistType: bbolt.FreelistMapType,
	})
	if err != nil {
		return nil, openError(path, err)
	}
	return db, nil
}

func foreign(path string) error {
	return &diff.Error{
		Code: diff.CodeState, Message: path + " is not a jstsync state file",
		Remedy: "name another file in the setting state (JSTSYNC_STATE)",
	}
}

func checkFormat(path string, tx *bbolt.Tx) error {
	meta := tx.Bucket(bucketMeta)
	if meta == nil || len(meta.Get(keyFormat)) != 1 {
		return foreign(path)
	}
	if v := meta.Get(keyFormat)[0]; v != formatVersion {
		return &diff.Error{
			Code: diff.CodeState, Message: fmt.Sprintf("%s has state format %d, this jstsync reads format %d", path, v, formatVersion),
			Remedy: "use the jstsync version that wrote it, or a newer one",
		}
	}
	return nil
}

func openError(path string, err error) error {
	e := &diff.Error{Code: diff.CodeState, Message: "open state file " + path, Err: err}
	switch {
	case errors.Is(err, fs.ErrPermission):
		e.Remedy = "give this user read and write access to the file and its directory, or name another file in the setting state (JSTSYNC_STATE)"
	case errors.Is(err, berrors.ErrTimeout):
		e.Remedy = "another process keeps the file open; end it and run again"
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrVersionMismatch), errors.Is(err, berrors.ErrChecksum):
		e.Remedy = "the file is damaged or is no jstsync state file; restore a backup, or name another file in the setting state (JSTSYNC_STATE)"
	default:
		e.Remedy = "check the file, its directory and the free space"
	}
	return e
}

// create makes an empty state file under a temporary name and moves it into
// place, so that a crash leaves either none or a whole one.
func create(path string, now time.Time) (err error) {
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return openError(path, err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(tmp.Name())
		}
	}()
	if err := tmp.Close(); err != nil {
		return openError(path, err)
	}
	db, err := bbolt.Open(tmp.Name(), 0o600, &bbolt.Options{Timeout: openTimeout})
	if err != nil {
		return openError(path, err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		meta, err := tx.CreateBucket(bucketMeta)
		if err != nil {
			return err
		}
		for _, b := range [][]byte{bucketRuns, bucketCalls, bucketPipelines} {
			if _, err := tx.CreateBucket(b); err != nil {
				return err
			}
		}
		created, err := now.UTC().MarshalText()
		return errors.Join(err,
			meta.Put(keyFormat, []byte{formatVersion}),
			meta.Put(keyCreated, created),
			meta.Put(keyLastRun, be64(0)))
	})
	if err = errors.Join(err, db.Close()); err != nil {
		return openError(path, err)
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return openError(path, err)
	}
	return syncDir(dir)
}

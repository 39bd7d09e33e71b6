package state

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"jstsync/diff"
)

// A small file grows in small steps.
const (
	smallFile = 16 << 20
	smallStep = 16 << 10
)

// spareMapping is how many bytes beyond its end a file is mapped that is written:
// until it has grown by as much it need not be mapped anew, for which bbolt
// copies what a transaction has read.
const spareMapping = 64 << 20

// openTimeout is how long to wait for another process's short section.
const openTimeout = 10 * time.Second

// with opens an existing state file of this format, runs f and closes it. A
// file that does not exist is an error that wraps [fs.ErrNotExist]. It is
// judged before it is opened for writing, which a damaged one is not.
func with(path string, readOnly bool, f func(db *bbolt.DB) error) error {
	judge := func(db *bbolt.DB) error {
		return db.View(func(tx *bbolt.Tx) error {
			if err := checkFormat(path, tx); err != nil {
				return err
			}
			_, err := freePages(tx)
			return damaged(path, errors.Join(err, checkFixed(tx)))
		})
	}
	if readOnly {
		return opened(path, true, func(db *bbolt.DB) error {
			if err := judge(db); err != nil {
				return err
			}
			return f(db)
		})
	}
	if err := opened(path, true, judge); err != nil {
		return err
	}
	return opened(path, false, f)
}

// opened opens an existing file, runs f and closes it. bbolt answers a damaged
// page with a panic, and a page beyond the end of a truncated file is a fault:
// both come back as an error. After one in a write the file stays open and
// locked, for the process to end.
func opened(path string, readOnly bool, f func(db *bbolt.DB) error) (err error) {
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
	if err = checkLength(path, db); err == nil {
		err = f(db)
	}
	return errors.Join(err, db.Close())
}

func open(path string, readOnly bool) (*bbolt.DB, error) {
	if err := checkPlace(path); err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, openError(path, err)
	}
	o := &bbolt.Options{ReadOnly: readOnly, Timeout: openTimeout, FreelistType: bbolt.FreelistMapType}
	if !readOnly && runtime.GOOS != "windows" { // there the file would grow with the mapping
		o.InitialMmapSize = int(info.Size()) + spareMapping
	}
	db, err := bbolt.Open(path, 0o600, o)
	if err != nil {
		return nil, openError(path, err)
	}
	if info.Size() < smallFile {
		db.AllocSize = smallStep // else bbolt doubles it up to 16 MiB
	}
	return db, nil
}

// checkLength makes sure that no page in use lies beyond the end of the file.
func checkLength(path string, db *bbolt.DB) error {
	info, err := os.Stat(path)
	if err != nil {
		return openError(path, err)
	}
	return db.View(func(tx *bbolt.Tx) error {
		if want := tx.Size(); info.Size() < want {
			return openError(path, fmt.Errorf("%w: it is cut short, %d bytes of %d", berrors.ErrInvalid, info.Size(), want))
		}
		return nil
	})
}

func checkFormat(path string, tx *bbolt.Tx) error {
	meta := tx.Bucket(bucketMeta)
	if meta == nil || len(meta.Get(keyFormat)) != 1 {
		return foreign(path, "it has no format")
	}
	switch v := meta.Get(keyFormat)[0]; {
	case v == formatVersion:
		return nil
	case v > 0 && v < formatVersion:
		return &diff.Error{
			Code: diff.CodeState, Message: fmt.Sprintf("%s has state format %d, this jstsync writes format %d", path, v, formatVersion),
			Remedy: fmt.Sprintf("run jstsync sync or jstsync state compact: they upgrade it, after a copy %s", formerName(path, v)),
		}
	default:
		return &diff.Error{
			Code: diff.CodeState, Message: fmt.Sprintf("%s has state format %d, this jstsync reads format %d", path, v, formatVersion),
			Remedy: "use the jstsync version that wrote it, or a newer one",
		}
	}
}

// create makes an empty state file under a temporary name and moves it into
// place, so that a crash leaves either none or a whole one.
func create(path string, now time.Time) error {
	if err := checkLocal(path, filepath.Dir(path)); err != nil {
		return err
	}
	return replace(path, func(tmp string) error {
		db, err := bbolt.Open(tmp, 0o600, &bbolt.Options{Timeout: openTimeout})
		if err != nil {
			return err
		}
		return errors.Join(db.Update(func(tx *bbolt.Tx) error { return fill(tx, now) }), db.Close())
	})
}

// fill makes what an empty state file has.
func fill(tx *bbolt.Tx, now time.Time) error {
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
		put(meta, keyCreated, created),
		put(meta, keyLastRun, be64(0)))
}

package state

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"go.etcd.io/bbolt"
)

var keyAlerts = []byte("alerts")

// Alerts returns what [StoreAlerts] stored, nil when nothing is.
func Alerts(path string) (book []byte, err error) {
	err = NewReader(path, "").view(func(tx *bbolt.Tx, _ *bbolt.Bucket) error {
		if tx == nil {
			return nil
		}
		content, err := get(tx.Bucket(bucketMeta), keyAlerts)
		book = append(book, content...)
		return err
	})
	return book, err
}

// StoreAlerts keeps which alerts were raised, in place of what is stored. Its
// caller holds the run lock. Where there is no state file yet none is made, and
// the error wraps [fs.ErrNotExist].
func StoreAlerts(path string, book []byte, now func() time.Time) error {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return err
	}
	j := &Journal{Reader: NewReader(path, ""), now: now}
	return j.update("store alerts in", func(tx *bbolt.Tx) error {
		return put(tx.Bucket(bucketMeta), keyAlerts, book)
	})
}

package state

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"

	"go.etcd.io/bbolt"
)

// formerName is where the copy of a file goes before it is upgraded.
func formerName(path string, version byte) string { return fmt.Sprintf("%s.v%d.bak", path, version) }

// makeReady brings a file of an older format up to this one, and looks one
// over whose last user was killed. No file is ready as well.
func makeReady(path string, unclean bool) error {
	older := byte(0)
	err := opened(path, true, func(db *bbolt.DB) error {
		return db.View(func(tx *bbolt.Tx) error {
			err := checkFormat(path, tx)
			if meta := tx.Bucket(bucketMeta); err != nil && meta != nil {
				if v := meta.Get(keyFormat); len(v) == 1 && v[0] > 0 && v[0] < formatVersion {
					older, err = v[0], nil
				}
			}
			if err == nil && (unclean || older > 0) {
				err = damaged(path, structure(tx))
			}
			return err
		})
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil || older == 0 {
		return err
	}
	if err := copyFile(path, formerName(path, older)); err != nil {
		return err
	}
	return opened(path, false, func(db *bbolt.DB) error {
		err := db.Update(upgrade)
		if err != nil {
			return openError(path, fmt.Errorf("upgrade it from format %d: %w", older, err))
		}
		return nil
	})
}

// upgrade turns format 1 into format 2: it seals every value but the format
// and the encoded changes, which the digests speak for.
func upgrade(tx *bbolt.Tx) error {
	err := tx.ForEach(func(name []byte, b *bbolt.Bucket) error { return sealBucket(name, b) })
	if err != nil {
		return err
	}
	return tx.Bucket(bucketMeta).Put(keyFormat, []byte{formatVersion})
}

func sealBucket(name []byte, b *bbolt.Bucket) error {
	if bytes.Equal(name, bucketRows) {
		return nil
	}
	err := b.ForEachBucket(func(k []byte) error { return sealBucket(k, b.Bucket(k)) })
	for from := []byte{}; from != nil && err == nil; {
		from, err = sealSome(b, from)
	}
	return err
}

// sealSome seals some values from a key on, and returns the key to go on from.
// It reads them all before it writes, which moves the cursor.
func sealSome(b *bbolt.Bucket, from []byte) (next []byte, err error) {
	const most = 1000
	var keys, values [][]byte
	c := b.Cursor()
	for k, v := c.Seek(from); k != nil; k, v = c.Next() {
		if len(keys) == most {
			next = bytes.Clone(k)
			break
		}
		if v != nil {
			keys, values = append(keys, bytes.Clone(k)), append(values, bytes.Clone(v))
		}
	}
	for i, k := range keys {
		if err := put(b, k, values[i]); err != nil {
			return nil, err
		}
	}
	return next, nil
}

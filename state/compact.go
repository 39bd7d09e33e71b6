package state

import (
	"errors"
	"os"

	"go.etcd.io/bbolt"
)

// Compacted is what [Compact] made of a file.
type Compacted struct{ Before, After int64 } // bytes

// Compact writes the state file anew without its free pages and puts the new
// one in its place once it has passed [Check]; else the file stays as it is
// and the verdict has the problems. Its caller holds the run lock.
func Compact(path string) (c Compacted, v *Verdict, err error) {
	path = locate(path)
	info, err := os.Stat(path)
	if err != nil {
		return c, nil, absent(path, checkPlace(path))
	}
	errStays := errors.New("the new file is not whole")
	err = replace(path, func(tmp string) error {
		if err := rewrite(path, tmp); err != nil {
			return err
		}
		if err := sameOwner(tmp, info); err != nil {
			return err
		}
		if v, err = Check(tmp); err != nil {
			return err
		}
		if len(v.Problems) > 0 {
			return errStays
		}
		after, err := os.Stat(tmp)
		if err == nil {
			c = Compacted{info.Size(), after.Size()}
		}
		return err
	})
	if errors.Is(err, errStays) {
		return c, v, nil
	}
	return c, v, err
}

// rewrite copies all keys and values to a new file.
func rewrite(path, to string) error {
	const transaction = 8 << 20 // bytes
	return opened(path, true, func(src *bbolt.DB) error {
		if err := src.View(func(tx *bbolt.Tx) error { return copyable(path, tx) }); err != nil {
			return err
		}
		dst, err := bbolt.Open(to, 0o600, &bbolt.Options{Timeout: openTimeout, NoSync: true}) // one sync at the end
		if err != nil {
			return err
		}
		var size int64
		err = errors.Join(
			bbolt.Compact(dst, src, transaction), dst.Sync(),
			dst.View(func(tx *bbolt.Tx) error { size = tx.Size(); return nil }), dst.Close())
		if err != nil {
			return err
		}
		return os.Truncate(to, size) // bbolt takes room in advance
	})
}

// copyable tells whether all keys of the file can be read, in whatever order
// they are and whatever pages are lost besides.
func copyable(path string, tx *bbolt.Tx) error {
	if err := checkFormat(path, tx); err != nil {
		return err
	}
	p, err := walkPages(tx)
	if err == nil && p.unsafe {
		err = p.err()
	}
	return damaged(path, err)
}

package state

import (
	"go.etcd.io/bbolt"

	"jstsync/diff"
)

// Position returns the pipeline's head and its unfinished run, nil when there
// is none. Unlike [Reader.Snapshot] it reads no index.
func (r *Reader) Position() (head diff.Head, intent *diff.Intent, err error) {
	err = r.view(func(_ *bbolt.Tx, p *bbolt.Bucket) (err error) {
		if p == nil {
			return nil
		}
		if head, err = decodeHead(field(p, keyHead)); err == nil {
			intent, err = readIntent(p)
		}
		return err
	})
	return head, intent, err
}

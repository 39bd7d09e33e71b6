package state

import (
	"bytes"

	"go.etcd.io/bbolt"

	"jstsync/diff"
)

// Stored passes every row of the snapshot to visit, in key order, shaped to the
// given columns, and says whether it is adopted. The file is open only while a
// batch is read: who must know that no run came between compares the head
// before and after.
func (r *Reader) Stored(columns []string, visit func(key diff.Key, row diff.Row, adopted bool) error) error {
	type stored struct {
		key     diff.Key
		row     diff.Row
		adopted bool
	}
	var after []byte
	for more := true; more; {
		var batch []stored
		err := r.view(func(_ *bbolt.Tx, p *bbolt.Bucket) error {
			if p == nil {
				more = false
				return nil
			}
			g := newGallery(p, columns)
			c := currentIndex(p).Cursor()
			k, v := seekAfter(c, after)
			for ; k != nil && len(batch) < rowsBatch; k, v = c.Next() {
				e, err := decodeEntry(k, v)
				if err != nil {
					return err
				}
				row, err := g.image(diff.Key(k), e.image)
				if err != nil {
					return err
				}
				batch = append(batch, stored{diff.Key(k), row, e.flags&flagAdopted != 0})
				after = bytes.Clone(k)
			}
			more = k != nil
			return nil
		})
		if err != nil {
			return err
		}
		for _, s := range batch {
			if err := visit(s.key, s.row, s.adopted); err != nil {
				return err
			}
		}
	}
	return nil
}

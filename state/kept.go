package state

import (
	"encoding/json"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"jstsync/diff"
)

// trimmed returns the last commit of the pipeline that was forgotten, and when
// it was made; 0 when there is none.
func trimmed(p *bbolt.Bucket) (run uint64, at time.Time, err error) {
	b, err := get(p, keyTrimmed)
	if b == nil || err != nil {
		return 0, at, err
	}
	if len(b) != 16 {
		return 0, at, fmt.Errorf("where the audit was trimmed is %d bytes long, want 16", len(b))
	}
	return readBE64(b[:8]), time.UnixMicro(int64(readBE64(b[8:]))).UTC(), nil //nolint:gosec // as it was written
}

// keptHeader is how many bytes stand before the row of a kept one: the run that
// made it, when in microseconds since 1970, and the run that names its columns.
const keptHeader = 8 + 8 + 8

// keptRow is a row whose commit is forgotten.
type keptRow struct {
	run     uint64
	at      time.Time
	layout  uint64
	encoded []byte
}

func readKept(key, value []byte) (r keptRow, err error) {
	b, err := unseal(key, value)
	if err == nil && len(b) < keptHeader {
		err = fmt.Errorf("it is %d bytes long", len(b))
	}
	if err != nil {
		return r, fmt.Errorf("kept row %s: %w", diff.Key(key), err)
	}
	return keptRow{readBE64(b[:8]), time.UnixMicro(int64(readBE64(b[8:16]))).UTC(), readBE64(b[16:24]), b[keptHeader:]}, nil //nolint:gosec // as it was written
}

func readLayout(layouts *bbolt.Bucket, number uint64) (columns []string, err error) {
	text, err := get(layouts, be64(number))
	if err == nil {
		err = json.Unmarshal(text, &columns)
	}
	if err != nil {
		return nil, fmt.Errorf("read columns %d: %w", number, err)
	}
	return columns, nil
}

// keptRows reads the rows that are left of forgotten commits.
type keptRows struct {
	kept, layouts *bbolt.Bucket
	columns       map[uint64][]string // by layout
}

func newKeptRows(p *bbolt.Bucket) *keptRows {
	return &keptRows{p.Bucket(bucketKept), p.Bucket(bucketLayouts), map[uint64][]string{}}
}

// layout returns the names of the columns of a kept row.
func (r *keptRows) layout(number uint64) (columns []string, err error) {
	columns, ok := r.columns[number]
	if !ok {
		if columns, err = readLayout(r.layouts, number); err != nil {
			return nil, err
		}
		r.columns[number] = columns
	}
	return columns, nil
}

// image returns the row that the forgotten run made of the key, shaped to the
// wanted columns.
func (r *keptRows) image(k diff.Key, run uint64, wanted []string) (diff.Row, error) {
	var value []byte
	if r.kept != nil {
		value = r.kept.Get([]byte(k))
	}
	if value == nil {
		return nil, fmt.Errorf("read row %s: run %d is not in the file", k, run)
	}
	row, err := readKept([]byte(k), value)
	if err == nil && row.run != run {
		err = fmt.Errorf("read row %s: it is kept of run %d, not %d", k, row.run, run)
	}
	if err != nil {
		return nil, err
	}
	columns, err := r.layout(row.layout)
	if err != nil {
		return nil, err
	}
	c, err := diff.DecodeChange(k, row.encoded)
	return diff.Reshape(c.After, columns, wanted), err
}

// forgottenVersion returns the version of the record after the last forgotten
// commit, if there was one.
func forgottenVersion(p *bbolt.Bucket, key diff.Key, gone uint64) ([]diff.Version, error) {
	changes := p.Bucket(bucketChanges)
	c := changes.Cursor()
	k, _ := c.Seek(be64(gone + 1))
	if k == nil {
		k, _ = c.Last()
	}
	for ; k != nil; k, _ = c.Prev() { // those that a trimming has yet to come to
		if readBE64(k) > gone {
			continue
		}
		b := changes.Bucket(k)
		h, err := readHeader(b)
		if err != nil {
			return nil, err
		}
		if rows := b.Bucket(bucketRows); rows != nil && h.Kind != diff.KindRepair && rows.Get([]byte(key)) != nil {
			return trimmedVersion(key, h.commit(readBE64(k)), rows.Get([]byte(key)))
		}
		if h.Kind == diff.KindRebuild {
			return nil, nil
		}
	}
	r := newKeptRows(p)
	if r.kept == nil || r.kept.Get([]byte(key)) == nil {
		return nil, nil
	}
	row, err := readKept([]byte(key), r.kept.Get([]byte(key)))
	if err != nil {
		return nil, err
	}
	columns, err := r.layout(row.layout)
	if err != nil {
		return nil, err
	}
	return trimmedVersion(key, &diff.Commit{Run: row.run, At: row.at, Columns: columns}, row.encoded)
}

// trimmedVersion is the row that a forgotten change made, without what was
// before.
func trimmedVersion(key diff.Key, commit *diff.Commit, encoded []byte) ([]diff.Version, error) {
	change, err := diff.DecodeChange(key, encoded)
	if err != nil || change.Op == diff.Delete {
		return nil, err
	}
	commit.Kind, commit.Trimmed = diff.KindSync, true
	return []diff.Version{{Commit: commit, Change: diff.Change{Op: diff.Insert, Key: key, After: change.After}}}, nil
}

package state

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"jstsync/diff"
)

// So many changes, or rows of a past state, are read while the file is open:
// between two batches it is closed, so that a slow reader of what is printed
// keeps no run waiting. For rows each batch seeks in every commit anew.
const (
	changesBatch = 2000
	rowsBatch    = 20_000
)

// Query selects changes of the audit. Its zero value selects all of them.
type Query struct {
	Since, Until     time.Time // when they were committed, inclusive; zero is no bound
	FromRun, UpToRun uint64    // inclusive; 0 is no bound
	Key              diff.Key  // "" is any
	Field            string    // a column that the change set, changed or removed; "" is any
	Ops              []diff.Op // nil is any
	Limit            int       // the newest so many; 0 is no limit
}

// place is where a walk over the audit, newest run first, goes on.
type place struct {
	run  uint64
	from []byte // the first key of the run that is still to be read
}

// bounds say when a batch is full: when it has so many, or when so many were
// looked at to find them.
type bounds struct{ size, looks int }

// everything bounds the looks of a walk that goes on to its end in any case.
const everything = math.MaxInt

// Changes passes the selected changes to visit, those of the newest run first,
// and within a run in key order. The rows that a rebuild found are no changes.
func (r *Reader) Changes(q Query, visit func(diff.Version) error) error {
	at := place{run: ^uint64(0)}
	for left := q.Limit; ; {
		size := changesBatch
		if q.Limit > 0 {
			size = min(size, left)
		}
		batch, next, err := r.readChanges(&q, at, bounds{size, everything})
		if err != nil {
			return err
		}
		for _, v := range batch {
			if err := visit(v); err != nil {
				return err
			}
		}
		if left -= len(batch); next == nil || q.Limit > 0 && left == 0 {
			return nil
		}
		at = *next
	}
}

// readChanges reads a batch. next is where the batch after it begins, nil at
// the end.
func (r *Reader) readChanges(q *Query, at place, most bounds) (batch []diff.Version, next *place, err error) {
	err = r.view(func(_ *bbolt.Tx, p *bbolt.Bucket) error {
		if p == nil {
			return nil
		}
		gone, _, err := trimmed(p)
		if err != nil {
			return err
		}
		first := max(q.FromRun, gone+1)
		c := p.Bucket(bucketChanges).Cursor()
		k, _ := c.Seek(be64(at.run))
		if k == nil {
			k, _ = c.Last()
		} else if readBE64(k) > at.run {
			k, _ = c.Prev()
		}
		for ; k != nil && readBE64(k) >= first; k, _ = c.Prev() {
			run := readBE64(k)
			from := at.from
			if run != at.run {
				from = nil
			}
			found, stopped, err := readRun(p, run, q, from, &most)
			if errors.Is(err, errEarlier) {
				return nil
			}
			if err != nil {
				return err
			}
			if batch = append(batch, found...); stopped != nil {
				next = &place{run, stopped}
				return nil
			}
		}
		return nil
	})
	return batch, next, err
}

// errEarlier says that this run and all before it were committed too early.
var errEarlier = errors.New("all earlier")

// runLooks is as how many changes looked at a run counts that is opened.
const runLooks = 10

// readRun reads the selected changes of one run, and takes them off what there
// is room for. stopped is the key before which it stopped for want of room. It
// returns errEarlier where no run before can be of interest.
func readRun(p *bbolt.Bucket, run uint64, q *Query, from []byte, room *bounds) (found []diff.Version, stopped []byte, err error) {
	if q.UpToRun != 0 && run > q.UpToRun {
		return nil, nil, nil
	}
	if room.size <= 0 || room.looks <= 0 {
		return nil, append([]byte{}, from...), nil
	}
	room.looks -= runLooks
	b := p.Bucket(bucketChanges).Bucket(be64(run))
	if rows := b.Bucket(bucketRows); q.Key != "" && q.Since.IsZero() && (rows == nil || rows.Get([]byte(q.Key)) == nil) {
		return nil, nil, nil
	}
	h, err := readHeader(b)
	if err != nil {
		return nil, nil, fmt.Errorf("run %d: %w", run, err)
	}
	if !h.Latest.IsZero() && h.Latest.Before(q.Since) {
		return nil, nil, errEarlier
	}
	if !h.isChange() || h.CommittedAt.Before(q.Since) || !q.Until.IsZero() && h.CommittedAt.After(q.Until) {
		return nil, nil, nil
	}
	rows := b.Bucket(bucketRows)
	if rows == nil {
		return nil, nil, nil
	}
	commit := h.commit(run)
	field := slices.Index(commit.Columns, q.Field)
	if q.Field != "" && field < 0 {
		return nil, nil, nil
	}
	c := rows.Cursor()
	start := max(string(q.Key), string(from))
	for k, v := c.Seek([]byte(start)); k != nil; k, v = c.Next() {
		if q.Key != "" && string(k) != string(q.Key) {
			break
		}
		if room.size == 0 || room.looks <= 0 {
			return found, bytes.Clone(k), nil
		}
		room.looks--
		if q.Ops != nil && !slices.Contains(q.Ops, diff.Op(v[0])) {
			continue
		}
		change, err := diff.DecodeChange(diff.Key(k), v)
		if err != nil {
			return nil, nil, fmt.Errorf("run %d: %w", run, err)
		}
		if field < 0 || touches(&change, field) {
			found = append(found, diff.Version{Commit: commit, Change: change})
			room.size--
		}
	}
	return found, nil, nil
}

// touches reports whether the change set, changed or removed the column's value.
func touches(c *diff.Change, column int) bool {
	var before, after diff.Value
	if column < len(c.Before) {
		before = c.Before[column]
	}
	if column < len(c.After) {
		after = c.After[column]
	}
	return before != after
}

// isChange reports whether the run's rows are changes of the source that are
// still on record.
func (h *header) isChange() bool {
	return h.Committed && h.Kind != diff.KindRebuild && h.Kind != diff.KindRepair
}

func (h *header) commit(run uint64) *diff.Commit {
	return &diff.Commit{Run: run, Kind: h.Kind, At: h.CommittedAt, Columns: h.Columns}
}

// Trimmed returns the pipeline's last commit whose changes are forgotten, and
// when it was made; 0 when there is none.
func (r *Reader) Trimmed() (run uint64, at time.Time, err error) {
	err = r.view(func(_ *bbolt.Tx, p *bbolt.Bucket) (err error) {
		if p != nil {
			run, at, err = trimmed(p)
		}
		return err
	})
	return run, at, err
}

// History returns every version of the record that is on record, oldest first.
// One that a forgotten commit made is marked as trimmed, and shows as an insert
// of its whole row.
func (r *Reader) History(key diff.Key) (versions []diff.Version, err error) {
	err = r.view(func(_ *bbolt.Tx, p *bbolt.Bucket) error {
		if p == nil {
			return nil
		}
		changes := p.Bucket(bucketChanges)
		gone, _, err := trimmed(p)
		if err != nil {
			return err
		}
		if versions, err = forgottenVersion(p, key, gone); err != nil {
			return err
		}
		return changes.ForEachBucket(func(k []byte) error {
			if readBE64(k) <= gone {
				return nil
			}
			v, err := versionOf(key, changes.Bucket(k), readBE64(k))
			if v != nil {
				versions = append(versions, *v)
			}
			return err
		})
	})
	return versions, err
}

// versionOf returns what the run made of the record, nil when it left it alone.
func versionOf(key diff.Key, b *bbolt.Bucket, run uint64) (*diff.Version, error) {
	var enc []byte
	if rows := b.Bucket(bucketRows); rows != nil {
		enc = rows.Get([]byte(key))
	}
	if enc == nil {
		return nil, nil //nolint:nilnil // as most runs do
	}
	h, err := readHeader(b)
	if err != nil {
		return nil, fmt.Errorf("run %d: %w", run, err)
	}
	if !h.Committed || h.Kind == diff.KindRepair {
		return nil, nil //nolint:nilnil // it changed nothing
	}
	change, err := diff.DecodeChange(key, enc)
	return &diff.Version{Commit: h.commit(run), Change: change}, err
}

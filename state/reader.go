package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"go.etcd.io/bbolt"

	"jstsync/diff"
)

// Reader reads one pipeline's part of a state file. It holds nothing that
// could write. A file that does not exist reads as an empty one.
type Reader struct {
	path     string
	pipeline string
}

// NewReader returns a reader of the pipeline's part of the file at path. The
// file is opened by each call and closed by its end.
func NewReader(path, pipeline string) *Reader { return &Reader{path, pipeline} }

// view runs f on the pipeline's bucket, which is nil when there is none.
func (r *Reader) view(f func(tx *bbolt.Tx, p *bbolt.Bucket) error) error {
	err := with(r.path, true, func(db *bbolt.DB) error {
		return db.View(func(tx *bbolt.Tx) error {
			return f(tx, tx.Bucket(bucketPipelines).Bucket([]byte(r.pipeline)))
		})
	})
	if errors.Is(err, fs.ErrNotExist) {
		return f(nil, nil)
	}
	return r.wrap("read", err)
}

func (r *Reader) wrap(verb string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*diff.Error](err); ok {
		return err
	}
	return &diff.Error{
		Code: diff.CodeState, Message: fmt.Sprintf("%s state file %s", verb, r.path), Err: err, Remedy: remedyOf(err),
	}
}

// Snapshot returns the pipeline's head, its unfinished run if there is one,
// and the index of its snapshot.
func (r *Reader) Snapshot() (*diff.Snapshot, error) {
	s := &diff.Snapshot{NextRun: 1}
	err := r.view(func(tx *bbolt.Tx, p *bbolt.Bucket) (err error) {
		if tx != nil {
			s.Exists = true
			s.NextRun = number(tx.Bucket(bucketMeta), keyLastRun) + 1
		}
		if p == nil {
			s.Index = diff.NewIndex(0)
			return nil
		}
		if s.Head, err = decodeHead(field(p, keyHead)); err != nil {
			return err
		}
		if s.Intent, err = readIntent(p); err != nil {
			return err
		}
		if s.Fields, err = readNames(p, keyFields); err != nil {
			return err
		}
		if s.IDColumns, err = readNames(p, keyIDColumns); err != nil {
			return err
		}
		s.Fingerprint = string(field(p, keyFingerprint))
		rows := int(number(p, keyRowCount))
		if s.Expect, err = lastRead(tx, r.pipeline, rows); err != nil {
			return err
		}
		s.Index = diff.NewIndex(rows)
		return currentIndex(p).ForEach(func(k, v []byte) error {
			e, err := decodeEntry(k, v)
			s.Index.Load(diff.Key(k), e.source)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// readBack is how many runs are looked back at for one that read the source: the
// others are those of other pipelines, or failed.
const readBack = 32

// lastRead returns how many records the pipeline's last run that read the source
// to its end found there, rows when there is none among the last runs, or it found
// nothing.
func lastRead(tx *bbolt.Tx, pipeline string, rows int) (int, error) {
	c := tx.Bucket(bucketRuns).Cursor()
	k, v := c.Last()
	for n := 0; k != nil && n < readBack; n++ {
		var run diff.Run
		if err := readRecord(k, v, &run); err != nil {
			return 0, err
		}
		if run.Pipeline == pipeline && looked(&run) && run.Summary.Read > 0 {
			return run.Summary.Read, nil
		}
		k, v = c.Prev()
	}
	return rows, nil
}

func readIntent(p *bbolt.Bucket) (*diff.Intent, error) {
	text, err := get(p, keyIntent)
	if text == nil && err == nil {
		return nil, nil //nolint:nilnil // no intent is the ordinary case
	}
	in := &diff.Intent{}
	if err == nil {
		err = json.Unmarshal(text, in)
	}
	if err != nil {
		return nil, fmt.Errorf("read intent: %w", err)
	}
	return in, nil
}

func currentIndex(p *bbolt.Bucket) *bbolt.Bucket {
	return p.Bucket(bucketIndex).Bucket(field(p, keyGeneration))
}

// Images returns the stored rows of those of the keys that are in the
// snapshot, shaped to the given columns: a column that the stored row does not
// have is NULL.
func (r *Reader) Images(keys []diff.Key, columns []string) (map[diff.Key]diff.Row, error) {
	rows := make(map[diff.Key]diff.Row, len(keys))
	err := r.view(func(_ *bbolt.Tx, p *bbolt.Bucket) error {
		if p == nil {
			return nil
		}
		g := newGallery(p, columns)
		index := currentIndex(p)
		for _, k := range keys {
			v := index.Get([]byte(k))
			if v == nil {
				continue
			}
			e, err := decodeEntry([]byte(k), v)
			if err != nil {
				return err
			}
			if rows[k], err = g.image(k, e.image); err != nil {
				return err
			}
		}
		return nil
	})
	return rows, err
}

// gallery finds row images in the changes of many runs, and among the rows that
// are kept of forgotten ones.
type gallery struct {
	changes *bbolt.Bucket
	kept    *keptRows
	columns []string
	rooms   map[uint64]*room
}

func newGallery(p *bbolt.Bucket, columns []string) *gallery {
	return &gallery{p.Bucket(bucketChanges), newKeptRows(p), columns, map[uint64]*room{}}
}

// room is one run's changes; at[i] is where wanted column i stands in its rows, or -1.
type room struct {
	rows *bbolt.Bucket
	at   []int
}

func (g *gallery) image(k diff.Key, seq uint64) (diff.Row, error) {
	rm, ok := g.rooms[seq]
	if !ok {
		var err error
		if rm, err = g.enter(seq); err != nil {
			return nil, err
		}
		g.rooms[seq] = rm
	}
	if rm == nil {
		return g.kept.image(k, seq, g.columns)
	}
	enc := rm.rows.Get([]byte(k))
	if enc == nil {
		return nil, fmt.Errorf("read row %s: run %d does not hold its image", k, seq)
	}
	c, err := diff.DecodeChange(k, enc)
	if err != nil {
		return nil, err
	}
	row := make(diff.Row, len(g.columns))
	for i, at := range rm.at {
		if at >= 0 && at < len(c.After) {
			row[i] = c.After[at]
		}
	}
	return row, nil
}

// enter returns nil for a run that is forgotten.
func (g *gallery) enter(seq uint64) (*room, error) {
	b := g.changes.Bucket(be64(seq))
	if b == nil {
		return nil, nil //nolint:nilnil // its rows are kept aside
	}
	h, err := readHeader(b)
	if err != nil {
		return nil, err
	}
	rm := &room{rows: b.Bucket(bucketRows), at: make([]int, len(g.columns))}
	place := make(map[string]int, len(h.Columns))
	for i, name := range h.Columns {
		place[name] = i
	}
	for i, name := range g.columns {
		rm.at[i] = -1
		if at, ok := place[name]; ok {
			rm.at[i] = at
		}
	}
	return rm, nil
}

func readHeader(b *bbolt.Bucket) (h header, err error) {
	text, err := get(b, keyHeader)
	if err == nil {
		err = json.Unmarshal(text, &h)
	}
	if err != nil {
		return h, fmt.Errorf("read header of changes: %w", err)
	}
	return h, nil
}

// Missing returns, in key order, the keys of the snapshot that the scan has
// not shown, but for the adopted rows, which it counts: they are foreign.
func (r *Reader) Missing(seen *diff.Index) (keys []diff.Key, foreign int, err error) {
	err = r.view(func(_ *bbolt.Tx, p *bbolt.Bucket) error {
		if p == nil {
			return nil
		}
		return currentIndex(p).ForEach(func(k, v []byte) error {
			key := diff.Key(k)
			if seen.Seen(key) {
				return nil
			}
			e, err := decodeEntry(k, v)
			if err == nil && e.flags&flagAdopted != 0 {
				foreign++
				return nil
			}
			keys = append(keys, key)
			return err
		})
	})
	return keys, foreign, err
}

package state

import (
	"bytes"

	"go.etcd.io/bbolt"

	"jstsync/diff"
)

// What follows reads a page at a time, for viewers that turn pages: each call
// is one short section, however much there is on record. Its length is bounded
// by what is returned and by what is looked at to find it, so that a page may be
// short of its size, or empty, and still not be the last.

// How much one section looks at. Each takes some tens of milliseconds.
const (
	recordLooks  = 20_000 // records of runs
	changeLooks  = 20_000 // changes
	versionLooks = 20_000 // runs that may have changed a key
	rowLooks     = 20_000 // keys of a past state
)

// RunQuery selects runs.
type RunQuery struct {
	Before   uint64      // only those with a lower number; 0 is no bound
	Pipeline string      // "" is any
	Status   diff.Status // "" is any
	Limit    int         // how many at most
}

// RunsPage returns the newest selected runs. next is the Before of the page
// after it, 0 at the end.
func RunsPage(path string, q RunQuery) (runs []diff.Run, next uint64, err error) {
	err = NewReader(path, "").view(func(tx *bbolt.Tx, _ *bbolt.Bucket) error {
		if tx == nil {
			return nil
		}
		c := tx.Bucket(bucketRuns).Cursor()
		k, v := seekBefore(c, q.Before)
		for looks := 0; k != nil; k, v = c.Prev() {
			if len(runs) == q.Limit || looks == recordLooks {
				next = readBE64(k) + 1
				return nil
			}
			looks++
			var run diff.Run
			if err := readRecord(k, v, &run); err != nil {
				return err
			}
			if (q.Pipeline == "" || run.Pipeline == q.Pipeline) && (q.Status == "" || run.Status == q.Status) {
				runs = append(runs, run)
			}
		}
		return nil
	})
	return runs, next, err
}

// seekBefore goes to the last number below n, 0 standing for above all.
func seekBefore(c *bbolt.Cursor, n uint64) (k, v []byte) {
	if n == 0 {
		return c.Last()
	}
	if k, _ = c.Seek(be64(n)); k == nil {
		return c.Last()
	}
	return c.Prev()
}

// RunsAfter returns at most limit runs with a higher number, oldest first, with
// their calls as far as they are kept.
func RunsAfter(path string, after uint64, limit int) (runs []diff.Run, err error) {
	err = NewReader(path, "").view(func(tx *bbolt.Tx, _ *bbolt.Bucket) error {
		if tx == nil {
			return nil
		}
		calls := tx.Bucket(bucketCalls)
		c := tx.Bucket(bucketRuns).Cursor()
		for k, v := c.Seek(be64(after + 1)); k != nil && len(runs) < limit; k, v = c.Next() {
			var run diff.Run
			if err := readRecord(k, v, &run); err != nil {
				return err
			}
			if list := calls.Get(k); list != nil {
				if err := readCalls(k, list, &run.Calls); err != nil {
					return err
				}
			}
			runs = append(runs, run)
		}
		return nil
	})
	return runs, err
}

// Place is where a page of changes begins. The zero one is the newest change.
type Place struct {
	Run uint64
	Key diff.Key
}

// ChangesPage returns selected changes from a place on, in the order of
// [Reader.Changes]; the query's Limit is how many at most. next is where the page
// after it begins, nil at the end.
func (r *Reader) ChangesPage(q Query, at Place) (changes []diff.Version, next *Place, err error) {
	from := place{run: at.Run, from: []byte(at.Key)}
	if at.Run == 0 {
		from.run = ^uint64(0)
	}
	changes, stopped, err := r.readChanges(&q, from, bounds{q.Limit, changeLooks})
	if stopped != nil {
		next = &Place{stopped.run, diff.Key(stopped.from)}
	}
	return changes, next, err
}

// HistoryPage returns versions of the record that runs below before made, 0
// standing for above all, newest first, and else as [Reader.History] does. next
// is the before of the page after it, 0 at the end.
func (r *Reader) HistoryPage(key diff.Key, before uint64, limit int) (versions []diff.Version, next uint64, err error) {
	err = r.view(func(_ *bbolt.Tx, p *bbolt.Bucket) error {
		if p == nil {
			return nil
		}
		gone, _, err := trimmed(p)
		if err != nil {
			return err
		}
		changes := p.Bucket(bucketChanges)
		c := changes.Cursor()
		k, _ := seekBefore(c, before)
		for looks := 0; k != nil && readBE64(k) > gone; k, _ = c.Prev() {
			if len(versions) == limit || looks == versionLooks {
				next = readBE64(k) + 1
				return nil
			}
			looks++
			v, err := versionOf(key, changes.Bucket(k), readBE64(k))
			if err != nil {
				return err
			}
			if v != nil {
				versions = append(versions, *v)
			}
		}
		oldest, err := forgottenVersion(p, key, gone)
		if before == 0 || before > gone { // else it was on the page before
			versions = append(versions, oldest...)
		}
		return err
	})
	return versions, next, err
}

// RowsPage returns at most limit rows of the state after the run, from a key on,
// with the names of their columns. next is the key of the row after them, "" at
// the end.
func (r *Reader) RowsPage(run uint64, from diff.Key, limit int) (columns []string, rows []diff.Row, next diff.Key, err error) {
	done := false
	err = r.view(func(_ *bbolt.Tx, p *bbolt.Bucket) (err error) {
		if p == nil {
			return nil
		}
		columns, rows, next, done, err = currentRows(p, run, from, limit)
		return err
	})
	if done || err != nil {
		return columns, rows, next, err
	}
	return turn(r, rowAfter(run), from, limit)
}

// currentRows reads rows of the snapshot where it is the state after the run,
// which spares looking into every commit. done is false where it is not.
func currentRows(p *bbolt.Bucket, run uint64, from diff.Key, limit int) (columns []string, rows []diff.Row, next diff.Key, done bool, err error) {
	head, err := decodeHead(field(p, keyHead))
	if err != nil || head.Seq == 0 || run < head.Seq {
		return nil, nil, "", false, err
	}
	last := p.Bucket(bucketChanges).Bucket(be64(head.Seq))
	if last == nil {
		return nil, nil, "", false, nil
	}
	h, err := readHeader(last)
	if err != nil || h.Kind == diff.KindRepair { // it has no rows of the source
		return nil, nil, "", false, err
	}
	g := newGallery(p, h.Columns)
	c := currentIndex(p).Cursor()
	for k, v := c.Seek([]byte(from)); k != nil; k, v = c.Next() {
		if len(rows) == limit {
			return h.Columns, rows, diff.Key(k), true, nil
		}
		e, err := decodeEntry(k, v)
		if err != nil {
			return nil, nil, "", false, err
		}
		row, err := g.image(diff.Key(k), e.image)
		if err != nil {
			return nil, nil, "", false, err
		}
		rows = append(rows, row)
	}
	return h.Columns, rows, "", true, nil
}

// ComparePage returns at most limit of what [Reader.Compare] does, from a key
// on. next is where the page after it begins, "" at the end.
func (r *Reader) ComparePage(from, to uint64, key diff.Key, limit int) (columns []string, changes []diff.Change, next diff.Key, err error) {
	return turn(r, difference(from, to), key, limit)
}

// turn asks the question of the keys of one page.
func turn[T any](r *Reader, about func(past) (question[T], error), from diff.Key, limit int) (columns []string, answers []T, next diff.Key, err error) {
	err = r.view(func(_ *bbolt.Tx, p *bbolt.Bucket) error {
		if p == nil {
			return nil
		}
		all, err := commits(p)
		if err != nil {
			return err
		}
		q, err := about(all)
		if err != nil {
			return err
		}
		columns = q.columns
		var stopped []byte
		answers, stopped, err = q.read(p, []byte(from), bounds{limit, rowLooks})
		next = diff.Key(bytes.Clone(stopped))
		return err
	})
	return columns, answers, next, err
}

package state

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"jstsync/diff"
	"jstsync/internal/fault"
)

// Trim forgets the runs of all pipelines that started longer than keep before
// now, and of the rest all but the newest maxRuns; 0 is no such limit. To spare
// quiet polls the writing, it begins only once a day's worth is due by age, or
// a 24th of keep where that is less. The caller holds the run lock.
//
// The state after the last forgotten commit of a pipeline stays, and so do
// number, run ID and digest of each: snapshots of what is kept remain right,
// the chain goes on from where it was cut, and a target that was restored from
// before is still recognised. A pipeline's newest commit and what stands
// unfinished are never forgotten. Each step is a transaction of bounded size;
// cut short, it is finished the next time.
func Trim(path string, now time.Time, keep time.Duration, maxRuns int) error {
	return trim(path, now, keep, maxRuns, fault.Limit("chunk", chunk))
}

func trim(path string, now time.Time, keep time.Duration, maxRuns, chunk int) error {
	t := newTrimmer(path, chunk)
	last, due, err := t.due(now, keep, maxRuns)
	if err != nil || !due {
		return err
	}
	return t.each("trim", t.steps(last))
}

// trimmer trims the audit of a whole file.
type trimmer struct{ Journal }

func newTrimmer(path string, chunk int) *trimmer {
	return &trimmer{Journal{Reader: NewReader(path, ""), chunk: chunk}}
}

// steps lists the transactions that forget the runs up to the last one.
func (t *trimmer) steps(last uint64) iter.Seq[step] {
	return func(yield func(step) bool) {
		if !yield(func(tx *bbolt.Tx) error { return mark(tx, last) }) {
			return
		}
		for d := (drain{chunk: t.chunk}); !d.done; {
			if !yield(d.step) {
				return
			}
		}
		for more := true; more; {
			forget := func(tx *bbolt.Tx) (err error) {
				more, err = forgetRuns(tx, last, t.chunk)
				return err
			}
			if !yield(forget) {
				return
			}
		}
	}
}

// due returns the number of the last run to forget, 0 for none, and whether
// there is anything to do.
func (t *trimmer) due(now time.Time, keep time.Duration, maxRuns int) (last uint64, due bool, err error) {
	err = t.view(func(tx *bbolt.Tx, _ *bbolt.Bucket) error {
		if tx == nil {
			return nil
		}
		due, err = unfinishedTrim(tx)
		if err != nil {
			return err
		}
		runs := tx.Bucket(bucketRuns)
		excess := 0
		if maxRuns > 0 {
			excess = runs.Stats().KeyN - maxRuns
		}
		bound, slack := time.Time{}, min(keep/24, 24*time.Hour)
		if keep > 0 {
			bound = now.Add(-keep)
		}
		c := runs.Cursor()
		for k, v := c.First(); k != nil; k, v = c.Next() {
			var run diff.Run
			if err := readRecord(k, v, &run); err != nil {
				return err
			}
			if last == 0 && excess <= 0 && !run.Started.Before(bound.Add(-slack)) {
				return nil
			}
			if excess <= 0 && !run.Started.Before(bound) || run.Status == diff.Pending {
				return nil
			}
			if excess--; !isHead(tx, readBE64(k)) { // whose record stays
				last, due = readBE64(k), true
			}
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return last, due, err
}

// isHead reports whether the run is a pipeline's newest commit.
func isHead(tx *bbolt.Tx, run uint64) (is bool) {
	pipelines := tx.Bucket(bucketPipelines)
	_ = pipelines.ForEachBucket(func(name []byte) error {
		head, err := decodeHead(field(pipelines.Bucket(name), keyHead))
		is = is || err == nil && head.Seq == run
		return nil
	})
	return is
}

// firstForgotten returns the oldest commit that is to be forgotten and still has
// its changes, nil when there is none.
func firstForgotten(p *bbolt.Bucket) ([]byte, error) {
	last, _, err := trimmed(p)
	if last == 0 || err != nil {
		return nil, err
	}
	if k, _ := p.Bucket(bucketChanges).Cursor().First(); k != nil && readBE64(k) <= last {
		return k, nil
	}
	return nil, nil
}

// unfinishedTrim reports whether an earlier trimming was cut short.
func unfinishedTrim(tx *bbolt.Tx) (found bool, err error) {
	pipelines := tx.Bucket(bucketPipelines)
	err = pipelines.ForEachBucket(func(name []byte) error {
		k, err := firstForgotten(pipelines.Bucket(name))
		found = found || k != nil
		return err
	})
	return found, err
}

// mark notes for each pipeline its last commit up to the run that is not its
// newest. From then on what is older counts as forgotten.
func mark(tx *bbolt.Tx, last uint64) error {
	pipelines := tx.Bucket(bucketPipelines)
	return pipelines.ForEachBucket(func(name []byte) error {
		p := pipelines.Bucket(name)
		head, err := decodeHead(field(p, keyHead))
		if err != nil || head.Seq == 0 {
			return err
		}
		c := p.Bucket(bucketCommits).Cursor()
		c.Seek(be64(min(last+1, head.Seq)))
		k, _ := c.Prev()
		if k == nil {
			return nil
		}
		before, _, err := trimmed(p)
		if err != nil || before >= readBE64(k) {
			return err
		}
		h, err := readHeader(p.Bucket(bucketChanges).Bucket(k))
		if err != nil {
			return fmt.Errorf("run %d: %w", readBE64(k), err)
		}
		at := binary.BigEndian.AppendUint64(bytes.Clone(k), uint64(h.CommittedAt.UnixMicro())) //nolint:gosec // read back as int64
		return put(p, keyTrimmed, at)
	})
}

// drain empties forgotten commits, oldest first: rows that are the newest of
// their keys are kept aside, a chunk a transaction. Until the last of them a
// commit has all of its rows: begun again, it comes to the same.
type drain struct {
	chunk    int
	pipeline string
	run      uint64
	after    []byte // the key moved last, nil before the first
	done     bool
}

func (d *drain) step(tx *bbolt.Tx) error {
	d.done = true
	pipelines := tx.Bucket(bucketPipelines)
	return pipelines.ForEachBucket(func(name []byte) error {
		p := pipelines.Bucket(name)
		k, err := firstForgotten(p)
		if k == nil || err != nil || !d.done { // one at a time
			return err
		}
		d.done = false
		if run := readBE64(k); string(name) != d.pipeline || run != d.run {
			d.pipeline, d.run, d.after = string(name), run, nil
		}
		if err := d.move(p, d.run); err != nil {
			return fmt.Errorf("pipeline %s: run %d: %w", name, d.run, err)
		}
		return nil
	})
}

// move moves a chunk of the commit's rows, and removes it after the last.
func (d *drain) move(p *bbolt.Bucket, run uint64) error {
	changes := p.Bucket(bucketChanges)
	b := changes.Bucket(be64(run))
	h, err := readHeader(b)
	if err != nil {
		return err
	}
	rows := b.Bucket(bucketRows)
	if h.Kind == diff.KindRebuild && d.after == nil && p.Bucket(bucketKept) != nil {
		if err := p.DeleteBucket(bucketKept); err != nil { // what it found is all there was
			return err
		}
	}
	if rows == nil || h.Kind == diff.KindRepair {
		return changes.DeleteBucket(be64(run))
	}
	kept, err := p.CreateBucketIfNotExists(bucketKept)
	if err != nil {
		return err
	}
	k := keeper{kept: kept, run: run, at: h.CommittedAt}
	if k.layout, err = layoutOf(p, run, h.Columns); err != nil {
		return err
	}
	c := rows.Cursor()
	key, enc := seekAfter(c, d.after)
	for n := 0; key != nil && n < d.chunk; n++ {
		if err := k.keep(key, enc); err != nil {
			return err
		}
		d.after = append(d.after[:0], key...)
		key, enc = c.Next()
	}
	if key == nil {
		return changes.DeleteBucket(be64(run))
	}
	return nil
}

// keeper keeps the rows of one commit.
type keeper struct {
	kept   *bbolt.Bucket
	run    uint64
	at     time.Time
	layout uint64
}

// keep puts the row that the change made in the place of an older one.
func (k *keeper) keep(key, enc []byte) error {
	change, err := diff.DecodeChange(diff.Key(key), enc)
	if err != nil {
		return err
	}
	if change.Op == diff.Delete {
		return k.kept.Delete(key)
	}
	b := binary.BigEndian.AppendUint64(nil, k.run)
	b = binary.BigEndian.AppendUint64(b, uint64(k.at.UnixMicro())) //nolint:gosec // read back as int64
	b = binary.BigEndian.AppendUint64(b, k.layout)
	return put(k.kept, key, diff.AppendChange(b, &diff.Change{Op: diff.Insert, Key: change.Key, After: change.After}))
}

// layoutOf returns the number under which the columns are on record, for which
// it puts them there when the newest ones are others.
func layoutOf(p *bbolt.Bucket, run uint64, columns []string) (uint64, error) {
	layouts, err := p.CreateBucketIfNotExists(bucketLayouts)
	if err != nil {
		return 0, err
	}
	if k, _ := layouts.Cursor().Last(); k != nil {
		newest, err := readLayout(layouts, readBE64(k))
		if err != nil || slices.Equal(newest, columns) {
			return readBE64(k), err
		}
	}
	text, err := json.Marshal(columns)
	if err != nil {
		return 0, err
	}
	return run, put(layouts, be64(run), text)
}

// forgetRuns removes a chunk of the records of runs up to the last one, but for
// those of newest commits, and reports whether there may be others.
func forgetRuns(tx *bbolt.Tx, last uint64, chunk int) (more bool, err error) {
	for _, name := range [][]byte{bucketRuns, bucketCalls} {
		var stale [][]byte
		c := tx.Bucket(name).Cursor()
		for k, _ := c.First(); k != nil && readBE64(k) <= last && len(stale) < chunk; k, _ = c.Next() {
			if !isHead(tx, readBE64(k)) {
				stale = append(stale, bytes.Clone(k))
			}
		}
		more = more || len(stale) == chunk
		for _, k := range stale {
			if err := tx.Bucket(name).Delete(k); err != nil {
				return false, err
			}
		}
	}
	return more, nil
}

package state

import (
	"bytes"
	"errors"
	"iter"

	"go.etcd.io/bbolt"

	"jstsync/diff"
	"jstsync/internal/fault"
)

// adopting lists the transactions that write a next index of nothing but the
// rows of a rebuild, which no record was seen of yet; also is part of each.
func (j *Journal) adopting(run uint64, moves iter.Seq2[movement, error], also func(*bbolt.Tx, []movement) error) iter.Seq[step] {
	return func(yield func(step) bool) {
		if !yield(j.createGeneration(run)) {
			return
		}
		adopted := entry{flags: flagAdopted, source: diff.NoHash, image: run}
		for part, err := range j.parts(moves) {
			write := func(tx *bbolt.Tx) error {
				index := j.bucket(tx).Bucket(bucketIndex).Bucket(be64(run))
				index.FillPercent = 0.9
				for _, m := range part {
					if err := index.Put([]byte(m.key), adopted.encode([]byte(m.key))); err != nil {
						return err
					}
				}
				return also(tx, part)
			}
			if err != nil {
				write = failing(err)
			}
			if !yield(write) {
				return
			}
		}
	}
}

// building lists the transactions that write the next index: the current one
// with the movements. also is part of the first of each chunk of them.
func (j *Journal) building(run uint64, moves iter.Seq2[movement, error], also func(*bbolt.Tx, []movement) error) iter.Seq[step] {
	return func(yield func(step) bool) {
		if !yield(j.createGeneration(run)) {
			return
		}
		m := merger{journal: j, run: run}
		for part, err := range j.parts(moves) {
			m.moves = part
			begin := func(tx *bbolt.Tx) error { return errors.Join(also(tx, part), m.merge(tx)) }
			if err != nil {
				begin = failing(err)
			}
			if !yield(begin) {
				return
			}
			for !m.done {
				if !yield(m.merge) {
					return
				}
			}
		}
		m.last, m.done = true, false
		for !m.done {
			if !yield(m.merge) {
				return
			}
		}
	}
}

func (j *Journal) createGeneration(run uint64) step {
	return func(tx *bbolt.Tx) error {
		_, err := j.bucket(tx).Bucket(bucketIndex).CreateBucket(be64(run))
		return err
	}
}

func failing(err error) step { return func(*bbolt.Tx) error { return err } }

// merger writes the next index: the current one, in which movements change
// entries, both in key order.
type merger struct {
	journal *Journal
	run     uint64
	moves   []movement // still to be merged
	last    bool       // no others will come
	after   []byte     // the key merged last, or nil
	done    bool       // the moves are merged, and all entries when they are the last
}

// merge is one transaction; it goes on where the one before ended and writes
// one chunk at most.
func (m *merger) merge(tx *bbolt.Tx) error {
	p := m.journal.bucket(tx)
	next := p.Bucket(bucketIndex).Bucket(be64(m.run))
	next.FillPercent = 0.9
	if err := fault.Hit(fault.StageIndex); err != nil {
		return err
	}
	c := currentIndex(p).Cursor()
	k, v := seekAfter(c, m.after)
	for n := 0; ; n++ {
		if m.done = len(m.moves) == 0 && (k == nil || !m.last); m.done || n == m.journal.chunk {
			m.after = bytes.Clone(m.after)
			return nil
		}
		order := -1 // which of the two comes first
		switch {
		case k == nil:
			order = 1
		case len(m.moves) > 0:
			order = bytes.Compare(k, []byte(m.moves[0].key))
		}
		key, value := k, v
		if order >= 0 {
			var old []byte
			if order == 0 {
				old = v
			}
			var err error
			if value, err = m.moves[0].entry(old, m.run); err != nil {
				return err
			}
			key, m.moves = []byte(m.moves[0].key), m.moves[1:]
		}
		if value != nil {
			if err := next.Put(key, value); err != nil {
				return err
			}
		}
		if m.after = key; order <= 0 {
			k, v = c.Next()
		}
	}
}

// seekAfter moves the cursor to the first key after the given one; nil is
// before all.
func seekAfter(c *bbolt.Cursor, key []byte) (k, v []byte) {
	if key == nil {
		return c.First()
	}
	if k, v = c.Seek(key); bytes.Equal(k, key) {
		return c.Next()
	}
	return k, v
}

// entry returns the index entry after the movement, or nil when the record is
// gone; old is the entry before, or nil.
func (m *movement) entry(old []byte, run uint64) ([]byte, error) {
	if m.gone() {
		return nil, nil
	}
	e := entry{source: m.source, image: run}
	if m.change == nil {
		before, err := decodeEntry([]byte(m.key), old)
		if err != nil {
			return nil, err
		}
		e.image = before.image // no longer adopted: its record was seen
	}
	return e.encode([]byte(m.key)), nil
}

// recordGeneration is [Journal.Record] for more moved spellings than one
// transaction should hold.
func (j *Journal) recordGeneration(run *diff.Run, rehashed []diff.Rehash) error {
	return j.each("record a run in", func(yield func(step) bool) {
		if !yield(func(tx *bbolt.Tx) error {
			_, err := j.prepare(tx)
			return err
		}) {
			return
		}
		for s := range j.building(run.Run, respellings(rehashed), func(*bbolt.Tx, []movement) error { return nil }) {
			if !yield(s) {
				return
			}
		}
		_ = yield(func(tx *bbolt.Tx) error {
			p := j.bucket(tx)
			return errors.Join(put(p, keyGeneration, be64(run.Run)), putFingerprint(p, run), addRunNames(p, run), putRun(tx, run))
		}) && yield(func(tx *bbolt.Tx) error { return sweepGenerations(j.bucket(tx)) })
	})
}

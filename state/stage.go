package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sort"

	"go.etcd.io/bbolt"

	"jstsync/diff"
)

// hashed is a record's new source hash, on the way into the index.
type hashed struct {
	key     diff.Key
	source  diff.SourceHash
	changed bool // its row changed as well, so that the image is this run's
	gone    bool
}

// Stage is transaction A: it writes the plan's changes as the audit of the
// run, in sorted chunks, and in its last transaction the intent and the run's
// record, pending. Once it returns nil the run can be decided without the
// source.
func (j *Journal) Stage(in *diff.Intent, plan *diff.Plan, run *diff.Run) error {
	steps, err := j.staging(in, plan, run)
	if err != nil {
		return err
	}
	return j.update("stage changes in", steps...)
}

// staging returns the transactions of [Journal.Stage].
func (j *Journal) staging(in *diff.Intent, plan *diff.Plan, run *diff.Run) ([]func(*bbolt.Tx) error, error) {
	h := header{
		RunID: in.RunID, Kind: in.Kind, Columns: plan.Changes.Columns(), Count: plan.Changes.Len(),
		Previous: plan.Base.Digest, Digest: in.Digest, CommittedAt: in.CommittedAt, Fingerprint: plan.Fingerprint,
	}
	moves := slices.AppendSeq(make([]hashed, 0, plan.Changes.Len()+len(plan.Rehashed)), movements(plan))
	steps := []func(*bbolt.Tx) error{func(tx *bbolt.Tx) error {
		_, err := j.bucket(tx).Bucket(bucketChanges).CreateBucket(be64(in.Run))
		return err
	}}
	for from := 0; from < plan.Changes.Len(); from += j.chunk {
		part := plan.Changes.Range(from, min(from+j.chunk, plan.Changes.Len()))
		steps = append(steps, func(tx *bbolt.Tx) error { return j.stageRows(tx, in.Run, part) })
	}
	var index []func(*bbolt.Tx) error
	if in.Kind == diff.KindRebuild {
		h.Generation = in.Run
		index = j.adoptRows(in.Run, moves)
	} else if len(moves) > j.chunk {
		h.Generation = in.Run
		var err error
		if index, err = j.buildGeneration(in.Run, moves); err != nil {
			return nil, err
		}
	} else {
		index = append(index, func(tx *bbolt.Tx) error { return j.stageHashes(tx, in.Run, moves) })
	}
	steps = append(steps, index...)
	steps = append(steps, func(tx *bbolt.Tx) error { return j.putIntent(tx, in, h, plan, run) })
	if len(moves) <= j.chunk {
		steps = []func(*bbolt.Tx) error{together(steps)}
	}
	return steps, nil
}

// together makes one transaction of many.
func together(steps []func(*bbolt.Tx) error) func(*bbolt.Tx) error {
	return func(tx *bbolt.Tx) error {
		for _, step := range steps {
			if err := step(tx); err != nil {
				return err
			}
		}
		return nil
	}
}

// movements lists, in key order, what the run does to the index.
func movements(plan *diff.Plan) iter.Seq[hashed] {
	return func(yield func(hashed) bool) {
		rehashed := plan.Rehashed
		for e := range plan.Changes.Encoded() {
			for len(rehashed) > 0 && rehashed[0].Key < e.Key {
				if !yield(hashed{key: rehashed[0].Key, source: rehashed[0].Source}) {
					return
				}
				rehashed = rehashed[1:]
			}
			if !yield(hashed{e.Key, e.Source, true, diff.Op(e.Bytes[0]) == diff.Delete}) {
				return
			}
		}
		for _, r := range rehashed {
			if !yield(hashed{key: r.Key, source: r.Source}) {
				return
			}
		}
	}
}

func (j *Journal) stageRows(tx *bbolt.Tx, run uint64, part iter.Seq[diff.Encoded]) error {
	rows, err := j.bucket(tx).Bucket(bucketChanges).Bucket(be64(run)).CreateBucketIfNotExists(bucketRows)
	if err != nil {
		return err
	}
	rows.FillPercent = 0.9
	for e := range part {
		if err := rows.Put([]byte(e.Key), e.Bytes); err != nil {
			return err
		}
	}
	return nil
}

// stageHashes keeps the index changes beside the rows until they are applied.
func (j *Journal) stageHashes(tx *bbolt.Tx, run uint64, moves []hashed) error {
	p := j.bucket(tx)
	b, err := p.Bucket(bucketChanges).Bucket(be64(run)).CreateBucket(bucketHashes)
	if err != nil {
		return err
	}
	for _, m := range moves {
		if !m.changed && currentIndex(p).Get([]byte(m.key)) == nil {
			return fmt.Errorf("rehash %s: not in the index", m.key) // now, not when the target has committed
		}
		if err := put(b, []byte(m.key), be64(uint64(m.source))); err != nil {
			return err
		}
	}
	return nil
}

func (j *Journal) putIntent(tx *bbolt.Tx, in *diff.Intent, h header, plan *diff.Plan, run *diff.Run) error {
	p := j.bucket(tx)
	count := int(number(p, keyRowCount))
	if in.Kind == diff.KindRebuild {
		count = 0
	}
	h.RowCount = uint64(count + plan.Changes.Count(diff.Insert) - plan.Changes.Count(diff.Delete))
	head, err1 := json.Marshal(h)
	intent, err2 := json.Marshal(in)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	return errors.Join(
		put(p.Bucket(bucketChanges).Bucket(be64(in.Run)), keyHeader, head),
		put(p, keyIntent, intent),
		addFields(p, run.NewFields),
		putRun(tx, run))
}

// adoptRows returns the transactions that write a next index of nothing but
// the rows of a rebuild, which no record was seen of yet.
func (j *Journal) adoptRows(run uint64, moves []hashed) []func(*bbolt.Tx) error {
	steps := []func(*bbolt.Tx) error{func(tx *bbolt.Tx) error {
		_, err := j.bucket(tx).Bucket(bucketIndex).CreateBucket(be64(run))
		return err
	}}
	for part := range slices.Chunk(moves, j.chunk) {
		steps = append(steps, func(tx *bbolt.Tx) error {
			index := j.bucket(tx).Bucket(bucketIndex).Bucket(be64(run))
			index.FillPercent = 0.9
			for _, m := range part {
				if err := index.Put([]byte(m.key), entry{flags: flagAdopted, source: diff.NoHash, image: run}.encode([]byte(m.key))); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return steps
}

// buildGeneration returns the transactions that write the next index, in
// sorted chunks: the current one merged with the movements.
func (j *Journal) buildGeneration(run uint64, moves []hashed) ([]func(*bbolt.Tx) error, error) {
	cuts, err := j.cuts(moves)
	if err != nil {
		return nil, err
	}
	steps := []func(*bbolt.Tx) error{func(tx *bbolt.Tx) error {
		_, err := j.bucket(tx).Bucket(bucketIndex).CreateBucket(be64(run))
		return err
	}}
	var from []byte
	for _, to := range append(cuts, nil) {
		n := len(moves)
		if to != nil {
			n = sort.Search(n, func(i int) bool { return moves[i].key >= diff.Key(to) })
		}
		part, start := moves[:n], from
		steps = append(steps, func(tx *bbolt.Tx) error { return j.mergeIndex(tx, run, part, start, to) })
		moves, from = moves[n:], to
	}
	return steps, nil
}

// cuts returns the keys that part the next index into transactions: each has
// at most chunk entries of the current one and as many movements, wherever in
// the order of keys they stand.
func (j *Journal) cuts(moves []hashed) (cuts [][]byte, err error) {
	for i := j.chunk; i < len(moves); i += j.chunk {
		cuts = append(cuts, []byte(moves[i].key))
	}
	n := 0
	err = j.view(func(_ *bbolt.Tx, p *bbolt.Bucket) error {
		return currentIndex(p).ForEach(func(k, _ []byte) error {
			if n++; n%j.chunk == 0 {
				cuts = append(cuts, bytes.Clone(k))
			}
			return nil
		})
	})
	slices.SortFunc(cuts, bytes.Compare)
	return cuts, err
}

// mergeIndex writes the entries of the next index from one key up to another.
func (j *Journal) mergeIndex(tx *bbolt.Tx, run uint64, moves []hashed, from, to []byte) error {
	p := j.bucket(tx)
	next := p.Bucket(bucketIndex).Bucket(be64(run))
	next.FillPercent = 0.9
	c := currentIndex(p).Cursor()
	k, v := c.First()
	if from != nil {
		k, v = c.Seek(from)
	}
	for {
		inOld := k != nil && (to == nil || bytes.Compare(k, to) < 0)
		if !inOld && len(moves) == 0 {
			return nil
		}
		order := -1
		switch {
		case !inOld:
			order = 1
		case len(moves) > 0:
			order = bytes.Compare(k, []byte(moves[0].key))
		}
		key, value := k, v
		if order >= 0 {
			var old []byte
			if order == 0 {
				old = v
			}
			var err error
			if value, err = moves[0].entry(old, run); err != nil {
				return err
			}
			key, moves = []byte(moves[0].key), moves[1:]
		}
		if value != nil {
			if err := next.Put(key, value); err != nil {
				return err
			}
		}
		if order <= 0 {
			k, v = c.Next()
		}
	}
}

// entry returns the index entry after the movement, or nil when the record is
// gone; old is the entry before, or nil.
func (m *hashed) entry(old []byte, run uint64) ([]byte, error) {
	if m.gone {
		return nil, nil
	}
	e := entry{source: m.source, image: run}
	if !m.changed {
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
	moves := make([]hashed, len(rehashed))
	for i, r := range rehashed {
		moves[i] = hashed{key: r.Key, source: r.Source}
	}
	build, err := j.buildGeneration(run.Run, moves)
	if err != nil {
		return err
	}
	steps := append([]func(*bbolt.Tx) error{func(tx *bbolt.Tx) error {
		_, err := j.prepare(tx)
		return err
	}}, build...)
	steps = append(steps, func(tx *bbolt.Tx) error {
		p := j.bucket(tx)
		return errors.Join(put(p, keyGeneration, be64(run.Run)), putFingerprint(p, run), addFields(p, run.NewFields), putRun(tx, run))
	}, func(tx *bbolt.Tx) error { return sweepGenerations(j.bucket(tx)) })
	return j.update("record a run in", steps...)
}

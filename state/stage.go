package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"jstsync/diff"
	"jstsync/internal/fault"
)

// movement is what a run does to one record: its change, a new source hash, or
// both.
type movement struct {
	key    diff.Key
	source diff.SourceHash
	change []byte // as encoded, or nil when its row stays as it is
}

func (m *movement) gone() bool { return m.change != nil && diff.Op(m.change[0]) == diff.Delete }

// step is what one write transaction does.
type step = func(tx *bbolt.Tx) error

// Stage is transaction A: it writes the plan's changes as the audit of the
// run, in sorted chunks, and in its last transaction the intent and the run's
// record, pending. Once it returns nil the run can be decided without the
// source. The file is opened for each chunk, so that no more of it stays in
// memory, and others can read it meanwhile.
func (j *Journal) Stage(in *diff.Intent, plan *diff.Plan, run *diff.Run) error {
	if err := j.passing(nil, "stage changes in", fault.StageBegin); err != nil {
		return err
	}
	err := j.each("stage changes in", j.staging(in, plan, run))
	return j.passing(err, "stage changes in", fault.IntentDone)
}

// staging lists the transactions of [Journal.Stage]. Each is to be made before
// the next is asked for.
func (j *Journal) staging(in *diff.Intent, plan *diff.Plan, run *diff.Run) iter.Seq[step] {
	h := header{
		RunID: in.RunID, Kind: in.Kind, Columns: plan.Changes.Columns(), Count: plan.Changes.Len(),
		Previous: plan.Base.Digest, Digest: in.Digest, CommittedAt: in.CommittedAt, Fingerprint: plan.Fingerprint,
	}
	few := plan.Changes.Len()+len(plan.Rehashed) <= j.chunk
	if in.Kind == diff.KindRebuild || !few && in.Kind != diff.KindRepair {
		h.Generation = in.Run
	}
	rows := func(tx *bbolt.Tx, part []movement) error { return j.stageRows(tx, in.Run, part) }
	var index iter.Seq[step]
	switch moves := movements(plan); {
	case in.Kind == diff.KindRebuild:
		index = j.adopting(in.Run, moves, rows)
	case in.Kind == diff.KindRepair:
		index = j.repairing(in.Run, moves, rows)
	case few:
		index = j.listing(in.Run, moves, rows)
	default:
		index = j.building(in.Run, moves, rows)
	}
	steps := func(yield func(step) bool) {
		if !yield(func(tx *bbolt.Tx) error {
			_, err := j.bucket(tx).Bucket(bucketChanges).CreateBucket(be64(in.Run))
			return err
		}) {
			return
		}
		for s := range index {
			if !yield(s) {
				return
			}
		}
		yield(func(tx *bbolt.Tx) error { return j.putIntent(tx, in, h, plan, run) })
	}
	if few {
		return func(yield func(step) bool) { yield(together(steps)) }
	}
	return steps
}

// together makes one transaction of many.
func together(steps iter.Seq[step]) step {
	return func(tx *bbolt.Tx) error {
		for s := range steps {
			if err := s(tx); err != nil {
				return err
			}
		}
		return nil
	}
}

// movements lists, in key order, what the run does to its records.
func movements(plan *diff.Plan) iter.Seq2[movement, error] {
	return func(yield func(movement, error) bool) {
		rehashed := plan.Rehashed
		for e, err := range plan.Changes.Encoded() {
			for err == nil && len(rehashed) > 0 && rehashed[0].Key < e.Key {
				if !yield(respelling(rehashed[0]), nil) {
					return
				}
				rehashed = rehashed[1:]
			}
			if !yield(movement{e.Key, e.Source, e.Bytes}, err) {
				return
			}
		}
		respellings(rehashed)(yield)
	}
}

// respellings are movements of source hashes alone.
func respellings(all []diff.Rehash) iter.Seq2[movement, error] {
	return func(yield func(movement, error) bool) {
		for _, r := range all {
			if !yield(respelling(r), nil) {
				return
			}
		}
	}
}

func respelling(r diff.Rehash) movement { return movement{key: r.Key, source: r.Source} }

// parts lists the movements in chunks. Each is valid until the next.
func (j *Journal) parts(moves iter.Seq2[movement, error]) iter.Seq2[[]movement, error] {
	return func(yield func([]movement, error) bool) {
		var part []movement
		var changes []byte // what the part's changes are copied to
		for m, err := range moves {
			if err != nil {
				yield(nil, err)
				return
			}
			if len(part) == j.chunk {
				if !yield(part, nil) {
					return
				}
				part, changes = part[:0], changes[:0]
			}
			if m.change != nil {
				at := len(changes)
				changes = append(changes, m.change...)
				m.change = changes[at:len(changes):len(changes)]
			}
			part = append(part, m)
		}
		if len(part) > 0 {
			yield(part, nil)
		}
	}
}

// listing is the one transaction that keeps the index changes beside the rows
// until they are applied, where they are few.
func (j *Journal) listing(run uint64, moves iter.Seq2[movement, error], also func(*bbolt.Tx, []movement) error) iter.Seq[step] {
	return func(yield func(step) bool) {
		yield(func(tx *bbolt.Tx) error {
			_, err := j.bucket(tx).Bucket(bucketChanges).Bucket(be64(run)).CreateBucket(bucketHashes)
			for part, movesErr := range j.parts(moves) {
				if err = errors.Join(err, movesErr); err != nil {
					return err
				}
				err = errors.Join(also(tx, part), j.stageHashes(tx, run, part))
			}
			return err
		})
	}
}

// repairing lists the transactions of a repair, which changes nothing of the
// snapshot.
func (j *Journal) repairing(run uint64, moves iter.Seq2[movement, error], also func(*bbolt.Tx, []movement) error) iter.Seq[step] {
	return func(yield func(step) bool) {
		if !yield(func(tx *bbolt.Tx) error {
			_, err := j.bucket(tx).Bucket(bucketChanges).Bucket(be64(run)).CreateBucket(bucketHashes)
			return err
		}) {
			return
		}
		for part, err := range j.parts(moves) {
			write := func(tx *bbolt.Tx) error { return also(tx, part) }
			if err != nil {
				write = failing(err)
			}
			if !yield(write) {
				return
			}
		}
	}
}

func (j *Journal) stageRows(tx *bbolt.Tx, run uint64, part []movement) error {
	if !slices.ContainsFunc(part, func(m movement) bool { return m.change != nil }) {
		return nil
	}
	rows, err := j.bucket(tx).Bucket(bucketChanges).Bucket(be64(run)).CreateBucketIfNotExists(bucketRows)
	if err != nil {
		return err
	}
	if err := fault.Hit(fault.StageRows); err != nil {
		return err
	}
	rows.FillPercent = 0.9
	for _, m := range part {
		if m.change == nil {
			continue
		}
		if err := rows.Put([]byte(m.key), m.change); err != nil {
			return err
		}
	}
	return nil
}

func (j *Journal) stageHashes(tx *bbolt.Tx, run uint64, part []movement) error {
	p := j.bucket(tx)
	b := p.Bucket(bucketChanges).Bucket(be64(run)).Bucket(bucketHashes)
	for _, m := range part {
		if m.change == nil && currentIndex(p).Get([]byte(m.key)) == nil {
			return fmt.Errorf("rehash %s: not in the index", m.key) // now, not when the target has committed
		}
		if err := put(b, []byte(m.key), be64(uint64(m.source))); err != nil {
			return err
		}
	}
	return nil
}

// latestCommit returns the latest time of all commits, zero when there are none.
func latestCommit(p *bbolt.Bucket) (latest time.Time, err error) {
	changes := p.Bucket(bucketChanges)
	c := changes.Cursor()
	for k, _ := c.Last(); k != nil; k, _ = c.Prev() {
		if changes.Bucket(k).Get(keyHeader) == nil { // that which is being staged
			continue
		}
		h, err := readHeader(changes.Bucket(k))
		if err != nil {
			return latest, fmt.Errorf("run %d: %w", readBE64(k), err)
		}
		if !h.Latest.IsZero() {
			return maxTime(latest, h.Latest), nil
		}
		latest = maxTime(latest, h.CommittedAt) // of an earlier version
	}
	return latest, nil
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (j *Journal) putIntent(tx *bbolt.Tx, in *diff.Intent, h header, plan *diff.Plan, run *diff.Run) error {
	p := j.bucket(tx)
	count := int(number(p, keyRowCount))
	if in.Kind == diff.KindRebuild {
		count = 0
	}
	h.RowCount = uint64(count)
	if in.Kind != diff.KindRepair {
		h.RowCount = uint64(count + plan.Changes.Count(diff.Insert) - plan.Changes.Count(diff.Delete))
	}
	latest, err := latestCommit(p)
	if err != nil {
		return err
	}
	h.Latest = maxTime(latest, h.CommittedAt)
	head, err1 := json.Marshal(h)
	intent, err2 := json.Marshal(in)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	return errors.Join(
		put(p.Bucket(bucketChanges).Bucket(be64(in.Run)), keyHeader, head),
		put(p, keyIntent, intent),
		addRunNames(p, run),
		putRun(tx, run),
		fault.Hit(fault.IntentPut))
}

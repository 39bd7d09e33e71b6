package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"jstsync/diff"
	"jstsync/internal/fault"
)

// Finalise is transaction B: the staged changes become the snapshot and the
// audit, the run's record says committed, the head moves and the intent goes.
// It does nothing and returns an error when another intent stands, or when the
// staged changes do not have the intent's digest.
func (j *Journal) Finalise(in *diff.Intent, ended time.Time) error {
	if err := j.passing(nil, "finalise run in", fault.FinaliseBegin); err != nil {
		return err
	}
	staged, err := j.digestStaged(in)
	if err != nil {
		return err
	}
	err = j.update("finalise run in",
		func(tx *bbolt.Tx) error { return j.finalise(tx, in, staged, ended) },
		func(tx *bbolt.Tx) error {
			return errors.Join(fault.Hit(fault.FinaliseSweep), sweepGenerations(j.bucket(tx)))
		})
	return j.passing(err, "finalise run in", fault.FinaliseDone)
}

func (j *Journal) finalise(tx *bbolt.Tx, in *diff.Intent, staged diff.Digest, ended time.Time) error {
	p := j.bucket(tx)
	changes, h, err := j.standing(p, in)
	if err != nil {
		return err
	}
	if staged != in.Digest {
		return fmt.Errorf("staged changes of run %d have digest %s, want %s: the file is damaged", in.Run, staged, in.Digest)
	}
	if h.Generation != 0 {
		err = put(p, keyGeneration, be64(h.Generation))
	} else {
		err = applyHashes(currentIndex(p), changes, in.Run)
	}
	h.Committed = true
	text, jsonErr := json.Marshal(h)
	commit := append(append([]byte(nil), in.RunID[:]...), in.Digest[:]...)
	return errors.Join(err, jsonErr,
		put(changes, keyHeader, text),
		put(p, keyHead, encodeHead(in.To())),
		put(p, keyRowCount, be64(h.RowCount)),
		put(p, keyFingerprint, []byte(h.Fingerprint)),
		put(p.Bucket(bucketCommits), be64(in.Run), commit),
		p.Delete(keyIntent),
		closeRun(tx, in.Run, func(r *diff.Run) {
			r.Status, r.CommittedAt, r.Ended = diff.Committed, in.CommittedAt, ended.UTC()
		}),
		fault.Hit(fault.FinalisePut))
}

// standing returns the staged changes of the intent, which must be the one
// that stands.
func (j *Journal) standing(p *bbolt.Bucket, in *diff.Intent) (*bbolt.Bucket, header, error) {
	if p == nil {
		return nil, header{}, fmt.Errorf("run %d is not in the file", in.Run)
	}
	now, err := readIntent(p)
	if err != nil {
		return nil, header{}, err
	}
	if now == nil || now.RunID != in.RunID {
		return nil, header{}, fmt.Errorf("run %d is not the unfinished one", in.Run)
	}
	changes := p.Bucket(bucketChanges).Bucket(be64(in.Run))
	if changes == nil {
		return nil, header{}, fmt.Errorf("staged changes of run %d are missing", in.Run)
	}
	h, err := readHeader(changes)
	return changes, h, err
}

// digestStaged returns the digest of what was staged, which must be that of
// what was decided on. It opens the file for each chunk, as [Journal.each]
// does.
func (j *Journal) digestStaged(in *diff.Intent) (diff.Digest, error) {
	var d *diff.Digester
	var after []byte
	for {
		n := 0
		err := j.view(func(_ *bbolt.Tx, p *bbolt.Bucket) error {
			changes, h, err := j.standing(p, in)
			if err != nil {
				return err
			}
			if d == nil {
				d = diff.NewDigester(h.Previous, h.Columns)
			}
			rows := changes.Bucket(bucketRows)
			if rows == nil {
				return nil
			}
			c := rows.Cursor()
			for k, v := seekAfter(c, after); k != nil && n < j.chunk; k, v = c.Next() {
				d.Add(k, v)
				after = append(after[:0], k...)
				n++
			}
			return nil
		})
		if err != nil {
			return diff.Digest{}, err
		}
		if n < j.chunk {
			return d.Sum(), nil
		}
	}
}

// applyHashes brings the index up to the staged changes, whose hashes are then
// no longer needed beside it.
func applyHashes(index, changes *bbolt.Bucket, run uint64) error {
	rows := changes.Bucket(bucketRows)
	err := changes.Bucket(bucketHashes).ForEach(func(k, v []byte) error {
		source, err := unseal(k, v)
		if err != nil {
			return fmt.Errorf("staged hash of %s: %w", diff.Key(k), err)
		}
		var enc []byte
		if rows != nil {
			enc = rows.Get(k)
		}
		m := movement{diff.Key(k), diff.SourceHash(readBE64(source)), enc}
		if m.gone() {
			return index.Delete(k)
		}
		e, err := m.entry(index.Get(k), run)
		if err != nil {
			return err
		}
		return index.Put(k, e)
	})
	return errors.Join(err, changes.DeleteBucket(bucketHashes))
}

// Abort drops the intent and its staged changes, and records how the run
// ended: [diff.Aborted] when the caller has made sure that it can no longer
// commit, [diff.Unknown] when it is past deciding.
func (j *Journal) Abort(in *diff.Intent, as diff.Status, ended time.Time, why string) error {
	if err := j.passing(nil, "abort run in", fault.AbortBegin); err != nil {
		return err
	}
	return j.update("abort run in", func(tx *bbolt.Tx) error {
		p := j.bucket(tx)
		if _, _, err := j.standing(p, in); err != nil {
			return err
		}
		return errors.Join(
			p.Delete(keyIntent),
			closeRun(tx, in.Run, func(r *diff.Run) {
				r.Status, r.Ended, r.Error = as, ended.UTC(), why
			}),
			fault.Hit(fault.AbortPut))
	}, func(tx *bbolt.Tx) error {
		return errors.Join(fault.Hit(fault.AbortSweep), sweep(j.bucket(tx)))
	})
}

package state

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"jstsync/diff"
	"jstsync/internal/fault"
)

// Journal writes one pipeline's part of a state file. Its holder holds the run
// lock. After an error from any method that writes, the outcome of that write
// is unknown: exit, and let the next start read the file.
type Journal struct {
	*Reader
	newID func() diff.ID
	now   func() time.Time
	chunk int
	turn  sync.Locker // held while the file is open to be written; nil for none
}

// NewJournal returns the journal of the pipeline in the file at path, which
// need not exist yet. newID makes random identities.
func NewJournal(path, pipeline string, newID func() diff.ID, now func() time.Time) *Journal {
	return &Journal{NewReader(path, pipeline), newID, now, fault.Limit("chunk", chunk), nil}
}

// Taking makes each writing section hold the lock. Readers in the same process
// that hold its other side while they read are waited for by it at once, and not
// looked for again and again as those of other processes are.
func (j *Journal) Taking(turn sync.Locker) *Journal {
	j.turn = turn
	return j
}

// update runs the functions in one write transaction each.
func (j *Journal) update(verb string, steps ...func(tx *bbolt.Tx) error) error {
	if j.turn != nil {
		j.turn.Lock()
		defer j.turn.Unlock()
	}
	return j.wrap(verb, with(j.path, false, func(db *bbolt.DB) error {
		for _, step := range steps {
			if err := db.Update(step); err != nil {
				return err
			}
		}
		return nil
	}))
}

// each runs the steps in one write transaction each, and opens the file for
// each: what was read of it is mapped into memory until it is closed.
func (j *Journal) each(verb string, steps iter.Seq[step]) error {
	for s := range steps {
		if err := j.update(verb, s); err != nil {
			return err
		}
	}
	return nil
}

// passing returns err, or what happens at the point where there is none.
func (j *Journal) passing(err error, verb string, p fault.Point) error {
	if err != nil {
		return err
	}
	return j.wrap(verb, fault.Hit(p))
}

func (j *Journal) bucket(tx *bbolt.Tx) *bbolt.Bucket {
	return tx.Bucket(bucketPipelines).Bucket([]byte(j.pipeline))
}

// Open makes sure that the file and the pipeline's part of it exist, with an
// instance that no other has, removes what an unfinished staging left, and
// returns the pipeline's head.
func (j *Journal) Open() (head diff.Head, err error) {
	if err := j.ensureFile(); err != nil {
		return head, err
	}
	err = j.update("prepare", func(tx *bbolt.Tx) error {
		p, err := j.prepare(tx)
		if err != nil {
			return err
		}
		head, err = decodeHead(field(p, keyHead))
		return err
	})
	return head, err
}

// prepare makes sure of the pipeline's bucket and clears away what an
// unfinished staging left.
func (j *Journal) prepare(tx *bbolt.Tx) (*bbolt.Bucket, error) {
	p := j.bucket(tx)
	if p == nil {
		return j.createPipeline(tx)
	}
	if p.Get(keyIntent) != nil {
		return nil, fmt.Errorf("pipeline %s has an unfinished run", j.pipeline)
	}
	return p, sweep(p)
}

func (j *Journal) ensureFile() error {
	err := checkPlace(j.path)
	if errors.Is(err, os.ErrNotExist) {
		return create(j.path, j.now())
	}
	return err
}

func (j *Journal) createPipeline(tx *bbolt.Tx) (*bbolt.Bucket, error) {
	p, err := tx.Bucket(bucketPipelines).CreateBucket([]byte(j.pipeline))
	if err != nil {
		return nil, err
	}
	for _, name := range [][]byte{bucketIndex, bucketChanges, bucketCommits} {
		if _, err := p.CreateBucket(name); err != nil {
			return nil, err
		}
	}
	if _, err := p.Bucket(bucketIndex).CreateBucket(be64(0)); err != nil {
		return nil, err
	}
	return p, errors.Join(
		put(p, keyGeneration, be64(0)),
		put(p, keyRowCount, be64(0)),
		put(p, keyHead, encodeHead(diff.Head{Instance: j.newID()})))
}

// sweep removes changes that were staged and never committed, which are those
// of runs after the head's, and indexes that are not the current one.
func sweep(p *bbolt.Bucket) error {
	head, err := decodeHead(field(p, keyHead))
	if err != nil {
		return err
	}
	var stale [][]byte
	changes := p.Bucket(bucketChanges)
	c := changes.Cursor()
	for k, _ := c.Seek(be64(head.Seq + 1)); k != nil; k, _ = c.Next() {
		stale = append(stale, append([]byte(nil), k...))
	}
	for _, k := range stale {
		err = errors.Join(err, changes.DeleteBucket(k))
	}
	return errors.Join(err, sweepGenerations(p))
}

func sweepGenerations(p *bbolt.Bucket) error {
	var stale [][]byte
	index, current := p.Bucket(bucketIndex), string(field(p, keyGeneration))
	err := index.ForEachBucket(func(k []byte) error {
		if string(k) != current {
			stale = append(stale, append([]byte(nil), k...))
		}
		return nil
	})
	for _, k := range stale {
		err = errors.Join(err, index.DeleteBucket(k))
	}
	return err
}

// Record adds the record of a run that changed nothing, with the hashes of
// records whose spelling alone moved and the fingerprint they were made under.
// It creates the file when there is none.
func (j *Journal) Record(run *diff.Run, rehashed []diff.Rehash) error {
	if err := j.ensureFile(); err != nil {
		return err
	}
	if len(rehashed) > j.chunk {
		return j.recordGeneration(run, rehashed)
	}
	err := j.update("record a run in", func(tx *bbolt.Tx) error {
		p, err := j.prepare(tx)
		if err != nil {
			return err
		}
		index := currentIndex(p)
		for _, r := range rehashed {
			if err := rehash(index, r.Key, r.Source); err != nil {
				return err
			}
		}
		return errors.Join(putFingerprint(p, run), addRunNames(p, run), putRun(tx, run), fault.Hit(fault.RecordPut))
	})
	return j.passing(err, "record a run in", fault.RecordDone)
}

// putFingerprint notes the mapping that the hashes are of, after a scan that
// found every record's row equal under it.
func putFingerprint(p *bbolt.Bucket, run *diff.Run) error {
	if run.Status != diff.Unchanged {
		return nil
	}
	return put(p, keyFingerprint, []byte(run.Fingerprint))
}

func rehash(index *bbolt.Bucket, k diff.Key, source diff.SourceHash) error {
	v := index.Get([]byte(k))
	if v == nil {
		return fmt.Errorf("rehash %s: not in the index", k)
	}
	e, err := decodeEntry([]byte(k), v)
	if err != nil {
		return err
	}
	was := e
	if e.source, e.flags = source, e.flags&^flagAdopted; e == was {
		return nil
	}
	return index.Put([]byte(k), e.encode([]byte(k)))
}

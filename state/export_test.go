package state

import (
	"time"

	"go.etcd.io/bbolt"

	"jstsync/diff"
)

// SetChunk makes the journal take n keys for as many as a transaction holds.
func (j *Journal) SetChunk(n int) { j.chunk = n }

// StageBySteps is [Journal.Stage] with a pause after each transaction.
func (j *Journal) StageBySteps(in *diff.Intent, plan *diff.Plan, run *diff.Run, pause func(left int)) error {
	steps, err := j.staging(in, plan, run)
	for i, step := range steps {
		if err == nil {
			err = j.update("stage", step)
			pause(len(steps) - 1 - i)
		}
	}
	return err
}

// FinaliseUnswept is [Journal.Finalise] cut off before its last transaction.
func (j *Journal) FinaliseUnswept(in *diff.Intent, ended time.Time) error {
	return j.update("finalise", func(tx *bbolt.Tx) error { return j.finalise(tx, in, ended) })
}

// CheckTx is [Check] of what a transaction sees, but for the tree of pages.
func CheckTx(tx *bbolt.Tx) *Verdict { return checkContent(tx) }

// Abandon gives the lock up as the end of a killed process does.
func (l *Lock) Abandon() error { return l.file.Unlock() }

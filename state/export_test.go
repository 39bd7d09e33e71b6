package state

import (
	"time"

	"go.etcd.io/bbolt"

	"jstsync/diff"
)

// SetChunk makes the journal take n keys for as many as a transaction holds.
func (j *Journal) SetChunk(n int) { j.chunk = n }

// StageBySteps is [Journal.Stage] with a pause after each transaction.
func (j *Journal) StageBySteps(in *diff.Intent, plan *diff.Plan, run *diff.Run, pause func()) error {
	for step := range j.staging(in, plan, run) {
		if err := j.update("stage", step); err != nil {
			return err
		}
		pause()
	}
	return nil
}

// FinaliseUnswept is [Journal.Finalise] cut off before its last transaction.
func (j *Journal) FinaliseUnswept(in *diff.Intent, ended time.Time) error {
	staged, err := j.digestStaged(in)
	if err != nil {
		return err
	}
	return j.update("finalise", func(tx *bbolt.Tx) error { return j.finalise(tx, in, staged, ended) })
}

// CheckTx is [Check] of what a transaction sees, but for the tree of pages.
func CheckTx(tx *bbolt.Tx) *Verdict { return checkContent(tx) }

// Abandon gives the lock up as the end of a killed process does.
func (l *Lock) Abandon() error { return l.file.Unlock() }

// TrimByRuns is [Trim] to the newest runs, with a chunk of so many keys, cut
// off after some transactions; it reports whether it came to its end.
func TrimByRuns(path string, maxRuns, chunk, transactions int) (done bool, err error) {
	t := newTrimmer(path, chunk)
	last, due, err := t.due(time.Time{}, 0, maxRuns)
	if err != nil || !due {
		return true, err
	}
	for step := range t.steps(last) {
		if transactions == 0 {
			return false, nil
		}
		if err := t.update("trim", step); err != nil {
			return false, err
		}
		transactions--
	}
	return true, nil
}

// EncodeCalls is encodeCalls.
func EncodeCalls(calls []diff.Call) []byte { return encodeCalls(calls) }

// DecodeCalls is decodeCalls.
func DecodeCalls(b []byte, calls *[]diff.Call) error { return decodeCalls(b, calls) }

package main

import (
	"time"

	"jstsync/diff"
	"jstsync/state"
)

// journal is a state.Journal that remembers a write that failed. What became of
// it is unknown, and the process that did it must end.
type journal struct {
	*state.Journal
	w *wiring
}

func (j journal) note(err error) error {
	if err != nil {
		j.w.broken = err
	}
	return err
}

// Open is that of the journal.
func (j journal) Open() (diff.Head, error) {
	head, err := j.Journal.Open()
	return head, j.note(err)
}

// Stage is that of the journal.
func (j journal) Stage(in *diff.Intent, plan *diff.Plan, run *diff.Run) error {
	return j.note(j.Journal.Stage(in, plan, run))
}

// Finalise is that of the journal.
func (j journal) Finalise(in *diff.Intent, ended time.Time) error {
	return j.note(j.Journal.Finalise(in, ended))
}

// Abort is that of the journal.
func (j journal) Abort(in *diff.Intent, as diff.Status, ended time.Time, why string) error {
	return j.note(j.Journal.Abort(in, as, ended, why))
}

// Record is that of the journal.
func (j journal) Record(run *diff.Run, rehashed []diff.Rehash) error {
	return j.note(j.Journal.Record(run, rehashed))
}

package pipeline_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"jstsync/diff"
	"jstsync/internal/pipeline"
	"jstsync/state"
)

// meeting is a journal and a target of which each waits for the other to be in the midst of a run.
type meeting struct {
	pipeline.Journal
	*memoryTable
	sent, ended chan struct{} // the transaction's statements, and the transaction
	stage       error         // what staging comes to
	commit      func(ctx context.Context, durable func() error) error
	resolved    bool
}

func (m *meeting) Stage(in *diff.Intent, plan *diff.Plan, run *diff.Run) error {
	<-m.sent
	if m.stage != nil {
		return m.stage
	}
	select {
	case <-m.ended:
	case <-time.After(50 * time.Millisecond):
	}
	return m.Journal.Stage(in, plan, run)
}

func (m *meeting) Connect(context.Context) (pipeline.Session, error) {
	return session{m.memoryTable, m}, nil
}

func (m *meeting) Resolve(ctx context.Context, in *diff.Intent) (bool, error) {
	m.resolved = true
	return m.memoryTable.Resolve(ctx, in)
}

type session struct {
	*memoryTable
	m *meeting
}

func (s session) Commit(ctx context.Context, in *diff.Intent, changes *diff.ChangeSet, durable func() error) error {
	for _, err := range changes.All() {
		if err != nil {
			return err
		}
	}
	close(s.m.sent)
	defer close(s.m.ended)
	if err := s.m.commit(ctx, durable); err != nil {
		return err
	}
	return s.memoryTable.Commit(ctx, in, changes, durable)
}

// Whichever of staging and transaction fails while the other one is under way, the run ends as if they came in turn.
func TestRunner_StageBesideCommit(t *testing.T) {
	full := &diff.Error{Code: diff.CodeState, Message: "disk full"}
	refused := errors.New("deadlock")
	for name, tt := range map[string]struct {
		stage    error
		commit   func(ctx context.Context, durable func() error) error
		want     error
		status   diff.Status
		resolved bool
	}{
		"both well": {nil, func(_ context.Context, durable func() error) error { return durable() }, nil, diff.Committed, false},
		"staging fails while the server works": {full, func(ctx context.Context, _ func() error) error {
			<-ctx.Done()
			return ctx.Err()
		}, full, diff.Failed, false},
		"staging fails while COMMIT waits": {full, func(_ context.Context, durable func() error) error { return durable() }, full, diff.Failed, false},
		"the transaction fails first":      {nil, func(context.Context, func() error) error { return refused }, refused, diff.Failed, true},
	} {
		t.Run(name, func(t *testing.T) {
			w, r, s := scripted(t, record(1, "a"))
			m := &meeting{
				Journal: r.Journal, memoryTable: w.target.(*memoryTable), sent: make(chan struct{}), ended: make(chan struct{}),
				stage: tt.stage, commit: tt.commit,
			}
			r.Journal, r.Target = m, m
			s.records = []diff.Record{record(1, "b"), record(2, "c")}
			plan, err := r.Sync(t.Context())
			if !errors.Is(err, tt.want) || plan.Status != tt.status || m.resolved != tt.resolved {
				t.Errorf("got %s, %v, resolved %t, want %s, %v, %t", plan.Status, err, m.resolved, tt.status, tt.want, tt.resolved)
			}
			snap, err := state.NewReader(w.path, "shops").Snapshot()
			if err != nil || snap.Intent != nil {
				t.Errorf("got intent %+v, %v, want none", snap.Intent, err)
			}
			rows, err := w.snapshot()
			if err != nil {
				t.Fatal(err)
			}
			if differ := sameRows(rows, w.table()); differ != "" {
				t.Error(differ)
			}
			if n := 2 - len(w.table()); (n == 0) != (tt.want == nil) {
				t.Errorf("got %d rows", len(w.table()))
			}
		})
	}
}

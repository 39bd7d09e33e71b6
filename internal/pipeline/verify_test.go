package pipeline_test

import (
	"context"
	"slices"
	"testing"

	"jstsync/diff"
	"jstsync/internal/pipeline"
	"jstsync/state"
)

// inspected is a target that can be compared, with what a test lets happen to
// it on the way.
type inspected struct {
	*memoryTable
	gone     bool   // the checkpoint row
	onRead   func() // after the rows were read
	claimant diff.Head
}

func (i *inspected) ReadTable(_ context.Context, visit func(diff.Key, diff.Row) error) (*diff.Checkpoint, error) {
	keys := make([]diff.Key, 0, len(i.rows))
	for k := range i.rows {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		if err := visit(k, i.rows[k]); err != nil {
			return nil, err
		}
	}
	cp := &diff.Checkpoint{Head: i.head, Epoch: 1, Target: "jst_shops"}
	if i.gone {
		cp = nil
	}
	if i.onRead != nil {
		i.onRead()
	}
	return cp, nil
}

func (i *inspected) Claim(_ context.Context, instance diff.ID) (diff.Checkpoint, error) {
	if i.gone {
		i.gone, i.head = false, diff.Head{Instance: instance}
		if i.claimant.Instance != (diff.ID{}) {
			i.head = i.claimant
		}
	}
	return diff.Checkpoint{Head: i.head, Epoch: 1, Target: "jst_shops"}, nil
}

func (i *inspected) TakeOver(_ context.Context, _ *diff.Checkpoint, in *diff.Intent) error {
	i.head = in.To()
	return nil
}

func (i *inspected) Repairable(cp *diff.Checkpoint, head diff.Head) error {
	if cp == nil || cp.Same(head) || cp.Instance == head.Instance && cp.Seq < head.Seq {
		return nil
	}
	return &diff.Error{Code: diff.CodeDiverged, Message: "not ours"}
}

// verifier returns what compares the runner's target.
func verifier(w *world, r *pipeline.Runner) (*pipeline.Verifier, *inspected) {
	i := &inspected{memoryTable: w.target.(*memoryTable)}
	repairs := *r
	repairs.Trigger = diff.KindRepair
	return &pipeline.Verifier{
		Runner: &repairs, Stock: state.NewReader(w.path, r.Pipeline),
		Connect: func(context.Context) (pipeline.Inspection, error) { return i, nil },
	}, i
}

func wantCode(t *testing.T, err error, want diff.Code) {
	t.Helper()
	if got := diff.CodeOf(err); (err != nil) != (want != "") || err != nil && got != want {
		t.Errorf("got %v (%s), want %s", err, got, want)
	}
}

// Before the first run every row of a table would be one too many: none is
// ever listed for deletion then.
func TestVerifier_NoRunYet(t *testing.T) {
	w, r := newScripted(t)
	v, i := verifier(w, r)
	i.rows[keyOf(t, 7)] = diff.Row{}
	_, err := v.Verify(t.Context())
	wantCode(t, err, diff.CodeFailed)
	_, err = v.Repair(t.Context(), true)
	wantCode(t, err, diff.CodeFailed)
	if len(i.rows) != 1 {
		t.Error("the repair deleted a row that no run wrote")
	}
}

// A snapshot that moves while the table is read is read again, and not for
// ever.
func TestVerifier_SnapshotMoves(t *testing.T) {
	for moves, want := range map[int]diff.Code{2: "", 3: diff.CodeBusy} {
		w, r, s := scripted(t, record(1, "a"))
		v, i := verifier(w, r)
		n := 0
		i.onRead = func() {
			if n++; n <= moves {
				s.records = append(s.records, record(n+1, "b"))
				run(t, r)
			}
		}
		drift, err := v.Verify(t.Context())
		wantCode(t, err, want)
		if want == "" && drift.Status != diff.Unchanged {
			t.Errorf("got %s, want the third reading to be right", drift.Status)
		}
	}
}

// A repair goes on only from the row that it read the table with.
func TestVerifier_Repair_Moved(t *testing.T) {
	for name, spoil := range map[string]func(*inspected){
		"another file claimed":  func(i *inspected) { i.gone, i.claimant = true, diff.Head{Instance: diff.ID{0xaa}} },
		"the row came back":     func(i *inspected) { i.gone, i.claimant = true, i.head },
		"another file moved it": func(i *inspected) { i.onRead = func() { i.head = diff.Head{Instance: diff.ID{0xaa}, Seq: 9} } },
		"the row went meanwhile": func(i *inspected) {
			i.onRead = func() { i.gone = true }
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, r, _ := scripted(t, record(1, "a"), record(2, "b"))
			v, i := verifier(w, r)
			delete(i.rows, keyOf(t, 2))
			spoil(i)
			_, err := v.Repair(t.Context(), false)
			wantCode(t, err, diff.CodeDiverged)
			if len(i.rows) != 1 {
				t.Error("the repair wrote rows")
			}
		})
	}
	t.Run("it is claimed", func(t *testing.T) {
		w, r, _ := scripted(t, record(1, "a"), record(2, "b"))
		v, i := verifier(w, r)
		delete(i.rows, keyOf(t, 2))
		i.gone = true
		if drift, err := v.Repair(t.Context(), false); err != nil || drift.Status != diff.Committed || len(i.rows) != 2 {
			t.Errorf("got %s, %v, want it repaired", drift.Status, err)
		}
	})
}

// torn is a target in which a run that is looked for cannot be decided.
type torn struct{ *memoryTable }

func (torn) Resolve(context.Context, *diff.Intent) (bool, error) {
	return false, &diff.Error{Code: diff.CodeDiverged, Message: "neither the run nor its base"}
}

// A run is closed as lost only while its outcome cannot be told.
func TestVerifier_Repair_Undecided(t *testing.T) {
	for name, at := range map[string]func(was, is diff.Head) diff.Head{
		"its base":  func(was, _ diff.Head) diff.Head { return was },
		"committed": func(_, is diff.Head) diff.Head { return is },
		"earlier":   func(was, _ diff.Head) diff.Head { return diff.Head{Instance: was.Instance} },
	} {
		t.Run(name, func(t *testing.T) {
			w, r, s := scripted(t, record(1, "a"))
			table := w.target.(*memoryTable)
			was := table.head
			s.records = append(s.records, record(2, "b"))
			r.Target = doubtful{table}
			if _, err := r.Sync(t.Context()); diff.CodeOf(err) != diff.CodeInDoubt {
				t.Fatalf("got %v, want a run in doubt", err)
			}
			r.Target = torn{table}
			v, i := verifier(w, r)
			i.head = at(was, i.head)
			_, err := v.Repair(t.Context(), false)
			snap, snapErr := v.State.Snapshot()
			if snapErr != nil {
				t.Fatal(snapErr)
			}
			if lost := snap.Intent == nil; lost != (name == "earlier") {
				t.Errorf("closed: %t, %v", lost, err)
			}
		})
	}
}

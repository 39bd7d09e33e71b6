package state_test

import (
	"testing"
	"time"

	"jstsync/diff"
	"jstsync/state"
)

// A rebuild that found no rows ends what was before it, also when both are
// forgotten.
func TestTrim_emptyRebuild(t *testing.T) {
	w := inTemp(t)
	w.commit(t, []change{{key(1), row(1, "a"), 5}, {key(2), row(2, "b"), 5}}, nil)
	w.commit(t, []change{{key(3), row(3, "c"), 5}}, nil)
	// state rebuild upon a table that is empty
	in, plan, run := w.prepare(t, nil, nil)
	in.Kind, run.Trigger = diff.KindRebuild, diff.KindRebuild
	in.Instance = diff.ID{1, 2, 3}
	if err := w.journal.Stage(in, plan, run); err != nil {
		t.Fatal(err)
	}
	if err := w.journal.Finalise(in, start.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	w.records = map[diff.Key]record{}
	w.committed(in, run, nil, nil)
	w.commit(t, []change{{key(4), row(4, "d"), 5}}, nil)
	w.commit(t, []change{{key(5), row(5, "e"), 5}}, nil)
	before := tables(t, w.path, 5)
	if err := state.Trim(w.path, start, 0, 2); err != nil {
		t.Fatal(err)
	}
	after := tables(t, w.path, 5)
	for run, table := range after {
		if table != before[run] {
			t.Errorf("the table after run %d is\n%s\nwant\n%s", run, table, before[run])
		}
	}
	wantClean(t, w.path)
}

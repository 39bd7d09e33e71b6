package state_test

import (
	"reflect"
	"testing"

	"jstsync/diff"
	"jstsync/state"
)

// browsed is a history with several commits, one of them trimmed away where
// asked for.
func browsed(t *testing.T, trim bool) *world {
	t.Helper()
	w := varied(t, true)
	if trim {
		if err := state.Trim(w.path, start, 0, 3); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// Pages put together are what is read in one go, whatever their size.
func TestReader_pages(t *testing.T) {
	for name, trim := range map[string]bool{"whole": false, "trimmed": true} {
		t.Run(name, func(t *testing.T) {
			w := browsed(t, trim)
			r := state.NewReader(w.path, pipeline)
			for limit := 1; limit <= 4; limit++ {
				samePages(t, w, r, limit)
			}
		})
	}
}

func samePages(t *testing.T, w *world, r *state.Reader, limit int) {
	t.Helper()
	same := func(what string, got, want any) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s by %d: got %+v, want %+v", what, limit, got, want)
		}
	}
	for _, q := range []state.Query{{}, {Key: key(2)}, {Field: "name"}, {Ops: []diff.Op{diff.Delete}}, {FromRun: 2, UpToRun: 2}, {Since: start}} {
		q.Limit = 0
		var want, got []diff.Version
		must(t, r.Changes(q, func(v diff.Version) error { want = append(want, v); return nil }))
		q.Limit = limit
		for at := (&state.Place{}); at != nil; {
			page, next, err := r.ChangesPage(q, *at)
			must(t, err)
			if len(page) > limit {
				t.Errorf("a page of %d has %d changes", limit, len(page))
			}
			got, at = append(got, page...), next
		}
		same("changes", got, want)
	}

	want, err := state.Runs(w.path, 0)
	must(t, err)
	var got []diff.Run
	for q := (state.RunQuery{Limit: limit}); ; {
		page, next, err := state.RunsPage(w.path, q)
		must(t, err)
		if got, q.Before = append(got, page...), next; next == 0 {
			break
		}
	}
	same("runs", got, want)

	for n := range int64(9) {
		want, err := r.History(key(n))
		must(t, err)
		var got []diff.Version
		for before, more := uint64(0), true; more; more = before != 0 {
			page, next, err := r.HistoryPage(key(n), before, limit)
			must(t, err)
			for _, v := range page {
				got = append([]diff.Version{v}, got...)
			}
			before = next
		}
		same("history", got, want)
	}
	sameStates(t, r, limit, same)
}

func sameStates(t *testing.T, r *state.Reader, limit int, same func(string, any, any)) {
	t.Helper()
	for run := range uint64(6) {
		var want, got []diff.Row
		wrong := r.SnapshotAt(run, func(_ []string, row diff.Row) error { want = append(want, row); return nil })
		for from, more := diff.Key(""), true; more; more = from != "" {
			_, page, next, err := r.RowsPage(run, from, limit)
			if (err == nil) != (wrong == nil) {
				t.Fatalf("state after run %d: got %v, want %v", run, err, wrong)
			}
			got, from = append(got, page...), next
		}
		same("rows", got, want)
		for to := range uint64(6) {
			var want, got []diff.Change
			wrong := r.Compare(run, to, func(_ []string, c diff.Change) error { want = append(want, c); return nil })
			for from, more := diff.Key(""), true; more; more = from != "" {
				_, page, next, err := r.ComparePage(run, to, from, limit)
				if (err == nil) != (wrong == nil) {
					t.Fatalf("compare %d and %d: got %v, want %v", run, to, err, wrong)
				}
				got, from = append(got, page...), next
			}
			same("differences", got, want)
		}
	}
}

// Selected runs come in pages too, and those after a run with their calls.
func TestRunsPage(t *testing.T) {
	w := browsed(t, false)
	held, next, err := state.RunsPage(w.path, state.RunQuery{Pipeline: pipeline, Status: diff.Held, Limit: 5})
	if err != nil || len(held) != 1 || held[0].Run != 3 || next != 0 {
		t.Errorf("got runs %v and %d, %v, want run 3 alone", held, next, err)
	}
	if none, _, err := state.RunsPage(w.path, state.RunQuery{Pipeline: "none", Limit: 5}); err != nil || none != nil {
		t.Errorf("got %v, %v, want none", none, err)
	}
	later, err := state.RunsAfter(w.path, 2, 1)
	if err != nil || len(later) != 1 || later[0].Run != 3 || len(later[0].Calls) != 1 {
		t.Errorf("got %+v, %v, want run 3 with its call", later, err)
	}
	if none, _, err := state.RunsPage(w.path+"x", state.RunQuery{Limit: 5}); err != nil || none != nil {
		t.Errorf("got %v, %v of no file, want nothing", none, err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

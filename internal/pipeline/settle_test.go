package pipeline_test

import (
	"context"
	"errors"
	"strconv"
	"testing"

	"jstsync/diff"
	"jstsync/internal/pipeline"
	"jstsync/internal/sandbox"
	"jstsync/state"
)

// script is a source that answers what a test tells it to.
type script struct {
	records []diff.Record
	alive   []diff.Record // answered by key; all others that are asked for are gone
}

func (s *script) Scan(_ context.Context, _ int, visit func(diff.Page) error) (diff.ScanInfo, error) {
	return diff.ScanInfo{Verdict: diff.Complete}, visit(diff.Page{Index: 1, Records: s.records})
}

func (s *script) Witness(_ context.Context, keys []diff.Key, _ diff.Key) (diff.Witness, error) {
	if len(s.alive) > 0 {
		return diff.Witness{Alive: s.alive}, nil
	}
	return diff.Witness{Gone: keys}, nil
}

func (s *script) Calls() []diff.Call { return nil }

func record(id int, name string) diff.Record {
	return diff.Record{Members: []diff.Member{
		{Name: "shop_id", Raw: []byte(strconv.Itoa(id))}, {Name: "shop_name", Raw: []byte(strconv.Quote(name))},
	}}
}

// newScripted returns a runner that has not run yet.
func newScripted(t *testing.T) (*world, *pipeline.Runner) {
	t.Helper()
	w := newWorld(t, t.TempDir(), sandbox.Options{})
	r, err := w.runner()
	if err != nil {
		t.Fatal(err)
	}
	return w, r
}

// scripted returns a runner whose first run loaded the records.
func scripted(t *testing.T, records ...diff.Record) (*world, *pipeline.Runner, *script) {
	t.Helper()
	w, r := newScripted(t)
	s := &script{records: records}
	r.Source = s
	run(t, r)
	return w, r, s
}

func run(t *testing.T, r *pipeline.Runner) *diff.Plan {
	t.Helper()
	plan, err := r.Sync(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// A record that came twice with different content and is gone by key is no
// delete where rows are kept, nor beside a record that may be it.
func TestRunner_ContraryAndGone(t *testing.T) {
	twice := []diff.Record{record(2, "c"), record(1, "a"), record(2, "d")}
	t.Run("kept", func(t *testing.T) {
		_, r, s := scripted(t, record(1, "a"), record(2, "b"))
		r.Keep, s.records = true, twice
		if plan := run(t, r); plan.Summary.Delete != 0 || plan.Summary.Kept != 1 {
			t.Errorf("got %+v, want no delete and 1 kept", plan.Summary)
		}
	})
	t.Run("unreadable key", func(t *testing.T) {
		_, r, s := scripted(t, record(1, "a"), record(2, "b"))
		unreadable := diff.Record{Members: []diff.Member{{Name: "shop_id", Raw: []byte("{}")}}}
		s.records = append([]diff.Record{unreadable}, twice...)
		if plan := run(t, r); plan.Summary.Delete != 0 || len(plan.Withheld.Keys) != 1 {
			t.Errorf("got %+v, withheld %v, want the delete withheld", plan.Summary, plan.Withheld)
		}
	})
	t.Run("without a row", func(t *testing.T) {
		_, r, s := scripted(t, record(1, "a"))
		unreadable := diff.Record{Members: []diff.Member{{Name: "shop_id", Raw: []byte("{}")}}}
		s.records = append([]diff.Record{unreadable}, twice...)
		for _, keep := range []bool{false, true} {
			r.Keep = keep
			if plan := run(t, r); plan.Summary.Kept != 0 || len(plan.Withheld.Keys) != 0 {
				t.Errorf("got %+v, withheld %v, want nothing to be kept", plan.Summary, plan.Withheld)
			}
		}
	})
}

// louder is another mapping of the same members.
type louder struct{ pipeline.Mapper }

func (l louder) Row(r *diff.Record) (diff.Row, error) {
	row, err := l.Mapper.Row(r)
	for i := range row {
		if row[i].Kind() == diff.Text {
			row[i] = diff.TextValue(row[i].Text() + "!")
		}
	}
	return row, err
}

// A kept row whose record was away while the mapping changed is mapped anew
// when it returns.
func TestRunner_KeptUnderNewMapping(t *testing.T) {
	_, r, s := scripted(t, record(1, "a"), record(2, "b"))
	r.Keep = true
	r.Mapping.Mapper, r.Mapping.Fingerprint = louder{r.Mapping.Mapper}, "other"
	s.records = []diff.Record{record(1, "a")}
	run(t, r)
	s.records = []diff.Record{record(1, "a"), record(2, "b")}
	if plan := run(t, r); plan.Summary.Update != 1 {
		t.Errorf("got %+v, want the returned record updated", plan.Summary)
	}
}

// A record that could not be mapped at first and is well by key moves once.
func TestRunner_ContraryUnderNewMapping(t *testing.T) {
	var all []diff.Record
	for i := range 20_100 { // more than one transaction of the index holds
		all = append(all, record(i+1, "b"))
	}
	_, r, s := scripted(t, all...)
	r.Mapping.Fingerprint = "other"
	bad := record(5, "q")
	bad.Err = errors.New("a member twice")
	s.records, s.alive = append([]diff.Record{bad}, all...), []diff.Record{record(5, "b")}
	if plan := run(t, r); plan.Status != diff.Unchanged || len(plan.Quarantine) != 0 {
		t.Errorf("got %s %+v", plan.Status, plan.Summary)
	}
}

// doubtful is a target whose commits happen and are not heard of.
type doubtful struct{ *memoryTable }

func (d doubtful) Connect(context.Context) (pipeline.Session, error) { return d, nil }

func (d doubtful) Commit(ctx context.Context, in *diff.Intent, changes *diff.ChangeSet, durable func() error) error {
	return errors.Join(d.memoryTable.Commit(ctx, in, changes, durable), errors.New("answer lost"))
}

func (d doubtful) Resolve(context.Context, *diff.Intent) (bool, error) {
	return false, &diff.Error{Code: diff.CodeInDoubt, Message: "no connection"}
}

// broken is a takeover that gets as far as its last step.
type broken struct{ *memoryTable }

func (b broken) Claim(context.Context, diff.ID) (diff.Checkpoint, error) {
	return diff.Checkpoint{Head: b.head, Epoch: 1}, nil
}

func (b broken) ReadTable(context.Context, func(diff.Key, diff.Row) error) (*diff.Checkpoint, error) {
	return &diff.Checkpoint{Head: b.head, Epoch: 1}, nil
}

func (b broken) TakeOver(context.Context, *diff.Checkpoint, *diff.Intent) error {
	return errors.New("connection lost")
}

// A rebuild decides the unfinished run before anything else, so that what was
// committed stays on record whatever becomes of the rebuild.
func TestRunner_RebuildDecidesFirst(t *testing.T) {
	w, r, s := scripted(t, record(1, "a"))
	table := w.target.(*memoryTable)
	s.records = []diff.Record{record(1, "a"), record(2, "b")}
	r.Target = doubtful{table}
	if _, err := r.Sync(context.Background()); diff.CodeOf(err) != diff.CodeInDoubt {
		t.Fatalf("got %v, want a run in doubt", err)
	}
	r.Target = table
	connect := func(context.Context) (pipeline.Takeover, error) { return broken{table}, nil }
	if _, err := r.Rebuild(context.Background(), connect); err == nil {
		t.Fatal("the rebuild did not fail")
	}
	if plan := run(t, r); plan.Status != diff.Unchanged {
		t.Errorf("got %s, want unchanged", plan.Status)
	}
	runs, err := state.Runs(w.path, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i := range runs {
		if runs[i].Run == 2 && runs[i].Status != diff.Committed {
			t.Errorf("run 2 is %s, want committed", runs[i].Status)
		}
	}
}

// Rows that stay though their records are gone make no call for pages that are
// not there.
func TestRunner_KeptRowsAskedForNoPages(t *testing.T) {
	w := newWorld(t, t.TempDir(), sandbox.Options{Shops: 45, Seed: 1})
	w.page, w.ahead, w.keep = 10, 4, true
	mustSync(t, w)
	w.source.Keep(20)
	mustSync(t, w)
	for range 2 {
		if plan := mustSync(t, w); plan.Summary.Calls != 2 || plan.Summary.Kept != 25 {
			t.Errorf("got %+v, want 2 calls and 25 kept", plan.Summary)
		}
	}
	w.source.Keep(0)
	for id := range int64(50) {
		w.source.Put(5000+id, map[string]any{"shop_name": "n"})
	}
	if plan := mustSync(t, w); plan.Summary.Read != 50 {
		t.Errorf("got %+v, want all that came read", plan.Summary)
	}
}

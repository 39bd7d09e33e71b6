package pipeline_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"jstsync/diff"
	"jstsync/extract"
	"jstsync/internal/mapping"
	"jstsync/internal/pipeline"
	"jstsync/internal/sandbox"
	"jstsync/state"
)

// saved makes a plan as plan --out does.
func (w *world) saved(t *testing.T) *diff.SavedPlan {
	t.Helper()
	r, err := w.runner()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Source.(*extract.Shops).Close()
	plan, err := r.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if plan.Base.IsEmpty() {
		plan.Base = diff.Head{}
	}
	return &diff.SavedPlan{Plan: plan, Terms: theTerms, Created: time.Now(), Expires: time.Now().Add(time.Hour)}
}

var theTerms = diff.Terms{Target: "db:3306/bi/jst_shops", Deletes: "hard"}

func (w *world) applier(t *testing.T) *pipeline.Applier {
	t.Helper()
	r, err := w.runner()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Source.(*extract.Shops).Close)
	r.Trigger = diff.KindApply
	return &pipeline.Applier{Runner: r, History: state.NewReader(w.path, "shops"), Terms: theTerms}
}

func (w *world) apply(t *testing.T, saved *diff.SavedPlan) (*diff.Plan, error) {
	t.Helper()
	return w.applier(t).Apply(t.Context(), saved, false)
}

// refused wants the plan refused with the text, and nothing written.
func (w *world) refused(t *testing.T, saved *diff.SavedPlan, want string) {
	t.Helper()
	before, snapshot := w.table(), fileText(w.path)
	plan, err := w.apply(t, saved)
	if diff.CodeOf(err) != diff.CodeStalePlan || !strings.Contains(err.Error(), want) {
		t.Fatalf("got %v, want it refused: %s", err, want)
	}
	if plan.Status != diff.Failed || plan.Changes.Len() != 0 {
		t.Errorf("got %s with %d changes, want failed with none", plan.Status, plan.Changes.Len())
	}
	if d := sameRows(w.table(), before); d != "" {
		t.Errorf("a refused plan wrote: %s", d)
	}
	if fileText(w.path) != snapshot {
		t.Error("a refused plan wrote to the state file")
	}
}

func fileText(path string) string {
	runs, err := state.Runs(path, 0)
	text, jsonErr := json.Marshal(runs)
	snap, snapErr := state.NewReader(path, "shops").Snapshot()
	if err := errors.Join(err, jsonErr, snapErr); err != nil {
		return err.Error()
	}
	return string(text) + snap.Head.Digest.String() + snap.Fingerprint
}

func mustApply(t *testing.T, w *world, saved *diff.SavedPlan, want diff.Status) *diff.Plan {
	t.Helper()
	plan, err := w.apply(t, saved)
	if err != nil || plan.Status != want {
		t.Fatalf("got %s (%v), want %s", plan.Status, err, want)
	}
	return plan
}

func TestApplier_Apply(t *testing.T) {
	w := newWorld(t, t.TempDir(), sandbox.Options{Seed: 7, Shops: 50})
	first := w.saved(t)
	truth := w.truth()
	w.source.Remove(ids(w)[0])
	mustApply(t, w, first, diff.Committed)
	if d := sameRows(w.table(), truth); d != "" {
		t.Fatalf("the first plan: %s", d)
	}
	w.refused(t, first, "already applied by run 1")

	all := ids(w)
	w.source.Put(all[1], map[string]any{"shop_name": "改"})
	w.source.Put(all[2], map[string]any{"shop_name": json.RawMessage(`"\u4e2d"`)})
	mustSync(t, w)
	w.source.Put(all[2], map[string]any{"shop_name": json.RawMessage(`"中"`)}) // another spelling
	w.source.Put(all[3], map[string]any{"shop_name": "又改"})
	w.source.Put(99999999, map[string]any{"shop_name": "加的店"})
	w.source.Remove(all[4])
	plan := w.saved(t)
	if len(plan.Rehashed) != 1 || plan.Changes.Len() != 3 {
		t.Fatalf("got %d respelled and %d changes, want 1 and 3", len(plan.Rehashed), plan.Changes.Len())
	}
	truth = w.truth()
	committed := mustApply(t, w, plan, diff.Committed)
	if d := sameRows(w.table(), truth); d != "" || committed.Run != 3 {
		t.Fatalf("run %d: %s", committed.Run, d)
	}
	if snap, err := w.snapshot(); err != nil || sameRows(snap, truth) != "" {
		t.Errorf("the snapshot differs: %v %s", err, sameRows(snap, truth))
	}
	// the hashes came with the plan: nothing is left to be compared by value
	next := w.saved(t)
	if next.Status != diff.Unchanged || len(next.Rehashed) != 0 {
		t.Errorf("got %s with %d respelled, want unchanged with none", next.Status, len(next.Rehashed))
	}
	runs, err := state.Runs(w.path, 1)
	if err != nil || runs[0].Trigger != "apply" || runs[0].Status != diff.Committed {
		t.Errorf("got %+v (%v), want the run on record as an apply", runs, err)
	}
	// with nothing to do, only what respelling moved is noted
	w.source.Put(all[2], map[string]any{"shop_name": json.RawMessage(`"\u4E2d"`)})
	opened := w.target.(*memoryTable).opened
	mustApply(t, w, w.saved(t), diff.Unchanged)
	if next := w.saved(t); len(next.Rehashed) != 0 || w.target.(*memoryTable).opened != opened {
		t.Errorf("got %d respelled, want none, and no connection", len(next.Rehashed))
	}
}

func TestApplier_Refuses(t *testing.T) {
	w := newWorld(t, t.TempDir(), sandbox.Options{Seed: 7, Shops: 30})
	mustSync(t, w)
	w.source.Put(ids(w)[1], map[string]any{"shop_name": "改"})
	for name, tt := range map[string]struct {
		edit func(*diff.SavedPlan)
		want string
	}{
		"target":      {func(s *diff.SavedPlan) { s.Terms.Target = "elsewhere" }, "another target is configured: the plan is for elsewhere"},
		"deletes":     {func(s *diff.SavedPlan) { s.Terms.Deletes = "soft" }, "from soft to hard"},
		"shared":      {func(s *diff.SavedPlan) { s.Terms.Shared = true }, "from true to false"},
		"mapping":     {func(s *diff.SavedPlan) { s.Fingerprint = "other" }, "the mapping of pipeline shops changed since"},
		"there, back": {func(s *diff.SavedPlan) { s.Snapshot = "other" }, "and back again"},
		"expired":     {func(s *diff.SavedPlan) { s.Expires = time.Now().Add(-time.Second) }, "the plan expired at"},
		"future":      {func(s *diff.SavedPlan) { s.Created = time.Now().Add(6 * time.Minute) }, "and here it is"},
		"instance":    {func(s *diff.SavedPlan) { s.Base.Instance[0]++ }, "the snapshot moved"},
		"other file":  {func(s *diff.SavedPlan) { s.Base.RunID[0]++ }, "of another state file"},
		"newer file":  {func(s *diff.SavedPlan) { s.Base.Seq = 9 }, "or of a newer copy of this one"},
		"empty base":  {func(s *diff.SavedPlan) { s.Base = diff.Head{} }, "the plan was made on an empty one, and run 1 has committed since; of the plan's keys moved"},
		"changes":     {func(s *diff.SavedPlan) { s.Changes = diff.NewChangeSet(s.Changes.Columns()) }, "does not follow run 1"},
	} {
		t.Run(name, func(t *testing.T) {
			saved := w.saved(t)
			tt.edit(saved)
			w.refused(t, saved, tt.want)
		})
	}
	fresh := *w
	fresh.path += ".other"
	fresh.refused(t, w.saved(t), "of another state file")
	ahead := w.saved(t)
	ahead.Created = time.Now().Add(4 * time.Minute) // as clocks are
	mustApply(t, w, ahead, diff.Committed)
}

// The guard as it was, and as it is: the stricter counts.
func TestApplier_Guard(t *testing.T) {
	strict := diff.Guard{MaxDeletes: 5, MaxDeletePercent: 10, MaxUpdates: 20, MaxUpdatePercent: 50}
	for name, tt := range map[string]struct {
		keep          int
		planned, now  diff.Guard
		override      bool
		want          diff.Status
		kind          string
		wantRowsStill bool
	}{
		"held then":             {3, strict, open, false, diff.Held, "delete", true},
		"held now":              {3, open, strict, false, diff.Held, "delete", true},
		"within":                {27, strict, strict, false, diff.Committed, "", false},
		"leave given":           {3, strict, strict, true, diff.Committed, "delete", false},
		"empty":                 {0, strict, open, true, diff.Held, diff.GuardEmpty, true},
		"empty, no longer so":   {0, open, strict, true, diff.Held, diff.GuardEmpty, true},
		"empty, allowed":        {0, open, open, false, diff.Committed, "", false},
		"empty, over the limit": {0, diff.Guard{AllowEmpty: true}, strict, true, diff.Held, diff.GuardEmpty, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, t.TempDir(), sandbox.Options{Seed: 1, Shops: 30})
			mustSync(t, w)
			w.source.Keep(tt.keep)
			w.guard = tt.planned
			saved := w.saved(t)
			w.guard = tt.now
			plan, err := w.applier(t).Apply(t.Context(), saved, tt.override)
			if err != nil || plan.Status != tt.want || plan.Guard.Kind != tt.kind {
				t.Errorf("got %s by %q (%v), want %s by %q", plan.Status, plan.Guard.Kind, err, tt.want, tt.kind)
			}
			want := tt.keep
			if tt.wantRowsStill {
				want = 30
			}
			if got := len(w.table()); got != want {
				t.Errorf("got %d rows, want %d", got, want)
			}
			runs, err := state.Runs(w.path, 1)
			if err != nil || runs[0].Run != 2 || runs[0].Status != tt.want || runs[0].Guard != tt.kind {
				t.Errorf("got record %+v (%v), want %s by %q", runs, err, tt.want, tt.kind)
			}
		})
	}
}

// cutOff is a target whose commit does not return: the process ends before its
// transaction, or after it.
type cutOff struct {
	*memoryTable
	late bool
	stop context.CancelFunc
}

func (c *cutOff) Connect(context.Context) (pipeline.Session, error) { return c, nil }

func (c *cutOff) Commit(ctx context.Context, in *diff.Intent, changes *diff.ChangeSet, durable func() error) error {
	defer c.stop()
	if c.late {
		return errors.Join(c.memoryTable.Commit(ctx, in, changes, durable), context.Canceled)
	}
	return context.Canceled
}

// An apply that was cut off is decided by the next one, which then applies the
// plan or finds it applied.
func TestApplier_Recovers(t *testing.T) {
	for name, tt := range map[string]struct{ late, first bool }{
		"before the commit": {}, "after it": {late: true}, "before the first": {first: true}, "after the first": {late: true, first: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, t.TempDir(), sandbox.Options{Seed: 1, Shops: 30})
			if !tt.first {
				mustSync(t, w)
			}
			w.source.Put(ids(w)[1], map[string]any{"shop_name": "改"})
			saved, truth := w.saved(t), w.truth()
			a := w.applier(t)
			ctx, stop := context.WithCancel(t.Context())
			a.Target = &cutOff{w.target.(*memoryTable), tt.late, stop}
			if _, err := a.Apply(ctx, saved, false); diff.CodeOf(err) != diff.CodeInterrupted {
				t.Fatalf("got %v, want it interrupted", err)
			}
			if snap, err := a.State.Snapshot(); err != nil || snap.Intent == nil || snap.Intent.Kind != "apply" {
				t.Fatalf("got %+v (%v), want the intent of an apply to stand", snap, err)
			}
			plan, err := w.apply(t, saved)
			if tt.late {
				if diff.CodeOf(err) != diff.CodeStalePlan || !strings.Contains(err.Error(), "already applied by run ") {
					t.Errorf("got %v, want it applied already", err)
				}
			} else if err != nil || plan.Status != diff.Committed {
				t.Errorf("got %s (%v), want it committed", plan.Status, err)
			}
			if d := sameRows(w.table(), truth); d != "" {
				t.Error(d)
			}
			if snap, err := w.snapshot(); err != nil || sameRows(snap, truth) != "" {
				t.Errorf("the snapshot differs: %v %s", err, sameRows(snap, truth))
			}
		})
	}
}

// A quiet run under another mapping moves the hashes and not the head.
func TestApplier_MappingThereAndBack(t *testing.T) {
	w := newWorld(t, t.TempDir(), sandbox.Options{Seed: 3, Shops: 12})
	mustSync(t, w)
	id := ids(w)[0]
	was := w.source.Shops()[0].Members["shop_name"]
	w.source.Put(id, map[string]any{"shop_name": "改"})
	saved := w.saved(t)
	w.source.Put(id, map[string]any{"shop_name": was})
	columns, key := mapping.Shops()
	columns = append(columns, mapping.Column{
		Column: diff.Column{Name: "organization", Type: diff.Type{Base: diff.VarChar, Size: 50}}, From: "organization",
	})
	wider, err := mapping.New("jst_shops", columns, key)
	if err != nil {
		t.Fatal(err)
	}
	narrow := w.mapper
	w.mapper = wider
	if plan := mustSync(t, w); plan.Status != diff.Unchanged {
		t.Fatalf("got %s, want unchanged", plan.Status)
	}
	w.mapper = narrow
	w.refused(t, saved, "and back again")
}

// What a plan saw is not what the last scan saw when a run came between.
func TestApplier_SetAsideOfThen(t *testing.T) {
	w := newWorld(t, t.TempDir(), sandbox.Options{Shops: 3, Seed: 1})
	mustSync(t, w)
	id := ids(w)[0]
	was := string(w.source.Shops()[0].Members["shop_name"])
	w.source.Put(id, map[string]any{"shop_name": strings.Repeat("x", 300)})
	saved := w.saved(t)
	if len(saved.Quarantine) != 1 {
		t.Fatalf("set aside %v, want one", saved.Quarantine)
	}
	aside := func() []diff.SetAside {
		list, err := state.NewReader(w.path, "shops").Quarantine()
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	if _, err := w.apply(t, saved); err != nil || len(aside()) != 1 {
		t.Errorf("applied at once: set aside %v, %v, want one", aside(), err)
	}
	w.source.Put(id, map[string]any{"shop_name": json.RawMessage(was)})
	mustSync(t, w)
	if _, err := w.apply(t, saved); err != nil || len(aside()) != 0 {
		t.Errorf("applied after a run: set aside %v, %v, want none", aside(), err)
	}
}

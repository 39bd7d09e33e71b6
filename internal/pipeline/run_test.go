package pipeline_test

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"jstsync/diff"
	"jstsync/internal/mapping"
	"jstsync/internal/sandbox"
	"jstsync/state"
)

func mustSync(t *testing.T, w *world) *diff.Plan {
	t.Helper()
	plan, err := w.sync()
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func ids(w *world) []int64 {
	var ids []int64
	for _, s := range w.source.Shops() {
		ids = append(ids, s.ID)
	}
	return ids
}

func keyOf(t *testing.T, id int64) diff.Key {
	t.Helper()
	k, err := diff.NewKey(diff.IntValue(id))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestRunner_Sync(t *testing.T) {
	w := newWorld(t, t.TempDir(), sandbox.Options{Seed: 7, Shops: 1204})
	table := w.target.(*memoryTable)

	t.Run("first load", func(t *testing.T) {
		plan := mustSync(t, w)
		if plan.Status != diff.Committed || plan.Summary.Insert != 1204 || plan.Summary.Calls != 13 {
			t.Errorf("got %s with %+v, want committed with 1204 inserts in 13 calls", plan.Status, plan.Summary)
		}
		if d := sameRows(w.table(), w.truth()); d != "" {
			t.Error(d)
		}
	})
	t.Run("quiet", func(t *testing.T) {
		opened, before := table.opened, fileOf(t, w.path)
		plan := mustSync(t, w)
		if plan.Status != diff.Unchanged || plan.Summary.Unchanged != 1204 {
			t.Errorf("got %s with %+v, want unchanged", plan.Status, plan.Summary)
		}
		if table.opened != opened {
			t.Error("a quiet run connected to the target")
		}
		if len(fileOf(t, w.path)) != len(before) {
			t.Error("a quiet run made the state file grow")
		}
	})
	t.Run("order, white space and unmapped members", func(t *testing.T) {
		w.source.SetPretty(true)
		for _, id := range ids(w) {
			w.source.Put(id, map[string]any{"organization": json.RawMessage(`{"a": [1, 2]}`), "no_such_field": 7})
		}
		if plan := mustSync(t, w); plan.Status != diff.Unchanged {
			t.Errorf("got %s with %+v, want unchanged", plan.Status, plan.Summary)
		}
	})
	t.Run("another spelling of the same name", func(t *testing.T) {
		id := ids(w)[3]
		w.source.Put(id, map[string]any{"shop_name": json.RawMessage(`"\u4e2d文"`)})
		if plan := mustSync(t, w); plan.Summary.Update != 1 {
			t.Errorf("got %+v, want 1 update", plan.Summary)
		}
		w.source.Put(id, map[string]any{"shop_name": json.RawMessage(`"中文"`)})
		for range 2 { // the second finds the new hash in place
			plan := mustSync(t, w)
			if plan.Status != diff.Unchanged {
				t.Errorf("got %s with %+v, want unchanged", plan.Status, plan.Summary)
			}
		}
	})
	t.Run("an edit, an addition, a removal", func(t *testing.T) {
		all := ids(w)
		w.source.Put(all[0], map[string]any{"shop_name": "新名字🎉"})
		w.source.Put(99999999, map[string]any{"shop_name": "加的店"})
		w.source.Remove(all[500])
		plan := mustSync(t, w)
		got := plan.Summary
		if got.Insert != 1 || got.Update != 1 || got.Delete != 1 || got.Calls != 14 {
			t.Errorf("got %+v, want one change of each kind in 14 calls", got)
		}
		if d := sameRows(w.table(), w.truth()); d != "" {
			t.Error(d)
		}
	})
}

func fileOf(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRunner_Guard(t *testing.T) {
	guard := diff.Guard{MaxDeletes: 5, MaxDeletePercent: 10, MaxUpdates: 20, MaxUpdatePercent: 50}
	tests := []struct {
		name   string
		edit   func(w *world)
		status diff.Status
		kind   string
		count  int
	}{
		{"emptied", func(w *world) { w.source.Keep(0) }, diff.Held, "empty", 30},
		{"29 of 30 removed", func(w *world) { w.source.Keep(1) }, diff.Held, "delete", 29},
		{"5 removed", func(w *world) { w.source.Keep(25) }, diff.Committed, "", 0},
		{"6 removed", func(w *world) { w.source.Keep(24) }, diff.Held, "delete", 6},
		{"all renamed", func(w *world) {
			for _, id := range ids(w) {
				w.source.Put(id, map[string]any{"shop_name": "x"})
			}
		}, diff.Held, "update", 30},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, t.TempDir(), sandbox.Options{Seed: 1, Shops: 30})
			w.guard = guard
			mustSync(t, w)
			before := w.table()
			tt.edit(w)
			plan := mustSync(t, w)
			if plan.Status != tt.status || plan.Guard.Kind != tt.kind || plan.Guard.Count != tt.count {
				t.Errorf("got %s %+v, want %s %q %d", plan.Status, plan.Guard, tt.status, tt.kind, tt.count)
			}
			if tt.status != diff.Held {
				return
			}
			if d := sameRows(w.table(), before); d != "" {
				t.Errorf("a held run wrote: %s", d)
			}
			if snap, err := w.snapshot(); err != nil || sameRows(snap, before) != "" {
				t.Errorf("a held run moved the snapshot: %v %s", err, sameRows(snap, before))
			}
			runs, err := state.Runs(w.path, 1)
			if err != nil || runs[0].Status != diff.Held || runs[0].Guard != tt.kind {
				t.Errorf("got record %+v (%v), want held by %s", runs, err, tt.kind)
			}
		})
	}
}

// Rows shift between pages when a shop on an earlier page goes: the one that
// slips to the page before is not seen, and must not be taken for deleted.
func TestRunner_ShiftedRows(t *testing.T) {
	w := newWorld(t, t.TempDir(), sandbox.Options{Seed: 3, Shops: 50})
	w.page = 10
	mustSync(t, w)
	all := ids(w)
	w.source.AfterPage(1, func(s *sandbox.Server) { s.Remove(all[0], all[45]) })
	plan := mustSync(t, w)
	if got, want := deletes(t, plan), []diff.Key{keyOf(t, all[45])}; !slices.Contains(got, want[0]) || plan.Summary.Calls != 6 {
		t.Errorf("got deletes %v in %d calls, want %v in 6; withheld %+v", got, plan.Summary.Calls, want, plan.Withheld)
	}
	mustSync(t, w)
	if d := sameRows(w.table(), w.truth()); d != "" {
		t.Error(d)
	}
}

func TestRunner_Quarantine(t *testing.T) {
	w := newWorld(t, t.TempDir(), sandbox.Options{Seed: 3, Shops: 12})
	mustSync(t, w)
	id := ids(w)[4]
	before := w.table()[keyOf(t, id)]
	w.source.Put(id, map[string]any{"created": "soon"})
	for range 2 {
		plan := mustSync(t, w)
		if len(plan.Quarantine) != 1 || plan.Summary.Delete != 0 || plan.Summary.Unchanged != 11 {
			t.Fatalf("got %+v %+v, want one record set aside and no delete", plan.Quarantine, plan.Summary)
		}
	}
	if got := w.table()[keyOf(t, id)]; !slices.Equal(got, before) {
		t.Errorf("got row %v, want it as it was: %v", got, before)
	}
	w.source.Put(id, map[string]any{"created": "2024-05-06 07:08:09"})
	if plan := mustSync(t, w); len(plan.Quarantine) != 0 || plan.Summary.Update != 1 {
		t.Errorf("got %+v, want the mended record updated", plan.Summary)
	}
}

// A record whose key cannot be read may be any of the missing ones.
func TestRunner_UnreadableKeyWithholdsDeletes(t *testing.T) {
	w := newWorld(t, t.TempDir(), sandbox.Options{Seed: 3, Shops: 12})
	mustSync(t, w)
	all := ids(w)
	w.source.Remove(all[2])
	if err := w.source.Inject(sandbox.Fault{Kind: sandbox.KindBadKey, Row: 5}); err != nil {
		t.Fatal(err)
	}
	plan := mustSync(t, w)
	if plan.Summary.Delete != 0 || len(plan.Withheld.Keys) == 0 {
		t.Errorf("got %+v withheld %+v, want the deletes withheld", plan.Summary, plan.Withheld)
	}
}

// Under another mapping only rows whose stored values differ are updates.
func TestRunner_NewMapping(t *testing.T) {
	w := newWorld(t, t.TempDir(), sandbox.Options{Seed: 3, Shops: 30})
	mustSync(t, w)
	columns, key := mapping.Shops()
	columns = append(columns, mapping.Column{
		Column: diff.Column{Name: "organization", Type: diff.Type{Base: diff.VarChar, Size: 50}}, From: "organization",
	})
	var err error
	if w.mapper, err = mapping.New("jst_shops", columns, key); err != nil {
		t.Fatal(err)
	}
	if plan := mustSync(t, w); plan.Status != diff.Unchanged {
		t.Errorf("got %s %+v, want unchanged: the new column is NULL everywhere", plan.Status, plan.Summary)
	}
	w.source.Put(ids(w)[0], map[string]any{"organization": "部门"})
	w.target.(*memoryTable).widen(1)
	if plan := mustSync(t, w); plan.Summary.Update != 1 {
		t.Errorf("got %+v, want 1 update", plan.Summary)
	}
}

// widen gives every row another column, as ALTER TABLE does.
func (m *memoryTable) widen(n int) {
	for k := range m.rows {
		m.rows[k] = append(m.rows[k], make(diff.Row, n)...)
	}
}

// A record that could not be mapped, or asked for, while the mapping changed
// has its row as the old mapping made it: its old spelling is no proof that
// the row is right.
func TestRunner_NewMappingUnseenRows(t *testing.T) {
	w := newWorld(t, t.TempDir(), sandbox.Options{Seed: 3, Shops: 12})
	mustSync(t, w)
	all := ids(w)
	broken, hidden := w.source.Shops()[4], w.source.Shops()[7]
	w.source.Put(broken.ID, map[string]any{"created": "soon"})
	w.source.Remove(hidden.ID)
	if err := w.source.Inject(sandbox.Fault{Kind: sandbox.KindBadKey, Row: 0}); err != nil {
		t.Fatal(err)
	}
	columns, key := mapping.Shops()
	for i := range columns {
		if columns[i].Name == "shop_name" {
			columns[i].Type.Size = 200 // another mapping, the same members
		}
	}
	columns = append(columns, mapping.Column{
		Column: diff.Column{Name: "name_again", Type: diff.Type{Base: diff.VarChar, Size: 255}}, From: "shop_name",
	})
	var err error
	if w.mapper, err = mapping.New("jst_shops", columns, key); err != nil {
		t.Fatal(err)
	}
	w.target.(*memoryTable).widen(1)
	if plan := mustSync(t, w); len(plan.Withheld.Keys) == 0 || len(plan.Quarantine) != 2 {
		t.Fatalf("got withheld %v, quarantined %v", plan.Withheld, plan.Quarantine)
	}
	for _, shop := range []sandbox.Shop{broken, hidden} { // spelled as they were
		members := map[string]any{}
		for name, raw := range shop.Members {
			members[name] = raw
		}
		w.source.Put(shop.ID, members)
	}
	mustSync(t, w)
	if d := sameRows(w.table(), w.truth()); d != "" {
		t.Error(d)
	}
	if len(ids(w)) != len(all) {
		t.Fatal("the source did not come back as it was")
	}
}

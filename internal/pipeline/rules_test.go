package pipeline_test

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"jstsync/diff"
	"jstsync/internal/mapping"
	"jstsync/internal/pipeline"
	"jstsync/internal/sandbox"
)

// ruled returns the default mapping with rules.
func ruled(tb interface{ Fatal(...any) }, specs ...mapping.RuleSpec) *mapping.Mapper {
	return keyed(tb, []string{"shop_id"}, specs...)
}

// Whatever values are exchanged, doubled and given back: no two rows have the
// same one, who is not set aside is as the source says, whose record is set
// aside keeps its row, nothing present is deleted, and where all values differ
// nobody is set aside.
func TestProperty_Unique(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(rt, t.TempDir(), sandbox.Options{Seed: 1, Shops: 6})
		w.mapper = ruled(rt,
			mapping.RuleSpec{Name: "nick", Unique: []string{"nick"}, OnFail: "quarantine"},
			mapping.RuleSpec{Name: "named", NotNull: "shop_name", OnFail: "quarantine"},
			mapping.RuleSpec{Name: "short", Unique: []string{"short_name", "nick"}, OnFail: "warn"})
		u := &doubles{w, 80_000_000}
		for range rapid.IntRange(1, 6).Draw(rt, "runs") {
			for range rapid.IntRange(0, 5).Draw(rt, "edits") {
				u.edit(rt)
			}
			u.check(rt)
		}
	})
}

// doubles edits the source of a world so that values come twice.
type doubles struct {
	*world
	next int64
}

func (u *doubles) edit(rt *rapid.T) {
	members := map[string]any{
		"nick":      rapid.SampledFrom([]any{"a", "b", "c", "d", nil}).Draw(rt, "nick"),
		"shop_name": rapid.SampledFrom([]any{"x", "y", "z", nil}).Draw(rt, "name"),
	}
	all := ids(u.world)
	switch what := rapid.IntRange(0, 7).Draw(rt, "what"); {
	case what == 0 || len(all) == 0:
		u.next++
		u.source.Put(u.next, members)
	case what == 1 && len(all) > 1:
		u.source.Remove(rapid.SampledFrom(all).Draw(rt, "gone"))
	default:
		u.source.Put(rapid.SampledFrom(all).Draw(rt, "shop"), members)
	}
}

func (u *doubles) check(rt *rapid.T) {
	before := u.table()
	plan, err := u.sync()
	if err != nil {
		rt.Fatal(err)
	}
	aside := map[string]bool{}
	for _, q := range plan.Quarantine {
		aside[q.Key] = true
	}
	want, distinct := u.truth(), true
	values := map[diff.Value]bool{}
	for key, row := range want {
		nick, named := row[6], !row[1].IsNull()
		distinct = distinct && named && !values[nick]
		values[nick] = !nick.IsNull()
		if !aside[key.String()] {
			continue
		}
		if delete(want, key); before[key] != nil {
			want[key] = before[key]
		}
	}
	if d := sameRows(u.table(), want); d != "" {
		rt.Fatalf("%s; set aside: %v", d, plan.Quarantine)
	}
	if distinct && len(aside) > 0 {
		rt.Fatalf("all values differ, and %v are set aside", plan.Quarantine)
	}
	held := map[diff.Value]diff.Key{}
	for key, row := range u.table() {
		if other, twice := held[row[6]]; twice && !row[6].IsNull() {
			rt.Fatalf("%s and %s have the same nick %s", key, other, row[6])
		}
		held[row[6]] = key
	}
}

// watched counts what rules cost.
type watched struct {
	pipeline.Mapper
	judged *int
}

func (w watched) Broken(r *diff.Record) []diff.BrokenRule {
	*w.judged++
	return w.Mapper.Broken(r)
}

type watchedState struct {
	pipeline.Snapshots
	walks *int
}

func (w watchedState) Stored(columns []string, visit func(diff.Key, diff.Row, bool) error) error {
	*w.walks++
	return w.Snapshots.Stored(columns, visit)
}

// Rules look at records that changed, and at the table when some did.
func TestRules_CostNothingWhenQuiet(t *testing.T) {
	w := newWorld(t, t.TempDir(), sandbox.Options{Seed: 1, Shops: 250})
	w.mapper = ruled(t, mapping.RuleSpec{Name: "a", Unique: []string{"shop_id"}, OnFail: "quarantine"},
		mapping.RuleSpec{Name: "b", NotNull: "shop_id", OnFail: "fail"})
	var judged, walks int
	run := func() {
		t.Helper()
		r, err := w.runner()
		if err != nil {
			t.Fatal(err)
		}
		judged, walks = 0, 0
		r.Mapping.Mapper, r.State = watched{r.Mapping.Mapper, &judged}, watchedState{r.State, &walks}
		if _, err := r.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	run()
	if judged != 250 || walks != 1 {
		t.Errorf("first run: %d records judged and %d walks, want 250 and 1", judged, walks)
	}
	run()
	if judged != 0 || walks != 0 {
		t.Errorf("quiet run: %d records judged and %d walks, want none", judged, walks)
	}
	w.source.Put(ids(w)[3], map[string]any{"shop_name": "改"})
	run()
	if judged != 1 || walks != 1 {
		t.Errorf("after one change: %d records judged and %d walks, want 1 and 1", judged, walks)
	}
}

// A rule that ends the run says so before anything is written, and names the
// records.
func TestRules_Fail(t *testing.T) {
	w := newWorld(t, t.TempDir(), sandbox.Options{Seed: 1, Shops: 30})
	mustSync(t, w)
	before := w.table()
	w.mapper = ruled(t, mapping.RuleSpec{Name: "own", Unique: []string{"nick"}, OnFail: "fail"})
	for _, id := range ids(w)[:3] {
		w.source.Put(id, map[string]any{"nick": "same", "shop_name": "改"})
	}
	plan, err := w.sync()
	var e *diff.Error
	if !errors.As(err, &e) || e.Code != diff.CodeQuality || plan.Status != diff.Failed {
		t.Fatalf("got %v, %s, want a failure of quality", err, plan.Status)
	}
	if d := sameRows(w.table(), before); d != "" {
		t.Error(d)
	}
	if len(plan.Rules) != 1 || plan.Rules[0].Count != 2 {
		t.Errorf("got %+v, want 2 records that break one rule", plan.Rules)
	}
}

// Where several rows share a value, one that is set aside hides none that is not.
func TestUnique_SetAsideHidesNone(t *testing.T) {
	w := newWorld(t, t.TempDir(), sandbox.Options{})
	for id := int64(1); id <= 3; id++ {
		w.source.Put(id, map[string]any{"nick": "n"})
	}
	mustSync(t, w)
	w.mapper = ruled(t,
		mapping.RuleSpec{Name: "u", Unique: []string{"nick"}, OnFail: "quarantine"},
		mapping.RuleSpec{Name: "named", NotNull: "shop_name", OnFail: "quarantine"})
	if plan := mustSync(t, w); len(plan.Quarantine) != 2 {
		t.Fatalf("set aside %v, want 2", plan.Quarantine)
	}
	w.source.Put(2, map[string]any{"shop_name": nil})
	if plan := mustSync(t, w); len(plan.Quarantine) != 2 {
		t.Errorf("set aside %v, want 2", plan.Quarantine)
	}
}

// A record that was set aside while another one took its value up is looked at
// again when it is as before.
func TestUnique_TakenUp(t *testing.T) {
	w := newWorld(t, t.TempDir(), sandbox.Options{})
	for id := int64(1); id <= 2; id++ {
		w.source.Put(id, map[string]any{"nick": "n", "shop_name": "x"})
	}
	mustSync(t, w)
	w.mapper = ruled(t,
		mapping.RuleSpec{Name: "u", Unique: []string{"nick"}, OnFail: "quarantine"},
		mapping.RuleSpec{Name: "named", NotNull: "shop_name", OnFail: "quarantine"})
	for i, name := range []any{"x", nil, "x", "x"} {
		w.source.Put(1, map[string]any{"shop_name": name})
		if plan := mustSync(t, w); len(plan.Quarantine) != 1 {
			t.Errorf("run %d: set aside %v, want 1", i+1, plan.Quarantine)
		}
	}
}

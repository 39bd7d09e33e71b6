package pipeline_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"jstsync/diff"
	"jstsync/internal/mapping"
	"jstsync/internal/sandbox"
)

// A record that is set aside under another key than its row has counts as
// present: the row stays until the record is good, and is then replaced.
func TestRunner_SetAsideUnderAnotherKey(t *testing.T) {
	for name, c := range map[string]struct {
		specs []mapping.RuleSpec
		edit  map[string]any
	}{
		"rule":   {[]mapping.RuleSpec{{Name: "short", Length: "nick", Max: "5", OnFail: "quarantine"}}, map[string]any{"shop_name": "B", "nick": "toolongnick"}},
		"fit":    {nil, map[string]any{"shop_name": "B", "nick": strings.Repeat("x", 5000)}},
		"unique": {[]mapping.RuleSpec{{Name: "u", Unique: []string{"nick"}, OnFail: "quarantine"}}, map[string]any{"shop_name": "B", "nick": "n1"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, t.TempDir(), sandbox.Options{})
			w.mapper = keyed(t, []string{"shop_name"}, c.specs...)
			w.source.Put(1, map[string]any{"shop_name": "a", "nick": "n1"})
			w.source.Put(2, map[string]any{"shop_name": "A", "nick": "n2"})
			w.source.Put(3, map[string]any{"shop_name": "z", "nick": "n3"})
			if p := mustSync(t, w); p.Summary.Insert != 3 {
				t.Fatal(p.Summary)
			}
			w.source.Put(2, c.edit)
			plan := mustSync(t, w)
			if d := deletes(t, plan); len(d) != 0 || len(w.table()) != 3 || len(plan.Quarantine) != 1 || len(plan.Withheld.Keys) != 1 {
				t.Errorf("deleted %v, %d rows, set aside %v, withheld %v", d, len(w.table()), plan.Quarantine, plan.Withheld)
			}
			w.source.Put(2, map[string]any{"shop_name": "B", "nick": "n2"})
			plan = mustSync(t, w)
			if d := deletes(t, plan); len(d) != 1 || plan.Summary.Insert != 1 || sameRows(w.table(), w.truth()) != "" {
				t.Errorf("mended: deleted %v, %+v, %s", d, plan.Summary, sameRows(w.table(), w.truth()))
			}
		})
	}
}

// A record that no page showed and that is answered under a key that a page
// showed with another content stays: two records may have that key now.
func TestRunner_RekeyedIntoAnother(t *testing.T) {
	w := newWorld(t, t.TempDir(), sandbox.Options{})
	w.mapper = keyed(t, []string{"shop_name"})
	w.page = 3
	for i, name := range strings.Split("abcdef", "") {
		w.source.Put(int64(i+1), map[string]any{"shop_name": name})
	}
	mustSync(t, w)
	w.source.Put(4, map[string]any{"shop_name": "f"})
	w.source.AfterPage(1, func(s *sandbox.Server) { s.Remove(1) }) // number 4 moves to the page that was read
	plan := mustSync(t, w)
	if d := deletes(t, plan); len(d) != 0 {
		t.Errorf("deleted %v; withheld %v", d, plan.Withheld)
	}
	for range 2 {
		plan = mustSync(t, w)
	}
	if len(w.table()) != 5 || len(plan.Quarantine) != 1 || len(plan.Withheld.Keys) != 1 {
		t.Errorf("%d rows, set aside %v, withheld %v", len(w.table()), plan.Quarantine, plan.Withheld)
	}
}

// answering is a source that answers ids as a test tells it to.
type answering struct {
	script
	answer func(ids []diff.Key) diff.Witness
}

func (a *answering) Witness(_ context.Context, ids []diff.Key, _ diff.Key) (diff.Witness, error) {
	return a.answer(ids), nil
}

// A row whose record is gone, or was not to be had, and whose key the record of
// another row answers under is that record's now.
func TestRunner_RekeyedIntoMissing(t *testing.T) {
	for name, w := range map[string]diff.Witness{
		"gone":     {Gone: []diff.Key{keyOf(t, 1)}},
		"withheld": {Withheld: []diff.Key{keyOf(t, 1)}, Reason: "no control"},
	} {
		for _, remap := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, remapped %t", name, remap), func(t *testing.T) {
				world := newWorld(t, t.TempDir(), sandbox.Options{})
				world.mapper = keyed(t, []string{"shop_name"})
				r, err := world.runner()
				if err != nil {
					t.Fatal(err)
				}
				source := &answering{script: script{records: []diff.Record{record(1, "a"), record(2, "b"), record(3, "c"), record(4, "d")}}}
				r.Source = source
				run(t, r)
				if remap {
					r.Mapping.Fingerprint = "another"
				}
				source.records = source.records[2:]
				source.answer = func([]diff.Key) diff.Witness {
					w.Alive = []diff.Record{record(2, "a")}
					return w
				}
				plan := run(t, r)
				if got := deletes(t, plan); !slices.Equal(got, named(t, "b")) || plan.Summary.Update != 1 || plan.Withheld.Keys != nil {
					t.Errorf("deleted %v, %+v, withheld %v; want b deleted and a the other record's", got, plan.Summary, plan.Withheld)
				}
				if slices.ContainsFunc(plan.Rehashed, func(r diff.Rehash) bool { return r.Key == named(t, "a")[0] }) {
					t.Error("a row that changes gets another hash as well")
				}
			})
		}
	}
}

// A row whose id is not on record, and whose key the record of another row
// answers under, is that record's now.
func TestRunner_RekeyedIntoOneWithoutID(t *testing.T) {
	w := newWorld(t, t.TempDir(), sandbox.Options{})
	w.mapper = lettered(t, "shop_id", "co_id")
	r, err := w.runner()
	if err != nil {
		t.Fatal(err)
	}
	without := record(1, "a")
	without.Members[0].Raw = []byte("null")
	source := &answering{script: script{records: []diff.Record{without, record(2, "b"), record(3, "c")}}}
	r.Source = source
	run(t, r)
	r.Mapping.Fingerprint = "another"
	source.records = source.records[2:]
	source.answer = func([]diff.Key) diff.Witness { return diff.Witness{Alive: []diff.Record{record(2, "a")}} }
	plan := run(t, r)
	if got := deletes(t, plan); !slices.Equal(got, named(t, "b")) || plan.Summary.Update != 1 || plan.Withheld.Keys != nil {
		t.Errorf("deleted %v, %+v, withheld %v; want b deleted and a the other record's", got, plan.Summary, plan.Withheld)
	}
	if slices.ContainsFunc(plan.Rehashed, func(r diff.Rehash) bool { return r.Key == named(t, "a")[0] }) {
		t.Error("a row that changes gets another hash as well")
	}
}

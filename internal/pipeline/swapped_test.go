package pipeline_test

import (
	"slices"
	"testing"

	"jstsync/diff"
	"jstsync/internal/mapping"
	"jstsync/internal/sandbox"
)

// lettered returns a mapper whose key is the name, with columns a, b and so on
// from the members.
func lettered(t *testing.T, members ...string) *mapping.Mapper {
	t.Helper()
	columns := []mapping.Column{{Column: diff.Column{Name: "shop_name", Type: diff.Type{Base: diff.VarChar, Size: 255}, NotNull: true}, From: "shop_name"}}
	for i, member := range members {
		columns = append(columns, mapping.Column{
			Column: diff.Column{Name: string(rune('a' + i)), Type: diff.Type{Base: diff.BigInt}}, From: member,
		})
	}
	m, err := mapping.New("jst_shops", columns, []string{"shop_name"})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// A row that was written while another column held the id is asked for by that
// one: what now has the id's column, the company's number, is no shop's.
func TestRunner_SwappedColumns(t *testing.T) {
	for name, members := range map[string][]string{
		"swapped": {"co_id", "shop_id"}, "reused": {"shop_id", "group_id"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, t.TempDir(), sandbox.Options{})
			w.mapper = lettered(t, "shop_id", "co_id")
			if name == "reused" {
				w.mapper = lettered(t, "group_id", "shop_id")
			}
			w.page = 3
			for i, name := range []string{"a", "b", "c", "d", "e", "f", "g"} {
				w.source.Put(int64(i+1), map[string]any{"shop_name": name, "co_id": 1000 + i, "group_id": 2000 + i})
			}
			mustSync(t, w)
			w.mapper = lettered(t, members...)
			w.source.AfterPage(1, func(s *sandbox.Server) { s.Remove(1) }) // number 4 moves to the page that was read
			for run := range 3 {
				if run == 1 { // and again: its row is still as it was written
					w.source.AfterPage(1, func(s *sandbox.Server) { s.Remove(2) })
				}
				plan := mustSync(t, w)
				for _, key := range deletes(t, plan) {
					if !slices.Contains(named(t, "a", "b"), key) {
						t.Errorf("run %d deleted %s, which lives", run, key)
					}
				}
			}
			if d := sameRows(w.table(), w.truth()); d != "" {
				t.Error(d)
			}
		})
	}
}

// A row that is set aside when the columns are swapped keeps the id that it was
// written with, and is asked for by it in later runs.
func TestRunner_SwappedColumnsSetAside(t *testing.T) {
	w := newWorld(t, t.TempDir(), sandbox.Options{})
	w.mapper = lettered(t, "shop_id", "co_id")
	w.page = 3
	for i, name := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		w.source.Put(int64(i+1), map[string]any{"shop_name": name, "co_id": 1000 + i})
	}
	mustSync(t, w)
	w.mapper = lettered(t, "co_id", "shop_id")
	w.source.Put(4, map[string]any{"co_id": "none"})
	if plan := mustSync(t, w); len(plan.Quarantine) != 1 {
		t.Fatalf("set aside %v, want the one without a number", plan.Quarantine)
	}
	w.source.AfterPage(1, func(s *sandbox.Server) { s.Remove(1) })
	if got := deletes(t, mustSync(t, w)); slices.Contains(got, named(t, "d")[0]) {
		t.Errorf("deleted %v, of which d lives", got)
	}
	w.source.Remove(4)
	for range 2 {
		mustSync(t, w)
	}
	if d := sameRows(w.table(), w.truth()); d != "" {
		t.Errorf("after it is gone: %s", d)
	}
}

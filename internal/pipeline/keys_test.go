package pipeline_test

import (
	"slices"
	"testing"

	"jstsync/diff"
	"jstsync/internal/mapping"
	"jstsync/internal/sandbox"
)

// keyed returns a mapper whose key is the named members, with rules.
func keyed(tb interface{ Fatal(...any) }, key []string, specs ...mapping.RuleSpec) *mapping.Mapper {
	return compiled(tb, columnsFor(key), key, specs)
}

// columnsFor returns the default columns, of which those of the key take no NULL.
func columnsFor(key []string) []mapping.Column {
	columns, _ := mapping.Shops()
	for i := range columns {
		if slices.Contains(key, columns[i].From) && columns[i].Name == columns[i].From {
			columns[i].NotNull = true
		}
	}
	return columns
}

func compiled(tb interface{ Fatal(...any) }, columns []mapping.Column, key []string, specs []mapping.RuleSpec) *mapping.Mapper {
	var rules []*mapping.Rule
	for _, spec := range specs {
		rule, err := mapping.CompileRule(spec)
		if err != nil {
			tb.Fatal(err)
		}
		rules = append(rules, rule)
	}
	m, err := mapping.New("jst_shops", columns, key, rules...)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// textID returns a mapper that stores the id as text.
func textID(tb interface{ Fatal(...any) }) *mapping.Mapper {
	columns, key := mapping.Shops()
	columns[0].Type = diff.Type{Base: diff.VarChar, Size: 32}
	m, err := mapping.New("jst_shops", columns, key)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

func named(tb testing.TB, names ...string) []diff.Key {
	tb.Helper()
	keys := make([]diff.Key, len(names))
	for i, name := range names {
		var err error
		if keys[i], err = diff.NewKey(diff.TextValue(name)); err != nil {
			tb.Fatal(err)
		}
	}
	return keys
}

func TestRunner_TextKey(t *testing.T) {
	w := newWorld(t, t.TempDir(), sandbox.Options{})
	w.mapper = keyed(t, []string{"shop_name"})
	for i, name := range []string{"a", "A", "a ", "😀", "😁"} {
		w.source.Put(int64(i+1), map[string]any{"shop_name": name})
	}
	if plan := mustSync(t, w); plan.Summary.Insert != 5 {
		t.Fatalf("got %+v, want 5 inserts", plan.Summary)
	}
	w.source.Put(2, map[string]any{"shop_name": "B"}) // the record lives on under another key
	w.source.Remove(5)
	plan := mustSync(t, w)
	if got, want := deletes(t, plan), named(t, "A", "😁"); !slices.Equal(got, want) {
		t.Errorf("got deletes %v, want %v", got, want)
	}
	if plan.Summary.Insert != 1 || plan.Summary.Update != 0 || len(plan.Quarantine) != 0 {
		t.Errorf("got %+v, quarantined %v", plan.Summary, plan.Quarantine)
	}
	if d := sameRows(w.table(), w.truth()); d != "" {
		t.Error(d)
	}
}

// A source that answers ids without regard to what was asked for proves nothing.
func TestRunner_TextKeyUnwitnessed(t *testing.T) {
	w := newWorld(t, t.TempDir(), sandbox.Options{Shops: 20, Seed: 3})
	w.mapper = keyed(t, []string{"shop_name", "shop_id"})
	mustSync(t, w)
	w.source.Remove(ids(w)[4])
	if err := w.source.Inject(sandbox.Fault{Kind: sandbox.KindIDsIgnored, Times: -1}); err != nil {
		t.Fatal(err)
	}
	plan := mustSync(t, w)
	if len(deletes(t, plan)) != 0 || len(plan.Withheld.Keys) != 1 {
		t.Errorf("got deletes %v, withheld %v", deletes(t, plan), plan.Withheld)
	}
}

func TestRunner_TextKeyTwice(t *testing.T) {
	w := newWorld(t, t.TempDir(), sandbox.Options{})
	w.mapper = keyed(t, []string{"shop_name"})
	w.source.Put(1, map[string]any{"shop_name": "x"})
	w.source.Put(2, map[string]any{"shop_name": "y"})
	mustSync(t, w)
	before := w.table()
	w.source.Put(2, map[string]any{"shop_name": "x"})
	plan := mustSync(t, w)
	if len(plan.Quarantine) != 1 || plan.Quarantine[0].Key != "x" {
		t.Fatalf("got quarantine %v, want the key x", plan.Quarantine)
	}
	after := w.table()
	if x := named(t, "x")[0]; !slices.Equal(after[x], before[x]) {
		t.Errorf("the row of a key with two records changed: %v", after[x])
	}
	w.source.Put(2, map[string]any{"shop_name": "y"})
	mustSync(t, w)
	if d := sameRows(w.table(), w.truth()); d != "" {
		t.Errorf("after the source is mended: %s", d)
	}
}

// A record without a readable key is listed beside a contradicted one whose key
// is an empty text.
func TestRunner_EmptyKeyTwice(t *testing.T) {
	w := newWorld(t, t.TempDir(), sandbox.Options{})
	w.mapper = keyed(t, []string{"shop_name"})
	for id, name := range []any{"", "", nil, "a"} {
		w.source.Put(int64(id+1), map[string]any{"shop_name": name})
	}
	plan := mustSync(t, w)
	if len(plan.Quarantine) != 2 {
		t.Errorf("set aside %q, want 2", plan.Quarantine)
	}
}

func TestRunner_NewFields(t *testing.T) {
	w := newWorld(t, t.TempDir(), sandbox.Options{Shops: 3, Seed: 1})
	if plan := mustSync(t, w); !slices.Equal(plan.NewFields, []string{"organization"}) {
		t.Fatalf("got new fields %q, want the one without a default column", plan.NewFields)
	}
	id := ids(w)[1]
	w.source.Put(id, map[string]any{"平台": "x", "zone": 1})
	for run, want := range [][]string{{"zone", "平台"}, nil} {
		plan := mustSync(t, w)
		if plan.Status != diff.Unchanged || !slices.Equal(plan.NewFields, want) {
			t.Errorf("sync %d: got %s, new fields %q; want %q", run+1, plan.Status, plan.NewFields, want)
		}
	}
	w.source.Put(id, map[string]any{"shop_name": "changed", "later": true})
	for run, want := range [][]string{{"later"}, nil} {
		if plan := mustSync(t, w); !slices.Equal(plan.NewFields, want) {
			t.Errorf("with a change, sync %d: got new fields %q, want %q", run+1, plan.NewFields, want)
		}
	}
}

package pipeline_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"jstsync/diff"
	"jstsync/internal/mapping"
	"jstsync/internal/pipeline"
	"jstsync/internal/sandbox"
	"jstsync/state"
)

// Whatever identifies records, whatever records are bad, by whatever rules, over
// however many runs, while records change their keys, rules come and go and the
// source is damaged too: a record that is set aside keeps its row, also under a
// key that it had before, nothing that the source has is deleted, a run that a
// rule ends writes nothing, all else is as the source says, and the quarantine
// lists what is bad since it is.
func TestProperty_BadRecords(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(rt, t.TempDir(), sandbox.Options{Seed: 1, Shops: rapid.IntRange(1, 12).Draw(rt, "shops")})
		w.page = rapid.SampledFrom([]int{3, 100}).Draw(rt, "page size")
		w.guard.AllowEmpty = false // a source that answers nothing is held
		w.keep = rapid.IntRange(0, 5).Draw(rt, "keep") == 0
		b := &badRecords{world: w, next: 70_000_000, key: rapid.SampledFrom([][]string{
			{"shop_id"}, {"shop_name"}, {"group_name", "shop_name"}, {"shop_name", "shop_id"},
		}).Draw(rt, "key")}
		for _, id := range ids(w) {
			b.source.Put(id, good)
		}
		b.holder, b.idColumns = map[diff.Key]int64{}, map[int]bool{}
		b.choose(rt)
		for range rapid.IntRange(1, 8).Draw(rt, "runs") {
			if rapid.IntRange(0, 4).Draw(rt, "other rules") == 0 {
				b.choose(rt)
			}
			for range rapid.IntRange(0, 4).Draw(rt, "edits") {
				b.edit(rt)
			}
			if rapid.IntRange(0, 7).Draw(rt, "rebuild") == 0 {
				b.rebuild(rt)
			}
			b.check(rt)
		}
	})
}

// predicates say by other means than the product's what a good record is.
var predicates = []struct {
	spec mapping.RuleSpec
	good func(members map[string]any) bool
}{
	{mapping.RuleSpec{Name: "named", NotNull: "shop_name"}, func(m map[string]any) bool { return m["shop_name"] != nil }},
	{mapping.RuleSpec{Name: "length", Length: "nick", Min: "2", Max: "3"}, func(m map[string]any) bool {
		text, ok := m["nick"].(string)
		return !ok || utf8.RuneCountInString(text) == 2 || utf8.RuneCountInString(text) == 3
	}},
	{mapping.RuleSpec{Name: "range", Range: "group_id", Min: "-1", Max: "2.5"}, func(m map[string]any) bool {
		n, ok := m["group_id"].(float64)
		return m["group_id"] == nil || ok && n >= -1 && n <= 2.5
	}},
	{mapping.RuleSpec{Name: "dates", Range: "created", Min: "2020-01-01", Max: "2020-12-31"}, func(m map[string]any) bool {
		text, ok := m["created"].(string)
		return !ok || strings.HasPrefix(text, "2020")
	}},
	{mapping.RuleSpec{Name: "regex", Regex: "shop_url", Pattern: "^https?://"}, func(m map[string]any) bool {
		text, ok := m["shop_url"].(string)
		return !ok || regexp.MustCompile("^https?://").MatchString(text)
	}},
	{mapping.RuleSpec{Name: "one of", OneOf: "short_name", Values: []string{"a", "b"}}, func(m map[string]any) bool {
		return m["short_name"] == nil || m["short_name"] == "a" || m["short_name"] == "b"
	}},
	{mapping.RuleSpec{Name: "expr", Expr: `group_name != "closed"`}, func(m map[string]any) bool { return m["group_name"] != "closed" }},
}

// values are what the members get, good and bad.
var values = map[string][]any{
	"shop_name":   {"甲", "乙", "a", "A", "b", "c", "d", "e", "f", "", nil},
	"nick":        {"两个", "有三个", "有四个字", "x", strings.Repeat("x", 300), nil}, // the last is too long
	"group_id":    {-1, 0, 2, 3, -2, "1e3", nil},                             // 1e3 is no BIGINT either
	"created":     {"2020-01-01 00:00:00", "2020-12-31 23:59:59", "2021-01-01", "2019-12-31 23:59:59.999", nil},
	"shop_url":    {"http://a", "https://b", "ftp://c", nil},
	"short_name":  {"a", "b", "c", nil},
	"group_name":  {"open", "closed", "new", nil},
	"session_uid": {"u", "v", "w", nil},
	"co_id":       {1, 2, 70_000_001, 70_000_002, "none", nil},
}

// uniqueMembers are what unique rules compare, in columns 9 and 10.
var uniqueMembers = []string{"session_uid", "short_name"}

// good has a value for each member that keeps every rule.
var good = map[string]any{"nick": "两个", "group_id": 0, "created": "2020-02-29", "shop_url": "http://a", "group_name": "open"}

// badRecords is a world with a model of what rules do in it.
type badRecords struct {
	*world
	next   int64
	key    []string
	rules  map[int]diff.OnFail // by place in predicates
	unique map[string]int      // names of the rules that compare values, and of which column
	since  map[string]uint64   // of the records set aside, the run

	idAt      int                // the column that holds the id
	idColumns map[int]bool       // those that have held it
	holder    map[diff.Key]int64 // the id of the record that a row is of

	adopted map[diff.Key]bool // rows that a rebuild found and no run has shown; true where one may have
}

// rebuild makes the snapshot anew from the table.
func (b *badRecords) rebuild(rt *rapid.T) {
	r, err := b.runner()
	if err != nil {
		rt.Fatal(err)
	}
	i := &inspected{memoryTable: b.target.(*memoryTable)}
	if _, err := r.Rebuild(rt.Context(), func(context.Context) (pipeline.Takeover, error) { return i, nil }); err != nil {
		rt.Fatal(err)
	}
	b.recorded()
	b.adopted = map[diff.Key]bool{}
	for key := range b.table() {
		b.adopted[key] = false
	}
}

// shown notes which of the adopted rows a run has shown.
func (b *badRecords) shown(all []*said, faulty bool) {
	for _, s := range all {
		if _, is := b.adopted[s.key]; !is || s.unreadable {
			continue
		}
		if s.aside || faulty {
			b.adopted[s.key] = true
		} else {
			delete(b.adopted, s.key)
		}
	}
}

// choose draws other rules.
func (b *badRecords) choose(rt *rapid.T) {
	b.rules = map[int]diff.OnFail{}
	var specs []mapping.RuleSpec
	for i, p := range predicates {
		on := rapid.SampledFrom([]diff.OnFail{"", diff.Warn, diff.Quarantine, diff.Quarantine, diff.Fail}).Draw(rt, p.spec.Name)
		if on == "" || on == diff.Fail && rapid.IntRange(0, 3).Draw(rt, "really") > 0 {
			continue
		}
		p.spec.OnFail = string(on)
		specs, b.rules[i] = append(specs, p.spec), on
	}
	b.unique = map[string]int{}
	for i, member := range uniqueMembers {
		if rapid.IntRange(0, 2).Draw(rt, "unique") == 0 {
			specs = append(specs, mapping.RuleSpec{Name: "unique " + member, Unique: []string{member}, OnFail: "quarantine"})
			b.unique["rule unique "+member+": "] = 9 + i
		}
	}
	b.mapper = compiled(rt, b.columns(rt), b.key, specs)
}

// columns draws where and how the id is stored, which is the same for all runs
// where it is part of the key.
func (b *badRecords) columns(rt *rapid.T) []mapping.Column {
	columns := columnsFor(b.key)
	b.idAt = 0
	if slices.Contains(b.key, "shop_id") {
		return columns
	}
	if rapid.IntRange(0, 3).Draw(rt, "swap") == 0 {
		columns[0].From, columns[2].From, b.idAt = columns[2].From, columns[0].From, 2
		columns[0].NotNull, columns[2].NotNull = false, true
	}
	if rapid.IntRange(0, 3).Draw(rt, "text id") == 0 {
		columns[b.idAt].Type = diff.Type{Base: diff.VarChar, Size: 32}
	}
	return columns
}

// recorded notes where the id is stored by a run that left a record.
func (b *badRecords) recorded() {
	if _, err := os.Stat(b.path); err == nil {
		b.idColumns[b.idAt] = true
	}
}

// idsOf lists the ids that a row may have, none when one of them is not to be told.
func (b *badRecords) idsOf(row diff.Row) (all []int64) {
	for at := range b.idColumns {
		if row[at].IsNull() {
			continue
		}
		n, err := strconv.ParseInt(row[at].String(), 10, 64)
		if err != nil {
			return nil
		}
		all = append(all, n)
	}
	return all
}

func (b *badRecords) edit(rt *rapid.T) {
	members := maps.Clone(good)
	if all := ids(b.world); len(all) > 0 && rapid.Bool().Draw(rt, "as another's id") {
		members["co_id"] = rapid.SampledFrom(all).Draw(rt, "other")
	}
	for _, name := range rapid.SliceOfDistinct(rapid.SampledFrom(slices.Sorted(maps.Keys(values))), rapid.ID).Draw(rt, "members") {
		members[name] = rapid.SampledFrom(values[name]).Draw(rt, name)
	}
	all := ids(b.world)
	switch what := rapid.IntRange(0, 6).Draw(rt, "what"); {
	case what == 0 || len(all) == 0:
		b.next++
		b.source.Put(b.next, members)
	case what == 1 && len(all) > 1:
		b.source.Remove(rapid.SampledFrom(all).Draw(rt, "gone"))
	default:
		b.source.Put(rapid.SampledFrom(all).Draw(rt, "shop"), members)
	}
}

// check makes a run, and holds what it did against the model.
func (b *badRecords) check(rt *rapid.T) {
	faulty := rapid.IntRange(0, 3).Draw(rt, "faulty") == 0
	if faulty {
		if err := b.source.Inject(drawFault(rt)); err != nil {
			rt.Fatal(err)
		}
	}
	before := b.table()
	var dry *diff.Plan
	if !faulty {
		dry = b.dry(rt)
	}
	plan, err := b.sync()
	b.source.ClearFaults()
	if dry != nil {
		b.alike(rt, dry, plan)
	}
	b.recorded()
	all := b.says(rt)
	now := b.own(rt, before)
	b.present(rt, all, before, now)
	b.holder = now
	if err != nil {
		if d := sameRows(b.table(), before); d != "" {
			rt.Fatalf("a failed run (%v) wrote: %s", err, d)
		}
	}
	if !faulty {
		b.whole(rt, plan, err, before, all)
	}
	b.listed(rt, plan)
	if err == nil {
		b.shown(all, faulty)
	}
	if !faulty && err == nil && plan.Status != diff.Held && rapid.Bool().Draw(rt, "again") {
		b.quiet(rt)
	}
	if snapshot, err := b.stored(); err != nil {
		rt.Fatal(err)
	} else if d := sameRows(snapshot, b.table()); d != "" {
		rt.Fatalf("snapshot and target differ: %s", d)
	}
	b.verified(rt)
}

// own returns of which records the rows are: of those that are as before, who had
// them then.
func (b *badRecords) own(rt *rapid.T, before map[diff.Key]diff.Row) map[diff.Key]int64 {
	now := map[diff.Key]int64{}
	for key, row := range b.table() {
		if now[key] = b.holder[key]; slices.Equal(row, before[key]) {
			continue
		}
		id, err := strconv.ParseInt(row[b.idAt].String(), 10, 64)
		if err != nil {
			rt.Fatal(err)
		}
		now[key] = id
	}
	return now
}

// present makes sure that each record that had a row and still is at the source
// has one: its own, or that of its new key. Only another record of the same key
// may take a row over.
func (b *badRecords) present(rt *rapid.T, all []*said, before map[diff.Key]diff.Row, now map[diff.Key]int64) {
	after := b.table()
	has := map[int64]bool{}
	for key := range after {
		has[now[key]] = true
	}
	records := map[int64]*said{}
	for _, s := range all {
		records[s.id] = s
	}
	for key, was := range before {
		s, is := records[b.holder[key]], after[key]
		switch {
		case s == nil:
		case is == nil && !has[s.id]:
			rt.Fatalf("%s was deleted, and the source has shop %d as %s", key, s.id, s.key)
		case len(b.key) == 1 && b.key[0] == "shop_id" && s.aside && !slices.Equal(was, is):
			rt.Fatalf("%s is to be set aside, and its row %v became %v", key, was, is)
		}
	}
}

// whole holds a run that read every record against the model.
func (b *badRecords) whole(rt *rapid.T, plan *diff.Plan, err error, before map[diff.Key]diff.Row, all []*said) {
	if slices.ContainsFunc(all, func(s *said) bool { return s.ends }) {
		if diff.CodeOf(err) != diff.CodeQuality {
			rt.Fatalf("got %v, want that a rule ends the run", err)
		}
		return
	}
	if err != nil {
		rt.Fatal(err)
	}
	doubles := b.doubles(rt, plan, all)
	want, aside := b.expected(before, all)
	if d := sameRows(b.table(), want); d != "" {
		rt.Fatalf("%s; set aside: %v", d, plan.Quarantine)
	}
	if len(plan.Quarantine) != aside || plan.Summary.Quarantined != aside {
		rt.Fatalf("set aside: got %v, want %d", plan.Quarantine, aside)
	}
	if s := plan.Summary; s.Unchanged < 0 || s.Read != len(all)-b.sharing(all) {
		rt.Fatalf("got %+v of %d records", s, len(all))
	}
	for rule, column := range b.unique {
		b.distinct(rt, column, before, all, doubles[rule])
	}
	seen := map[diff.Key]bool{}
	for _, k := range plan.Withheld.Keys {
		if seen[k] || want[k] == nil {
			rt.Fatalf("withheld: got %v", plan.Withheld)
		}
		seen[k] = true
	}
}

// listed holds the list of what is set aside against what the runs said.
func (b *badRecords) listed(rt *rapid.T, plan *diff.Plan) {
	_, none := os.Stat(b.path)                            // a first run that a rule ended leaves no file
	if plan.Scan.Verdict != diff.Partial && none == nil { // also when a rule then ended the run
		now := map[string]uint64{}
		for _, q := range plan.Quarantine {
			who := identity(q)
			if now[who] = plan.Run; b.since[who] != 0 {
				now[who] = b.since[who]
			}
		}
		b.since = now
	}
	list, err := state.NewReader(b.path, "shops").Quarantine()
	if err != nil {
		rt.Fatal(err)
	}
	got := map[string]uint64{}
	for _, q := range list {
		if got[identity(q.Quarantined)] = q.Run; q.Reason == "" || q.AtLeast {
			rt.Fatalf("got %+v", q)
		}
	}
	if !maps.Equal(got, b.since) {
		rt.Fatalf("listed with their runs: got %v, want %v", got, b.since)
	}
}

// identity tells the records that are set aside apart.
func identity(q diff.Quarantined) string {
	return cmp.Or(q.Key, fmt.Sprint("without a key: ", q.Reason))
}

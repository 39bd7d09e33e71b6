package pipeline_test

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"jstsync/diff"
	"jstsync/internal/mapping"
	"jstsync/internal/sandbox"
	"jstsync/state"
)

// Whatever records are bad, by whatever rules, over however many runs, while
// rules come and go and the source is damaged too: a record that is set aside
// keeps its row, nothing that the source has is deleted, a run that a rule ends
// writes nothing, all else is as the source says, and the quarantine lists what
// is bad since it is.
func TestProperty_BadRecords(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(rt, t.TempDir(), sandbox.Options{Seed: 1, Shops: rapid.IntRange(1, 12).Draw(rt, "shops")})
		w.page = rapid.SampledFrom([]int{3, 100}).Draw(rt, "page size")
		w.guard.AllowEmpty = false // a source that answers nothing is held
		b := &badRecords{world: w, next: 70_000_000}
		for _, id := range ids(w) {
			b.source.Put(id, good)
		}
		b.choose(rt)
		for range rapid.IntRange(1, 8).Draw(rt, "runs") {
			if rapid.IntRange(0, 4).Draw(rt, "other rules") == 0 {
				b.choose(rt)
			}
			for range rapid.IntRange(0, 4).Draw(rt, "edits") {
				b.edit(rt)
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
	"shop_name":  {"甲", "乙", nil},
	"nick":       {"两个", "有三个", "有四个字", "x", nil},
	"group_id":   {-1, 0, 2, 3, -2, "1e3", nil}, // 1e3 is no BIGINT either
	"created":    {"2020-01-01 00:00:00", "2020-12-31 23:59:59", "2021-01-01", "2019-12-31 23:59:59.999", nil},
	"shop_url":   {"http://a", "https://b", "ftp://c", nil},
	"short_name": {"a", "b", "c", nil},
	"group_name": {"open", "closed", nil},
}

// good has a value for each member that keeps every rule.
var good = map[string]any{"nick": "两个", "group_id": 0, "created": "2020-02-29", "shop_url": "http://a", "short_name": "a", "group_name": "open"}

// badRecords is a world with a model of what rules do in it.
type badRecords struct {
	*world
	next  int64
	rules map[int]diff.OnFail // by place in predicates
	since map[string]uint64   // of the keys set aside, the run
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
	b.mapper = ruled(rt, specs...)
}

func (b *badRecords) edit(rt *rapid.T) {
	members := maps.Clone(good)
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

// verdicts says which records of the source must be set aside, and whether one
// of them ends the run.
func (b *badRecords) verdicts(rt *rapid.T) (aside map[string]bool, ends bool) {
	aside = map[string]bool{}
	rows := b.truth()
	for _, shop := range b.source.Shops() {
		members := map[string]any{}
		for name, raw := range shop.Members {
			var v any
			if err := json.Unmarshal(raw, &v); err != nil {
				rt.Fatal(err)
			}
			members[name] = v
		}
		key := keyOfID(rt, shop.ID)
		bad := rows[key] == nil // its columns cannot hold it
		for i, on := range b.rules {
			if !predicates[i].good(members) {
				ends = ends || on == diff.Fail
				bad = bad || on == diff.Quarantine
			}
		}
		if bad {
			aside[key.String()] = true
		}
	}
	return aside, ends
}

func keyOfID(rt *rapid.T, id int64) diff.Key {
	key, err := diff.NewKey(diff.IntValue(id))
	if err != nil {
		rt.Fatal(err)
	}
	return key
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
	plan, err := b.sync()
	b.source.ClearFaults()
	after := b.table()
	aside, ends := b.verdicts(rt)
	for _, id := range ids(b.world) {
		key := keyOfID(rt, id)
		if was, is := before[key], after[key]; was != nil && is == nil {
			rt.Fatalf("%s was deleted, and the source has it", key)
		} else if aside[key.String()] && !slices.Equal(was, is) {
			rt.Fatalf("%s is to be set aside, and its row %v became %v", key, was, is)
		}
	}
	if err != nil {
		if d := sameRows(after, before); d != "" {
			rt.Fatalf("a failed run (%v) wrote: %s", err, d)
		}
	}
	if !faulty {
		b.whole(rt, plan, err, before, aside, ends)
	}
	b.listed(rt, plan, err)
}

// whole holds a run that read every record against the model.
func (b *badRecords) whole(rt *rapid.T, plan *diff.Plan, err error, before map[diff.Key]diff.Row, aside map[string]bool, ends bool) {
	if ends {
		if diff.CodeOf(err) != diff.CodeQuality {
			rt.Fatalf("got %v, want that a rule ends the run", err)
		}
		return
	}
	if err != nil {
		rt.Fatal(err)
	}
	want := b.truth()
	for _, id := range ids(b.world) {
		if key := keyOfID(rt, id); aside[key.String()] {
			if delete(want, key); before[key] != nil {
				want[key] = before[key]
			}
		}
	}
	if d := sameRows(b.table(), want); d != "" {
		rt.Fatalf("%s; set aside: %v", d, plan.Quarantine)
	}
	if len(plan.Quarantine) != len(aside) || plan.Summary.Quarantined != len(aside) {
		rt.Fatalf("set aside: got %v, want %v", plan.Quarantine, aside)
	}
}

// listed holds the list of what is set aside against what the runs said.
func (b *badRecords) listed(rt *rapid.T, plan *diff.Plan, err error) {
	if err == nil {
		now := map[string]uint64{}
		for _, q := range plan.Quarantine {
			if now[q.Key] = plan.Run; b.since[q.Key] != 0 {
				now[q.Key] = b.since[q.Key]
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
		if got[q.Key] = q.Run; q.Reason == "" || q.AtLeast {
			rt.Fatalf("got %+v", q)
		}
	}
	if !maps.Equal(got, b.since) {
		rt.Fatalf("listed with their runs: got %v, want %v", got, b.since)
	}
}

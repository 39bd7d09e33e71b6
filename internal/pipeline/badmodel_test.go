package pipeline_test

import (
	"encoding/json"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"jstsync/diff"
)

// said is a record of the source, and what is to become of it.
type said struct {
	id         int64
	unreadable bool // it has no key
	key        diff.Key
	row        diff.Row // nil where its columns cannot hold it
	aside      bool
	ends       bool // a rule ends the run
}

// says lists the records of the source.
func (b *badRecords) says(rt *rapid.T) (all []*said) {
	holders := map[diff.Key][]*said{}
	for _, shop := range b.source.Shops() {
		s, r, members := &said{id: shop.ID}, &diff.Record{}, map[string]any{}
		for name, raw := range shop.Members {
			var v any
			if err := json.Unmarshal(raw, &v); err != nil {
				rt.Fatal(err)
			}
			members[name] = v
			r.Members = append(r.Members, diff.Member{Name: name, Raw: raw})
		}
		all = append(all, s)
		for _, name := range b.key {
			s.unreadable = s.unreadable || members[name] == nil
		}
		if s.unreadable {
			continue
		}
		s.key, s.row = b.mapped(rt, r)
		s.aside = s.row == nil
		for i, on := range b.rules {
			if !predicates[i].good(members) {
				s.ends = s.ends || on == diff.Fail
				s.aside = s.aside || on == diff.Quarantine
			}
		}
		holders[s.key] = append(holders[s.key], s)
	}
	for _, same := range holders {
		for _, s := range same {
			s.aside, s.ends = s.aside || len(same) > 1, s.ends && len(same) == 1
		}
	}
	return all
}

func (b *badRecords) mapped(rt *rapid.T, r *diff.Record) (diff.Key, diff.Row) {
	key, err := b.mapper.Key(r)
	if err != nil {
		rt.Fatal(err)
	}
	row, err := b.mapper.Row(r)
	if err != nil {
		return key, nil
	}
	return key, row
}

// sharing counts the records whose key another one before them has.
func (b *badRecords) sharing(all []*said) (n int) {
	keys := map[diff.Key]bool{}
	for _, s := range all {
		if s.unreadable {
			continue
		}
		if keys[s.key] {
			n++
		}
		keys[s.key] = true
	}
	return n
}

// doubles marks those records as set aside that the run set aside for a value
// that another row has, and returns them by rule.
func (b *badRecords) doubles(rt *rapid.T, plan *diff.Plan, all []*said) map[string][]*said {
	doubles := map[string][]*said{}
	for _, q := range plan.Quarantine {
		rule, _, _ := strings.Cut(q.Reason, ": ")
		if rule += ": "; !strings.HasPrefix(rule, "rule unique ") {
			continue
		}
		i := slices.IndexFunc(all, func(s *said) bool { return !s.unreadable && s.key.String() == q.Key })
		if i < 0 || all[i].aside || b.unique[rule] == 0 {
			rt.Fatalf("set aside: got %+v", q)
		}
		all[i].aside = true
		doubles[rule] = append(doubles[rule], all[i])
	}
	return doubles
}

// expected returns the rows that are to stand after a run, and how many records
// are set aside.
func (b *badRecords) expected(before map[diff.Key]diff.Row, all []*said) (want map[diff.Key]diff.Row, aside int) {
	want = map[diff.Key]diff.Row{}
	records, keys, unreadable := map[int64]*said{}, map[diff.Key]bool{}, 0
	asides := map[diff.Key]bool{}
	for _, s := range all {
		if s.unreadable {
			unreadable++
			continue
		}
		records[s.id], keys[s.key] = s, true
		if s.aside {
			asides[s.key] = true
		} else {
			want[s.key] = s.row
		}
	}
	for key, row := range before {
		ids := b.idsOf(row)
		stays := b.keep || unreadable > 0 || ids == nil || slices.ContainsFunc(ids, func(id int64) bool {
			s := records[id]
			return s != nil && s.aside
		})
		if maybe, is := b.adopted[key]; is {
			_, there := b.table()[key]
			stays = stays || !maybe || there
		}
		if asides[key] || !keys[key] && stays {
			want[key] = row
		}
	}
	return want, len(asides) + unreadable
}

// distinct makes sure that no two rows got the same value, and that who was set
// aside wanted one that another row has, or another record wants.
func (b *badRecords) distinct(rt *rapid.T, column int, before map[diff.Key]diff.Row, all, doubles []*said) {
	after := b.table()
	holders := map[diff.Value][]diff.Key{}
	for key, row := range after {
		if !row[column].IsNull() {
			holders[row[column]] = append(holders[row[column]], key)
		}
	}
	good := map[diff.Key]bool{}
	for _, s := range all {
		good[s.key] = !s.unreadable && !s.aside
	}
	for value, keys := range holders {
		slices.Sort(keys)
		n := 0
		for _, key := range keys {
			if good[key] {
				n++
			}
			if was := before[key]; len(keys) > 1 && (was == nil || was[column] != value) {
				rt.Fatalf("%s got %s, which other rows have: %s", key, value, keys)
			}
		}
		if n > 1 {
			rt.Fatalf("rows with %s that are not set aside: %d of %s", value, n, keys)
		}
	}
	for _, s := range doubles {
		value := s.row[column]
		others := slices.ContainsFunc(all, func(o *said) bool { return o != s && o.row != nil && o.row[column] == value }) // which may be set aside too
		if !others && !slices.ContainsFunc(holders[value], func(k diff.Key) bool { return k != s.key }) {
			rt.Fatalf("%s is set aside, and no other has its %s", s.key, value)
		}
	}
}

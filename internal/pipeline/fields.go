package pipeline

import (
	"maps"
	"slices"

	"jstsync/diff"
)

// maxNewFields bounds how many names one run reports.
const maxNewFields = 1000

// fields finds members of records that no row depends on and that were never
// seen before, so that a field which the source begins to send is not dropped
// in silence.
type fields struct {
	known map[string]bool // seen before
	maps  func(string) bool
	found map[string]bool
	last  []diff.Member // of the record before, whose names most records repeat
}

func newFields(known []string, maps func(string) bool) *fields {
	f := &fields{known: make(map[string]bool, len(known)), maps: maps, found: map[string]bool{}}
	for _, name := range known {
		f.known[name] = true
	}
	return f
}

// note looks at the names of a page's records.
func (f *fields) note(records []diff.Record) {
	for i := range records {
		members := records[i].Members
		if !slices.EqualFunc(members, f.last, sameName) {
			f.look(members)
			f.last = members
		}
	}
	f.last = nil // they belong to the page
}

func sameName(a, b diff.Member) bool { return a.Name == b.Name }

func (f *fields) look(members []diff.Member) {
	for _, m := range members {
		if !f.known[m.Name] && !f.maps(m.Name) && len(f.found) < maxNewFields {
			f.found[m.Name] = true
		}
	}
}

// names returns what was found, sorted.
func (f *fields) names() []string { return slices.Sorted(maps.Keys(f.found)) }

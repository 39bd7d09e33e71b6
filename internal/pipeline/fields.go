package pipeline

import (
	"maps"
	"slices"
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
}

func newFields(known []string, maps func(string) bool) *fields {
	f := &fields{known: make(map[string]bool, len(known)), maps: maps, found: map[string]bool{}}
	for _, name := range known {
		f.known[name] = true
	}
	return f
}

// note takes notice of a member's name, and reports whether rows depend on it.
func (f *fields) note(name string) bool {
	mapped := f.maps(name)
	if !mapped && !f.known[name] && len(f.found) < maxNewFields {
		f.found[name] = true
	}
	return mapped
}

// names returns what was found, sorted.
func (f *fields) names() []string { return slices.Sorted(maps.Keys(f.found)) }

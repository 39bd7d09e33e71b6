package main

import (
	"jstsync/diff"
	"jstsync/internal/console"
	"jstsync/state"
)

// How many runs are looked through for the one in which a record was set aside
// first, and how many at once.
const (
	asideRuns  = 2000
	asideChunk = 250
)

// Quarantine returns the records that the newest run which read the source set
// aside, each with the first of the runs in a row that did.
func (a audited) Quarantine() ([]console.SetAside, error) {
	var all []console.SetAside
	open := map[string]int{} // places of those that every run so far set aside
	q := state.RunQuery{Pipeline: a.name, Limit: asideChunk}
	for looked, begun := 0, false; looked < asideRuns; {
		runs, next, err := state.RunsPage(a.c.path(), q)
		if err != nil {
			return nil, err
		}
		for i := range runs {
			run := &runs[i]
			looked++
			if run.Trigger != diff.KindSync || run.Status != diff.Unchanged && run.Status != diff.Committed && run.Status != diff.Held {
				continue
			}
			if !begun {
				begun = true
				all = append(all, aside(run, open)...)
			}
			if open = still(all, open, run); len(open) == 0 {
				return all, nil
			}
		}
		if q.Before = next; next == 0 {
			return all, nil
		}
	}
	for _, i := range open {
		all[i].Earlier = true
	}
	return all, nil
}

// aside lists what a run set aside, and notes where it stands.
func aside(run *diff.Run, places map[string]int) (all []console.SetAside) {
	for _, one := range run.Quarantine {
		if _, twice := places[mark(one)]; !twice {
			places[mark(one)] = len(all)
			all = append(all, console.SetAside{Key: one.Key, Reason: one.Reason})
		}
	}
	return all
}

// still returns those of the open places that the run set aside too; it is the
// first that did, until an earlier one did.
func still(all []console.SetAside, open map[string]int, run *diff.Run) map[string]int {
	left := map[string]int{}
	for _, one := range run.Quarantine {
		if i, ok := open[mark(one)]; ok {
			left[mark(one)] = i
			all[i].Run, all[i].Since = run.Run, run.Started
		}
	}
	return left
}

// mark tells records apart: by their keys, or where they have none by the reason.
func mark(one diff.Quarantined) string {
	if one.Key == "" {
		return "\x00" + one.Reason
	}
	return one.Key
}

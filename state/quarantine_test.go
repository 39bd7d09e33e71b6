package state_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"jstsync/diff"
	"jstsync/state"
)

// Since when a record is set aside is told as by looking at all runs, also those
// that came to nothing after they had read the source: those of other pipelines,
// those that did not read it to its end and repairs, which did not read it at all,
// do not count. Nor does a plan that was made before a run, and applied after it.
func TestReader_Quarantine(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t.TempDir() + "/jstsync.db")
		other := state.NewJournal(w.path, "other", w.newID, func() time.Time { return start })
		if _, err := w.journal.Open(); err != nil {
			rt.Fatal(err)
		}
		if _, err := other.Open(); err != nil {
			rt.Fatal(err)
		}
		var mine []diff.Run // that looked
		for n := range uint64(rapid.IntRange(0, 12).Draw(rt, "runs")) {
			run := diff.Run{
				Run: n + 1, Pipeline: pipeline, Started: start.Add(time.Duration(n) * time.Minute),
				Scan:    rapid.SampledFrom([]diff.Verdict{diff.Complete, diff.Unstable, diff.Partial}).Draw(rt, "scan"),
				Status:  rapid.SampledFrom([]diff.Status{diff.Unchanged, diff.Unchanged, diff.Held, diff.Failed}).Draw(rt, "status"),
				Trigger: rapid.SampledFrom([]string{"sync", "sync", "apply", diff.KindRepair}).Draw(rt, "trigger"),
			}
			if run.Trigger == "apply" {
				run.Scanned = run.Started.Add(-time.Duration(rapid.IntRange(1, 200).Draw(rt, "age")) * time.Second)
			}
			for _, key := range rapid.SliceOfN(rapid.SampledFrom([]string{"1", "2", ""}), 0, 3).Draw(rt, "aside") {
				run.Quarantine = append(run.Quarantine, diff.Quarantined{Key: key, Reason: "bad"})
			}
			journal := w.journal
			if rapid.Bool().Draw(rt, "other") {
				journal, run.Pipeline = other, "other"
			}
			if err := journal.Record(&run, nil); err != nil {
				rt.Fatal(err)
			}
			if run.Pipeline == pipeline && run.Scan != diff.Partial && run.Trigger != diff.KindRepair {
				mine = append(mine, run)
			}
		}
		var latest time.Time // reading of the source
		mine = slices.DeleteFunc(mine, func(r diff.Run) bool {
			at := r.Started
			if r.Trigger == "apply" {
				at = r.Scanned
			}
			stale := at.Before(latest)
			if !stale {
				latest = at
			}
			return stale
		})
		var want []diff.SetAside
		if len(mine) > 0 {
			for _, q := range mine[len(mine)-1].Quarantine {
				since := len(mine) - 1
				for since > 0 && slices.Contains(mine[since-1].Quarantine, q) {
					since--
				}
				want = append(want, diff.SetAside{Quarantined: q, Run: mine[since].Run, Since: mine[since].Started})
			}
		}
		got, err := state.NewReader(w.path, pipeline).Quarantine()
		if err != nil || !slices.Equal(got, want) {
			rt.Fatalf("got %v, %v, want %v", got, err, want)
		}
	})
}

// An applied plan without changes says when it was made as any other.
func TestReader_Quarantine_Applied(t *testing.T) {
	w := inTemp(t)
	if _, err := w.journal.Open(); err != nil {
		t.Fatal(err)
	}
	aside := []diff.Quarantined{{Key: "1", Reason: "bad"}}
	for _, run := range []diff.Run{
		{Run: 1, Trigger: "sync", Started: start, Quarantine: aside},
		{Run: 2, Trigger: "apply", Started: start.Add(time.Minute), Scanned: start.Add(-time.Minute)},
	} {
		run.Pipeline, run.Status, run.Scan = pipeline, diff.Unchanged, diff.Complete
		if err := w.journal.Record(&run, nil); err != nil {
			t.Fatal(err)
		}
	}
	want := []diff.SetAside{{Quarantined: aside[0], Run: 1, Since: start}}
	if got, err := w.journal.Quarantine(); err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}

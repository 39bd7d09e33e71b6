package state_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"jstsync/diff"
	"jstsync/state"
)

// Since when a record is set aside is told as by looking at all runs: those of
// other pipelines, those that did not read the source to its end and repairs,
// which did not read it at all, do not count.
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
				Run: n + 1, Pipeline: pipeline, Started: start.Add(time.Duration(n) * time.Minute), Scan: diff.Complete,
				Status:  rapid.SampledFrom([]diff.Status{diff.Unchanged, diff.Unchanged, diff.Held, diff.Failed}).Draw(rt, "status"),
				Trigger: rapid.SampledFrom([]string{"sync", "sync", diff.KindRepair}).Draw(rt, "trigger"),
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
			if run.Pipeline == pipeline && run.Status != diff.Failed && run.Trigger == "sync" {
				mine = append(mine, run)
			}
		}
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

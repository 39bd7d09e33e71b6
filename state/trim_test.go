package state_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"jstsync/diff"
	"jstsync/state"
)

// lived is a world with a history: keys come, change and go, and the columns
// change.
func lived(t *testing.T, runs int, r *rand.Rand) *world {
	t.Helper()
	w := inTemp(t)
	for n := range runs {
		w.columns = []string{"id", "name"}
		if n >= runs/2 {
			w.columns = []string{"note", "id", "name"}
		}
		var changes []change
		for k := range int64(8) {
			switch _, there := w.records[key(k)]; r.IntN(4) {
			case 0:
				if there {
					changes = append(changes, change{key: key(k)})
				}
			case 1:
				changes = append(changes, change{key(k), fields{
					"id": diff.IntValue(k), "name": diff.TextValue(fmt.Sprint(n)), "note": diff.TextValue(fmt.Sprint("n", n)),
				}, diff.SourceHash(n + 1)})
			}
		}
		w.commit(t, changes, nil)
	}
	return w
}

// tables returns the table after each run, as far as it is on record.
func tables(t *testing.T, path string, runs uint64) map[uint64]string {
	t.Helper()
	all := map[uint64]string{}
	for run := range runs + 1 {
		var lines []string
		err := state.NewReader(path, pipeline).SnapshotAt(run, func(columns []string, row diff.Row) error {
			lines = append(lines, fmt.Sprint(columns, row))
			return nil
		})
		switch {
		case err == nil:
			all[run] = strings.Join(lines, "\n")
		case diff.CodeOf(err) != diff.CodeFailed || !strings.Contains(err.Error(), "no longer on record"):
			t.Fatalf("snapshot at %d: %v", run, err)
		}
	}
	return all
}

// Wherever a trimming is cut short, the file is sound, and what it still tells
// is what it told before; the next one finishes.
func TestTrim_CutShort(t *testing.T) {
	const runs = 12
	w := lived(t, runs, rand.New(rand.NewPCG(3, 4)))
	before := tables(t, w.path, runs)
	if len(before) != runs+1 {
		t.Fatalf("got %d tables before, want %d", len(before), runs+1)
	}
	for cut, whole := 0, false; !whole; cut++ {
		c := w.copied(t)
		var err error
		if whole, err = state.TrimByRuns(c.path, 4, 3, cut); err != nil {
			t.Fatalf("cut after %d: %v", cut, err)
		}
		for _, finished := range []bool{false, true} {
			if finished {
				if _, err := state.TrimByRuns(c.path, 4, 3, 1000); err != nil {
					t.Fatal(err)
				}
			}
			wantClean(t, c.path)
			c.checkImages(t)
			after := tables(t, c.path, runs)
			for run, table := range after {
				if table != before[run] {
					t.Fatalf("cut after %d, finished %t: the table after run %d is\n%s\nwant\n%s", cut, finished, run, table, before[run])
				}
			}
			if least := 5; len(after) < least || finished && len(after) != least {
				t.Fatalf("cut after %d, finished %t: %d tables are left, want %d", cut, finished, len(after), least)
			}
		}
		runs, err := state.Runs(c.path, 0)
		if err != nil || len(runs) != 4 {
			t.Fatalf("got %d runs, %v, want 4", len(runs), err)
		}
	}
	again, err := state.NewReader(w.path, pipeline).Commits(0)
	if err != nil || len(again) != runs {
		t.Errorf("got %d commits, %v, want all %d for good", len(again), err, runs)
	}
}

// A trimmed file goes on as any other.
func TestTrim_GoesOn(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	w := lived(t, 6, r)
	for n := range 6 {
		if err := state.Trim(w.path, start, 0, 3); err != nil {
			t.Fatal(err)
		}
		w.runs = w.runs[len(w.runs)-3:]
		w.check(t)
		wantClean(t, w.path)
		w.commit(t, []change{{key(int64(n)), row(int64(n), "again"), 5}, {key: key(int64(n + 1))}}, nil)
	}
	commits, err := state.NewReader(w.path, pipeline).Commits(0)
	if err != nil || len(commits) != 12 {
		t.Errorf("got %d commits, %v, want 12", len(commits), err)
	}
	if _, v, err := state.Compact(w.path); err != nil || len(v.Problems) > 0 {
		t.Errorf("Compact: got %+v, %v", v, err)
	}
}

func TestTrim_ByAge(t *testing.T) {
	const keep = 48 * time.Hour
	w := varied(t, true) // its last run is unfinished
	trim := func(after time.Duration) {
		t.Helper()
		if err := state.Trim(w.path, start.Add(after), keep, 0); err != nil {
			t.Fatal(err)
		}
	}
	count := func() int {
		t.Helper()
		runs, err := state.Runs(w.path, 0)
		if err != nil {
			t.Fatal(err)
		}
		wantClean(t, w.path)
		return len(runs)
	}
	if trim(keep + time.Hour); count() != 5 {
		t.Errorf("got %d runs, want 5: an hour too old is not worth the writing", count())
	}
	if trim(keep + 3*time.Hour); count() != 2 {
		t.Errorf("got %d runs, want 2: the newest commit, and the unfinished one", count())
	}
	if _, err := state.NewReader(w.path, pipeline).RunAt(start); err == nil || !strings.Contains(err.Error(), "goes back to the state after run 2") {
		t.Errorf("got %v, want to be told where memory ends", err)
	}
	if err := state.Trim(filepath.Join(t.TempDir(), "none.db"), start, keep, 1); err != nil {
		t.Errorf("no file: %v", err)
	}
}

// One byte of what is left of forgotten commits is one too many.
func TestTrim_Altered(t *testing.T) {
	w := lived(t, 10, rand.New(rand.NewPCG(7, 8)))
	if err := state.Trim(w.path, start, 0, 2); err != nil {
		t.Fatal(err)
	}
	named := 0
	for _, where := range []string{"kept", "layouts", ""} {
		db, err := bbolt.Open(w.path, 0o600, nil)
		if err != nil {
			t.Fatal(err)
		}
		var keys [][]byte
		bucket := func(tx *bbolt.Tx) *bbolt.Bucket {
			b := tx.Bucket([]byte("pipelines")).Bucket([]byte(pipeline))
			if where != "" {
				b = b.Bucket([]byte(where))
			}
			return b
		}
		_ = db.View(func(tx *bbolt.Tx) error {
			return bucket(tx).ForEach(func(k, v []byte) error {
				if v != nil && (where != "" || string(k) == "trimmed") {
					keys = append(keys, slices.Clone(k))
				}
				return nil
			})
		})
		if err := db.Close(); err != nil || len(keys) == 0 {
			t.Fatalf("%s: %d values, %v", where, len(keys), err)
		}
		for _, k := range keys {
			c := w.copied(t)
			db, err := bbolt.Open(c.path, 0o600, nil)
			if err != nil {
				t.Fatal(err)
			}
			err = db.Update(func(tx *bbolt.Tx) error {
				v := slices.Clone(bucket(tx).Get(k))
				v[len(v)-1] ^= 1
				return bucket(tx).Put(k, v)
			})
			if err := errors.Join(err, db.Close()); err != nil {
				t.Fatal(err)
			}
			v, err := state.Check(c.path)
			if err != nil || len(v.Problems) == 0 {
				t.Errorf("%s %x: got %+v, %v, want a problem", where, k, v, err)
			} else if v.FirstRun() > 0 {
				named++
			}
		}
	}
	if named == 0 {
		t.Error("no problem names its run")
	}
}

// The record of a pipeline's newest commit stays, however many runs of others
// came after it.
func TestTrim_OtherPipeline(t *testing.T) {
	w := inTemp(t)
	j := state.NewJournal(w.path, "orders", w.newID, func() time.Time { return start })
	head, err := j.Open()
	if err != nil {
		t.Fatal(err)
	}
	set := diff.NewChangeSet([]string{"id"})
	set.Add(diff.Change{Op: diff.Insert, Key: key(1), After: diff.Row{diff.IntValue(1)}}, 1)
	run := w.newRun(diff.Pending)
	run.Pipeline = "orders"
	in := &diff.Intent{
		Run: 1, RunID: run.RunID, Kind: "sync", From: diff.Checkpoint{Head: head}, Instance: head.Instance,
		Digest: set.Digest(head.Digest), CommittedAt: start, Changes: 1,
	}
	if err := errors.Join(j.Stage(in, &diff.Plan{Pipeline: "orders", Base: head, Changes: set}, run), j.Finalise(in, start)); err != nil {
		t.Fatal(err)
	}
	w.runs = append(w.runs, *run)
	for n := range 5 {
		w.commit(t, []change{{key(1), row(1, fmt.Sprint(n)), 1}}, nil)
	}
	if err := state.Trim(w.path, start, 0, 2); err != nil {
		t.Fatal(err)
	}
	wantClean(t, w.path)
	runs, err := state.Runs(w.path, 0)
	if err != nil || len(runs) != 3 || runs[2].Pipeline != "orders" || runs[1].Run != 5 {
		t.Errorf("got %+v, %v, want runs 6, 5 and 1", runs, err)
	}
}

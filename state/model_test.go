package state_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"jstsync/diff"
)

// Whatever is committed, recorded or dropped in whatever order: after each run
// the file says what the model says.
func TestJournal_Model(t *testing.T) {
	t.Parallel()
	dir, checks := t.TempDir(), 0
	rapid.Check(t, func(t *rapid.T) {
		checks++
		w := newWorld(filepath.Join(dir, fmt.Sprint(checks, ".db")))
		w.journal.SetChunk(rapid.SampledFrom([]int{1, 2, 5, 20_000}).Draw(t, "chunk"))
		for range rapid.IntRange(1, 4).Draw(t, "runs") {
			w.columns = rapid.SampledFrom([][]string{
				{"id", "name"}, {"id", "name"}, {"name", "id"}, {"id", "name", "note"}, {"id", "note"},
			}).Draw(t, "columns")
			w.step(t)
			w.check(t)
		}
		_ = os.Remove(w.path)
	})
}

// step makes one run of a random kind.
func (w *world) step(t *rapid.T) {
	kind := rapid.SampledFrom([]string{"commit", "commit", "commit", "abort", "unchanged", "held"}).Draw(t, "kind")
	changes, rehashed := w.draw(t)
	switch kind {
	case "commit":
		w.commit(t, changes, rehashed)
	case "abort":
		in, _, run := w.stage(t, changes, rehashed)
		if err := w.journal.Abort(in, diff.Aborted, start, "it was not committed"); err != nil {
			t.Fatalf("Abort: %v", err)
		}
		run.Status, run.Error = diff.Aborted, "it was not committed"
		w.runs = append(w.runs, *run)
	default:
		run := w.newRun(diff.Status(kind))
		if kind == "held" {
			rehashed = nil
		} else {
			w.fingerprint = run.Fingerprint
			w.rehash(rehashed)
		}
		if err := w.journal.Record(run, rehashed); err != nil {
			t.Fatalf("Record: %v", err)
		}
		w.runs = append(w.runs, *run)
		w.head.Instance = w.snapshot(t).Head.Instance // made with the first record
	}
}

// draw returns changes that change something, and rehashes of other keys.
func (w *world) draw(t *rapid.T) (changes []change, rehashed []diff.Rehash) {
	source := rapid.Map(rapid.Uint64(), func(n uint64) diff.SourceHash { return diff.SourceHash(max(n, 1)) })
	value := rapid.SampledFrom([]diff.Value{{}, diff.TextValue(""), diff.TextValue("店铺\x00'"), diff.IntValue(-1), diff.TextValue("b")})
	for n := range int64(12) {
		k := key(n - 6)
		old, stored := w.records[k]
		switch what := rapid.IntRange(0, 5).Draw(t, fmt.Sprint("key ", n)); {
		case what == 0 && stored:
			changes = append(changes, change{key: k})
		case what == 1 && stored:
			rehashed = append(rehashed, diff.Rehash{Key: k, Source: source.Draw(t, "source")})
		case what <= 3:
			now := fields{"id": diff.IntValue(n), "name": value.Draw(t, "name"), "note": value.Draw(t, "note")}
			_, changed := diff.Compare(k, old.row.shaped(w.columns), now.shaped(w.columns))
			if changed {
				changes = append(changes, change{k, now, source.Draw(t, "source")})
			}
		}
	}
	return changes, rehashed
}

// The same with as many movements as the real limits speak of.
func TestJournal_ManyMovements(t *testing.T) {
	t.Parallel()
	for _, n := range []int{20_000, 20_001, 45_000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			w := inTemp(t)
			w.commit(t, inserts(n), nil)
			w.check(t)

			var changes []change
			var rehashed []diff.Rehash
			for i := range int64(n) {
				switch i % 3 {
				case 0:
					changes = append(changes, change{key: key(i)})
				case 1:
					changes = append(changes, change{key(i), row(i, "second"), diff.SourceHash(i + 7)})
				default:
					rehashed = append(rehashed, diff.Rehash{Key: key(i), Source: diff.SourceHash(i + 9)})
				}
			}
			w.commit(t, changes, rehashed)
			w.check(t)

			changes = nil
			for i := int64(0); i < int64(n); i += 3 {
				changes = append(changes, change{key(i), row(i, "back"), 1})
			}
			w.commit(t, changes, nil) // below the limit, upon a generation
			w.check(t)

			rehashed = nil
			for k := range w.records {
				rehashed = append(rehashed, diff.Rehash{Key: k, Source: 5})
			}
			run := w.newRun(diff.Unchanged)
			sortRehashes(rehashed)
			if err := w.journal.Record(run, rehashed); err != nil {
				t.Fatalf("Record: %v", err)
			}
			w.rehash(rehashed)
			w.runs, w.fingerprint = append(w.runs, *run), run.Fingerprint
			w.check(t)
			if got := w.layout(t); len(got.indexes) != 1 || len(got.changes) != 3 {
				t.Errorf("got indexes %d and changes %d in the file, want one index and changes of three runs", got.indexes, got.changes)
			}
		})
	}
}

package state_test

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"jstsync/diff"
	"jstsync/state"
)

func sortRehashes(all []diff.Rehash) {
	slices.SortFunc(all, func(a, b diff.Rehash) int { return cmp.Compare(a.Key, b.Key) })
}

// layout is what stands in the pipeline's buckets.
type layout struct {
	indexes map[uint64]int // keys of each
	changes []uint64
	commits []uint64
	check   error
}

// layout reads the file with bbolt alone.
func (w *world) layout(t *testing.T) layout {
	t.Helper()
	l := layout{indexes: map[uint64]int{}}
	db, err := bbolt.Open(w.path, 0o600, &bbolt.Options{ReadOnly: true, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	err = db.View(func(tx *bbolt.Tx) error {
		for e := range tx.Check() {
			l.check = e
		}
		p := tx.Bucket([]byte("pipelines")).Bucket([]byte(pipeline))
		_ = p.Bucket([]byte("index")).ForEachBucket(func(k []byte) error {
			n := 0
			_ = p.Bucket([]byte("index")).Bucket(k).ForEach(func(_, _ []byte) error { n++; return nil })
			l.indexes[binary.BigEndian.Uint64(k)] = n
			return nil
		})
		_ = p.Bucket([]byte("commits")).ForEach(func(k, _ []byte) error {
			l.commits = append(l.commits, binary.BigEndian.Uint64(k))
			return nil
		})
		return p.Bucket([]byte("changes")).ForEachBucket(func(k []byte) error {
			l.changes = append(l.changes, binary.BigEndian.Uint64(k))
			return nil
		})
	})
	if err != nil || l.check != nil {
		t.Fatalf("read the file: %v, check: %v", err, l.check)
	}
	return l
}

// threeRuns is a world with three commits, the last upon a generation.
func threeRuns(t *testing.T) *world {
	t.Helper()
	w := inTemp(t)
	w.journal.SetChunk(10)
	w.commit(t, inserts(35), nil)
	w.commit(t, []change{{key: key(3)}, {key(4), row(4, "new"), 44}}, []diff.Rehash{{Key: key(5), Source: 55}})
	w.commit(t, inserts(4)[3:], nil)
	w.check(t)
	return w
}

// manyMoves are movements that need a generation at a chunk of 10.
func manyMoves(w *world) (changes []change, rehashed []diff.Rehash) {
	for i, k := range w.keys() {
		switch i % 4 {
		case 0:
			changes = append(changes, change{key: k})
		case 1:
			changes = append(changes, change{k, row(int64(i), "third"), 3})
		default:
			rehashed = append(rehashed, diff.Rehash{Key: k, Source: 33})
		}
	}
	for n := range int64(6) {
		changes = append(changes, change{key(100 + n), row(n, "late"), 4})
	}
	return changes, rehashed
}

// A crash between any two transactions of a staging leaves the old snapshot
// and no intent, or the intent; and either way the next start gets on.
func TestJournal_Stage_CrashBetween(t *testing.T) {
	for _, chunk := range []int{10, 1000} {
		w := threeRuns(t)
		w.journal.SetChunk(chunk)
		changes, rehashed := manyMoves(w)
		in, plan, run := w.prepare(t, changes, rehashed)
		pauses := 0
		err := w.journal.StageBySteps(in, plan, run, func() {
			pauses++
			if w.snapshot(t).Intent == nil {
				w.copied(t).check(t)
				w.copied(t).crashed(t, changes, rehashed)
				return
			}
			w.copied(t).staged(t, in, run, changes, rehashed)
		})
		if err != nil {
			t.Fatalf("stage: %v", err)
		}
		if chunk == 10 && pauses < 8 || chunk == 1000 && pauses != 1 {
			t.Errorf("chunk %d: staging took %d transactions", chunk, pauses)
		}
	}
}

// crashed goes on where a staging broke off.
func (w *world) crashed(t *testing.T, changes []change, rehashed []diff.Rehash) {
	t.Helper()
	w.journal.SetChunk(10)
	if _, err := w.journal.Open(); err != nil {
		t.Fatalf("Open: %v", err)
	}
	w.check(t)
	got := w.layout(t)
	if len(got.indexes) != 1 || !slices.Equal(got.changes, got.commits) {
		t.Fatalf("after Open: got indexes %v, changes %v, commits %v; want one index and no uncommitted changes", got.indexes, got.changes, got.commits)
	}
	w.commit(t, changes, rehashed)
	w.check(t)
}

// staged decides an intent both ways.
func (w *world) staged(t *testing.T, in *diff.Intent, run *diff.Run, changes []change, rehashed []diff.Rehash) {
	t.Helper()
	s := w.snapshot(t)
	if s.Intent == nil || !reflect.DeepEqual(s.Intent, in) || s.Head != w.head || s.NextRun != in.Run+1 {
		t.Fatalf("Snapshot: got intent %+v, head %+v, want %+v, %+v", s.Intent, s.Head, in, w.head)
	}
	w.checkIndex(t, s.Index)
	w.checkImages(t)
	if _, err := w.journal.Open(); err == nil || !strings.Contains(err.Error(), "unfinished") {
		t.Fatalf("Open: got %v, want an error: unfinished", err)
	}
	if err := w.journal.Record(w.newRun(diff.Unchanged), nil); err == nil {
		t.Fatalf("Record beside an intent: got no error")
	}

	dropped := w.copied(t)
	if err := dropped.journal.Abort(in, diff.Aborted, start, "why"); err != nil {
		t.Fatalf("Abort: %v", err)
	}
	gone := *run
	gone.Status, gone.Error = diff.Aborted, "why"
	dropped.runs = append(dropped.runs, gone)
	dropped.check(t)
	if got, want := dropped.layout(t), w.layout(t).commits; !slices.Equal(got.changes, want) || len(got.indexes) != 1 {
		t.Fatalf("after Abort: got changes %v, indexes %v, want changes %v and one index", got.changes, got.indexes, want)
	}
	dropped.commit(t, changes, rehashed)
	dropped.check(t)

	unswept := w.copied(t)
	if err := unswept.journal.FinaliseUnswept(in, start.Add(time.Hour)); err != nil {
		t.Fatalf("finalise: %v", err)
	}
	unswept.committed(in, run, changes, rehashed)
	unswept.check(t)
	if _, err := unswept.journal.Open(); err != nil || len(unswept.layout(t).indexes) != 1 {
		t.Fatalf("Open: %v, indexes %v, want one", err, unswept.layout(t).indexes)
	}
	unswept.check(t)

	if err := w.journal.Finalise(in, start.Add(time.Hour)); err != nil {
		t.Fatalf("Finalise: %v", err)
	}
	w.committed(in, run, changes, rehashed)
	w.check(t)
}

// However the movements lie in the key order, no transaction of a staging
// copies more than a bounded number of index entries.
func TestJournal_Stage_BoundedTransactions(t *testing.T) {
	const chunk = 10
	for name, at := range map[string]int64{"before all": -1000, "amid": 500, "after all": 5000} {
		w := inTemp(t)
		w.commit(t, inserts(1000), nil)
		w.journal.SetChunk(chunk)
		var changes []change
		for n := range int64(chunk + 1) {
			changes = append(changes, change{key(at + n), row(n, "more"), 1})
		}
		in, plan, run := w.prepare(t, changes, nil)
		before, most := 0, 0
		err := w.journal.StageBySteps(in, plan, run, func() {
			now := w.layout(t).indexes[in.Run]
			before, most = now, max(most, now-before)
		})
		if err != nil {
			t.Fatalf("%s: stage: %v", name, err)
		}
		if most > 2*chunk {
			t.Errorf("%s: one transaction wrote %d index entries, want at most %d", name, most, 2*chunk)
		}
		if err := w.journal.Finalise(in, start.Add(time.Hour)); err != nil {
			t.Fatalf("%s: Finalise: %v", name, err)
		}
		w.committed(in, run, changes, nil)
		w.check(t)
	}
}

func TestJournal_Stage_RehashOfNothing(t *testing.T) {
	for _, chunk := range []int{1, 100} {
		w := threeRuns(t)
		w.journal.SetChunk(chunk)
		in, plan, run := w.prepare(t, inserts(60)[50:], []diff.Rehash{{Key: key(777), Source: 1}})
		if err := w.journal.Stage(in, plan, run); err == nil {
			t.Errorf("chunk %d: staging the hash of a key without a row: got no error", chunk)
		}
		w.check(t)
		if err := w.journal.Record(w.newRun(diff.Unchanged), []diff.Rehash{{Key: key(777), Source: 1}, {Key: key(778), Source: 1}}); err == nil {
			t.Errorf("chunk %d: recording the hash of a key without a row: got no error", chunk)
		}
		w.check(t)
	}
}

func TestJournal_Finalise_Refuses(t *testing.T) {
	w := threeRuns(t)
	if err := w.journal.Finalise(&diff.Intent{Run: 3}, start); err == nil {
		t.Error("without an intent: got no error")
	}
	w.check(t)

	in, _, _ := w.stage(t, inserts(60)[50:], nil)
	before := w.snapshot(t)
	other := *in
	other.RunID[3]++
	wrong := *in
	wrong.Digest[5]++
	for name, asked := range map[string]*diff.Intent{"another run": &other, "another digest": &wrong} {
		if err := w.journal.Finalise(asked, start); err == nil {
			t.Errorf("%s: Finalise: got no error", name)
		}
		if err := w.journal.Abort(&other, diff.Aborted, start, "why"); err == nil {
			t.Errorf("%s: Abort: got no error", name)
		}
		if got := w.snapshot(t); got.Head != before.Head || !reflect.DeepEqual(got.Intent, in) {
			t.Errorf("%s: got head %+v, intent %+v, want those from before", name, got.Head, got.Intent)
		}
	}
	if err := w.journal.Finalise(in, start); err != nil {
		t.Fatalf("Finalise: %v", err)
	}
	if err := w.journal.Finalise(in, start); err == nil {
		t.Error("a second time: got no error")
	}
}

// A byte that flips on the disk between staging and finalising is noticed.
func TestJournal_Finalise_Damage(t *testing.T) {
	w := threeRuns(t)
	changes := []change{{key(200), row(200, "MARKED-VALUE"), 1}}
	in, _, _ := w.stage(t, changes, nil)
	all, err := os.ReadFile(w.path)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(all, []byte("MARKED-VALUE")); n != 1 {
		t.Fatalf("the value stands %d times in the file, want once", n)
	}
	all[bytes.Index(all, []byte("MARKED-VALUE"))] ^= 1
	if err := os.WriteFile(w.path, all, 0o600); err != nil {
		t.Fatal(err)
	}
	err = w.journal.Finalise(in, start)
	wantState(t, err, "digest")
	if s := w.snapshot(t); s.Intent == nil || s.Head != w.head {
		t.Error("Finalise of damaged changes moved the head or dropped the intent")
	}
}

func TestJournal_ColumnChanges(t *testing.T) {
	w := inTemp(t)
	w.columns = []string{"id", "name", "note"}
	full := fields{"id": diff.IntValue(1), "name": diff.TextValue("n"), "note": diff.TextValue("m")}
	w.commit(t, []change{{key(1), full, 1}}, nil)
	r := state.NewReader(w.path, pipeline)
	for _, test := range []struct {
		columns []string
		want    diff.Row
	}{
		{[]string{"id", "name", "note"}, diff.Row{full["id"], full["name"], full["note"]}},
		{[]string{"note", "id", "name"}, diff.Row{full["note"], full["id"], full["name"]}},
		{[]string{"id", "note"}, diff.Row{full["id"], full["note"]}},
		{[]string{"id", "added", "name", "note"}, diff.Row{full["id"], {}, full["name"], full["note"]}},
		{[]string{"added"}, diff.Row{{}}},
		{nil, diff.Row{}},
	} {
		got, err := r.Images([]diff.Key{key(1), key(2)}, test.columns)
		if err != nil || !slices.Equal(got[key(1)], test.want) || len(got) != 1 {
			t.Errorf("Images as %q: got %q, %v, want %q", test.columns, got, err, test.want)
		}
	}
}

// Two pipelines share a file and its run numbers, and nothing else.
func TestJournal_TwoPipelines(t *testing.T) {
	w := threeRuns(t)
	other := newWorld(w.path)
	j := state.NewJournal(w.path, "orders", func() diff.ID { return diff.ID{1} }, func() time.Time { return start })
	head, err := j.Open()
	if err != nil || !head.IsEmpty() || head.Instance != (diff.ID{1}) {
		t.Fatalf("Open: got %+v, %v, want an empty head of its own instance", head, err)
	}
	s, err := j.Snapshot()
	if err != nil || s.Index.Rows() != 0 || s.NextRun != 4 {
		t.Fatalf("Snapshot: got %+v, %v, want no rows and run 4 next", s, err)
	}
	run := other.newRun(diff.Held)
	run.Run, run.Pipeline = 4, "orders"
	if err := j.Record(run, nil); err != nil {
		t.Fatalf("Record: %v", err)
	}
	w.runs = append(w.runs, *run)
	w.check(t)
	newest, err := state.Runs(w.path, 2)
	if err != nil || len(newest) != 2 || newest[0].Run != 4 || newest[1].Run != 3 {
		t.Errorf("Runs, the newest two: got %+v, %v", newest, err)
	}
}

// Every file of a random change to one byte either reads or is refused.
func TestReader_DamagedBytes(t *testing.T) {
	w := threeRuns(t)
	all, err := os.ReadFile(w.path)
	if err != nil {
		t.Fatal(err)
	}
	copied := w.copied(t)
	keys := slices.Collect(maps.Keys(w.records))
	for at := 0; at < len(all); at += 37 {
		if all[at] == 0 && at%5 != 0 {
			continue // mostly unused space
		}
		bad := bytes.Clone(all)
		bad[at] ^= 0x41
		if err := os.WriteFile(copied.path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		r := state.NewReader(copied.path, pipeline)
		if _, err := r.Snapshot(); err != nil {
			wantState(t, err)
		}
		if _, err := r.Images(keys, w.columns); err != nil {
			wantState(t, err)
		}
	}
}

package state_test

import (
	"cmp"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"jstsync/diff"
	"jstsync/state"
)

const pipeline = "shops"

var start = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

// tester is what a check needs: a *testing.T or a *rapid.T.
type tester interface {
	Helper()
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

// fields is a row by the names of its columns.
type fields map[string]diff.Value

// record is what the model knows of a key.
type record struct {
	row    fields
	source diff.SourceHash
}

// world is a state file and the model of what it must hold.
type world struct {
	path    string
	journal *state.Journal
	columns []string

	head        diff.Head
	records     map[diff.Key]record
	runs        []diff.Run // newest last
	fingerprint string
	ids         byte
	at          func(run uint64) time.Time // of commits; nil is a minute apart
}

func newWorld(path string) *world {
	w := &world{path: path, columns: []string{"id", "name"}, records: map[diff.Key]record{}}
	w.journal = state.NewJournal(path, pipeline, w.newID, func() time.Time { return start })
	return w
}

func inTemp(t *testing.T) *world {
	t.Helper()
	return newWorld(filepath.Join(t.TempDir(), "jstsync.db"))
}

func (w *world) newID() (id diff.ID) {
	w.ids++
	return diff.ID{0: 0xee, 15: w.ids}
}

func key(n int64) diff.Key {
	k, err := diff.NewKey(diff.IntValue(n))
	if err != nil {
		panic(err)
	}
	return k
}

// change is one change to make; a nil row deletes.
type change struct {
	key    diff.Key
	row    fields
	source diff.SourceHash
}

func (f fields) shaped(columns []string) diff.Row {
	if f == nil {
		return nil
	}
	row := make(diff.Row, len(columns))
	for i, c := range columns {
		row[i] = f[c]
	}
	return row
}

// only returns the fields that the columns can hold.
func (f fields) only(columns []string) fields {
	kept := fields{}
	for _, c := range columns {
		if v, ok := f[c]; ok && !v.IsNull() {
			kept[c] = v
		}
	}
	return kept
}

// prepare opens the journal and returns what [state.Journal.Stage] takes for
// the changes and rehashes.
func (w *world) prepare(t tester, changes []change, rehashed []diff.Rehash) (*diff.Intent, *diff.Plan, *diff.Run) {
	t.Helper()
	head, err := w.journal.Open()
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	if w.head.IsEmpty() {
		w.head.Instance = head.Instance
	}
	if head != w.head {
		t.Fatalf("Open: got head %+v, want %+v", head, w.head)
	}
	set := diff.NewChangeSet(w.columns)
	for _, c := range changes {
		var before diff.Row
		if old, ok := w.records[c.key]; ok {
			before = old.row.shaped(w.columns)
		}
		if d, ok := diff.Compare(c.key, before, c.row.shaped(w.columns)); ok {
			set.Add(d, c.source)
		}
	}
	slices.SortFunc(rehashed, func(a, b diff.Rehash) int { return cmp.Compare(a.Key, b.Key) })
	run := w.newRun(diff.Pending)
	plan := &diff.Plan{Pipeline: pipeline, Base: head, Changes: set, Rehashed: rehashed, Fingerprint: run.Fingerprint}
	in := &diff.Intent{
		Run: run.Run, RunID: run.RunID, Kind: "sync",
		From:     diff.Checkpoint{Head: head, Epoch: 7, Target: "jst_shops"},
		Instance: head.Instance, Digest: set.Digest(head.Digest),
		CommittedAt: start.Add(time.Duration(run.Run) * time.Minute), Changes: set.Len(),
	}
	if w.at != nil {
		in.CommittedAt = w.at(run.Run)
	}
	return in, plan, run
}

func (w *world) newRun(status diff.Status) *diff.Run {
	n := uint64(1)
	if len(w.runs) > 0 {
		n = w.runs[len(w.runs)-1].Run + 1
	}
	return &diff.Run{
		Run: n, Pipeline: pipeline, RunID: w.newID(), Trigger: "sync", Started: start, Ended: start,
		Status: status, Fingerprint: "fp" + string(rune('0'+n%3)),
	}
}

// stage stages the changes.
func (w *world) stage(t tester, changes []change, rehashed []diff.Rehash) (*diff.Intent, *diff.Plan, *diff.Run) {
	t.Helper()
	in, plan, run := w.prepare(t, changes, rehashed)
	if err := w.journal.Stage(in, plan, run); err != nil {
		t.Fatalf("Stage: %v", err)
	}
	return in, plan, run
}

// commit stages and finalises the changes, in the file and in the model.
func (w *world) commit(t tester, changes []change, rehashed []diff.Rehash) *diff.Intent {
	t.Helper()
	in, _, run := w.stage(t, changes, rehashed)
	if err := w.journal.Finalise(in, start.Add(time.Hour)); err != nil {
		t.Fatalf("Finalise: %v", err)
	}
	w.committed(in, run, changes, rehashed)
	return in
}

// committed moves the model past a commit.
func (w *world) committed(in *diff.Intent, run *diff.Run, changes []change, rehashed []diff.Rehash) {
	for _, c := range changes {
		if c.row == nil {
			delete(w.records, c.key)
			continue
		}
		w.records[c.key] = record{c.row.only(w.columns), c.source}
	}
	w.rehash(rehashed)
	done := *run
	done.Status, done.CommittedAt, done.Ended = diff.Committed, in.CommittedAt, start.Add(time.Hour)
	w.runs = append(w.runs, done)
	w.head, w.fingerprint = in.To(), run.Fingerprint
}

func (w *world) rehash(rehashed []diff.Rehash) {
	for _, r := range rehashed {
		w.records[r.Key] = record{w.records[r.Key].row, r.Source}
	}
}

// copied returns a copy of the world whose file is a copy, as a crash at this
// moment would leave it.
func (w *world) copied(t *testing.T) *world {
	t.Helper()
	all, err := os.ReadFile(w.path)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "copy.db")
	if err := os.WriteFile(path, all, 0o600); err != nil {
		t.Fatal(err)
	}
	c := newWorld(path)
	c.columns, c.head, c.fingerprint, c.ids = w.columns, w.head, w.fingerprint, w.ids
	c.records, c.runs = maps.Clone(w.records), slices.Clone(w.runs)
	return c
}

func (w *world) keys() []diff.Key { return slices.Sorted(maps.Keys(w.records)) }

func (w *world) snapshot(t tester) *diff.Snapshot {
	t.Helper()
	s, err := state.NewReader(w.path, pipeline).Snapshot()
	if err != nil {
		t.Fatalf("Snapshot: %v", err)
	}
	return s
}

// check compares everything a reader can see with the model.
func (w *world) check(t tester) {
	t.Helper()
	s := w.snapshot(t)
	next := uint64(1)
	if len(w.runs) > 0 {
		next = w.runs[len(w.runs)-1].Run + 1
	}
	if s.Head != w.head || s.Fingerprint != w.fingerprint || s.NextRun != next || s.Intent != nil || !s.Exists {
		t.Fatalf("Snapshot: got head %+v, fingerprint %q, next run %d, intent %+v, exists %t; want %+v, %q, %d, none",
			s.Head, s.Fingerprint, s.NextRun, s.Intent, s.Exists, w.head, w.fingerprint, next)
	}
	w.checkMissing(t)
	w.checkIndex(t, s.Index)
	w.checkImages(t)
	runs, err := state.Runs(w.path, 0)
	if err != nil {
		t.Fatalf("Runs: %v", err)
	}
	slices.Reverse(runs)
	if !slices.EqualFunc(runs, w.runs, func(a, b diff.Run) bool { return reflect.DeepEqual(a, b) }) {
		t.Fatalf("Runs:\ngot  %+v\nwant %+v", runs, w.runs)
	}
}

func (w *world) checkIndex(t tester, index *diff.Index) {
	t.Helper()
	if index.Rows() != len(w.records) {
		t.Fatalf("Snapshot: got %d rows, want %d", index.Rows(), len(w.records))
	}
	for k, r := range w.records {
		if got := index.Observe(k, r.source); got != diff.Same {
			t.Fatalf("key %s with its source hash: got sighting %d, want %d", k, got, diff.Same)
		}
	}
}

// checkMissing observes every other key and wants the rest, in order.
func (w *world) checkMissing(t tester) {
	t.Helper()
	index := w.snapshot(t).Index
	var want []diff.Key
	for i, k := range w.keys() {
		if i%2 == 0 {
			index.Observe(k, 0)
		} else {
			want = append(want, k)
		}
	}
	got, _, err := state.NewReader(w.path, pipeline).Missing(index)
	if err != nil {
		t.Fatalf("Missing: %v", err)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("Missing: got %d keys, want %d\n%v\n%v", len(got), len(want), got, want)
	}
}

func (w *world) checkImages(t tester) {
	t.Helper()
	absent := key(-1 << 62)
	got, err := state.NewReader(w.path, pipeline).Images(append(w.keys(), absent), w.columns)
	if err != nil {
		t.Fatalf("Images: %v", err)
	}
	if len(got) != len(w.records) {
		t.Fatalf("Images: got %d rows, want %d", len(got), len(w.records))
	}
	for k, r := range w.records {
		if want := r.row.shaped(w.columns); !slices.Equal(got[k], want) {
			t.Fatalf("Images: key %s: got %q, want %q", k, got[k], want)
		}
	}
}

// asState returns the error as one of the state file, with a remedy, which
// each must be.
func asState(t *testing.T, err error) *diff.Error {
	t.Helper()
	e, ok := errors.AsType[*diff.Error](err)
	if !ok || e.Code != diff.CodeState || e.Remedy == "" {
		t.Fatalf("got error %v (%T), want one of code state with a remedy", err, err)
	}
	return e
}

// wantState asserts that the error is one of the state file, and texts that it
// or the remedy holds.
func wantState(t *testing.T, err error, texts ...string) {
	t.Helper()
	e := asState(t, err)
	for _, text := range texts {
		if !strings.Contains(e.Error()+"\n"+e.Remedy, text) {
			t.Errorf("got %q (remedy %q), want %q in it", e.Error(), e.Remedy, text)
		}
	}
}

func row(n int64, name string) fields {
	return fields{"id": diff.IntValue(n), "name": diff.TextValue(name)}
}

// inserts returns n changes that insert rows.
func inserts(n int) []change {
	all := make([]change, n)
	for i := range all {
		all[i] = change{key(int64(i)), row(int64(i), "first"), diff.SourceHash(i + 1)}
	}
	return all
}

package state_test

import (
	"reflect"
	"testing"

	"jstsync/diff"
)

func TestReader_CommitsAndChanged(t *testing.T) {
	w := inTemp(t)
	changed := func(after uint64) (keys []diff.Key) {
		t.Helper()
		if err := w.journal.Changed(after, func(k diff.Key) { keys = append(keys, k) }); err != nil {
			t.Fatal(err)
		}
		return keys
	}
	commits := func(after uint64) []diff.Head {
		t.Helper()
		list, err := w.journal.Commits(after)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	if got := commits(0); got != nil || changed(0) != nil {
		t.Errorf("no file: got %v and %v, want nothing", got, changed(0))
	}
	name := func(s string) fields { return fields{"name": diff.TextValue(s)} }
	var want []diff.Head
	for _, changes := range [][]change{
		{{key(1), name("a"), 1}, {key(2), name("b"), 2}},
		{{key(2), nil, 0}, {key(3), name("c"), 3}},
		{{key(1), name("d"), 4}},
	} {
		w.commit(t, changes, nil)
		want = append(want, diff.Head{Seq: w.head.Seq, RunID: w.head.RunID, Digest: w.head.Digest})
	}
	// staged, and not committed
	in, plan, run := w.prepare(t, []change{{key(9), name("e"), 5}}, nil)
	if err := w.journal.Stage(in, plan, run); err != nil {
		t.Fatal(err)
	}
	for after, n := range map[uint64]int{0: 0, want[0].Seq: 1, want[1].Seq: 2, want[2].Seq: 3} {
		if got := commits(after); len(got) != len(want[n:]) || n < 3 && !reflect.DeepEqual(got, want[n:]) {
			t.Errorf("after run %d: got %v, want %v", after, got, want[n:])
		}
	}
	if got, want := changed(want[0].Seq), []diff.Key{key(2), key(3), key(1)}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

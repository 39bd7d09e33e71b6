package load_test

import (
	"fmt"
	"sync"
	"testing"

	"jstsync/diff"
	"jstsync/load"
)

// pair is two pipelines of one shared table.
func pair(t *testing.T) (b *bench, other *load.Target, otherHead diff.Head) {
	t.Helper()
	b = onShared(t, shops())
	b.target = b.openWith(t, pipeline, load.Shared(true))
	return b, b.openWith(t, "others", load.Shared(true)), diff.Head{Instance: diff.ID{0xbb}}
}

func TestSession_Shared(t *testing.T) {
	b, other, head := pair(t)
	b.run(t, b.insertsOf(t, shop(1, "ours"), shop(2, "ours")))
	if cp := b.checkpoint(t); cp.Target != "jst_shops#shops" {
		t.Errorf("got target %q, want jst_shops#shops", cp.Target)
	}
	s := connect(t, other)
	cp, err := s.Begin(t.Context(), head)
	if err != nil || cp.Target != "jst_shops#others" {
		t.Fatalf("Begin: %+v, %v", cp, err)
	}
	set := b.insertsOf(t, shop(3, "theirs"))
	in := &diff.Intent{Run: 5, RunID: newID(), Kind: diff.KindSync, From: cp, Instance: head.Instance, Digest: set.Digest(diff.Digest{})}
	if err := s.Commit(t.Context(), in, set, durable); err != nil {
		t.Fatalf("a first run into a table that holds another's rows: %v", err)
	}
	b.fails(t, b.insertsOf(t, shop(3, "ours"), shop(4, "ours")), diff.CodeDiverged,
		"pipeline shops would insert a row", "'3'", "that table jst_shops already holds", "shares with pipeline others", "from one pipeline only")
	b.run(t, b.deletesOf(t, shop(1, "ours"), shop(2, "ours"))) // emptied: the other's rows are untouched
	if got := b.read(t); len(got) != 1 || got[b.key(t, shop(3, ""))][1] != diff.TextValue("theirs") {
		t.Errorf("got %q, want the other's row alone", got)
	}
	mustExec(t, b.db, "DELETE FROM jstsync_checkpoint WHERE pipeline = 'others'")
	b.fails(t, b.insertsOf(t, shop(3, "ours")), diff.CodeDiverged, "which no other pipeline has claimed")
}

// A table is shared by all its pipelines or by none.
func TestSession_Shared_OtherForm(t *testing.T) {
	b, other, head := pair(t)
	alone := b.openWith(t, "alone")
	b.begin(t)
	_, err := connect(t, alone).Begin(t.Context(), head)
	wantError(t, err, diff.CodeDiverged, "table jst_shops belongs to pipeline shops; alone cannot write it too", "shared: true")
	mustExec(t, b.db, "DELETE FROM jstsync_checkpoint")
	if _, err := connect(t, alone).Begin(t.Context(), head); err != nil {
		t.Fatal(err)
	}
	_, err = connect(t, other).Begin(t.Context(), head)
	wantError(t, err, diff.CodeDiverged, "table jst_shops belongs to pipeline alone", "not all of them say shared: true")

	// the configuration of one pipeline changes its mind
	_, err = connect(t, b.openWith(t, "alone", load.Shared(true))).Begin(t.Context(), head)
	wantError(t, err, diff.CodeDiverged, `table jst_shops is not shared ("jst_shops")`, "says that it is shared", "state rebuild")
	mustExec(t, b.db, "UPDATE jstsync_checkpoint SET target = 'jst_shops#alone'")
	_, err = connect(t, alone).Begin(t.Context(), head)
	wantError(t, err, diff.CodeDiverged, "table jst_shops is shared", "says that it is not shared")

	// another table whose name only looks like it
	mustExec(t, b.db, "UPDATE jstsync_checkpoint SET target = 'jst_shops#x'")
	if _, err := connect(t, b.openWith(t, "fourth")).Begin(t.Context(), diff.Head{Instance: diff.ID{4}}); err != nil {
		t.Errorf("beside table jst_shops#x: %v", err)
	}
}

// However claims of both forms race, those that stand are of one form.
func TestSession_Shared_ClaimRace(t *testing.T) {
	b := onShared(t, shops())
	b.begin(t)
	for range 6 {
		mustExec(t, b.db, "DELETE FROM jstsync_checkpoint")
		var wait sync.WaitGroup
		errs := make([]error, 6)
		for i := range errs {
			s := connect(t, b.openWith(t, fmt.Sprint("p", i), load.Shared(i%3 > 0)))
			wait.Go(func() { _, errs[i] = s.Begin(t.Context(), diff.Head{Instance: diff.ID{byte(i + 1)}}) })
		}
		wait.Wait()
		var alone, shared int
		if err := b.db.QueryRow("SELECT SUM(target = 'jst_shops'), SUM(target LIKE 'jst_shops#%') FROM jstsync_checkpoint").Scan(&alone, &shared); err != nil {
			t.Fatal(err)
		}
		if alone+shared == 0 || alone > 1 || alone == 1 && shared > 0 {
			t.Errorf("got %d claims alone and %d shared", alone, shared)
		}
		ok := 0
		for _, err := range errs {
			if err == nil {
				ok++
			} else {
				wantError(t, err, diff.CodeDiverged)
			}
		}
		if ok != alone+shared {
			t.Errorf("%d were told that they own it, %d do", ok, alone+shared)
		}
	}
}

package state_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"jstsync/diff"
	"jstsync/state"
)

// quietRun is the record of a poll of 1,204 shops that found nothing.
func quietRun(number uint64, at time.Time) *diff.Run {
	run := &diff.Run{
		Run: number, Pipeline: "shops", Trigger: "sync", RunID: diff.ID{1}, Started: at, Ended: at.Add(612_000_000),
		Status: diff.Unchanged, Scan: diff.Complete, Fingerprint: "5f2b8c1d5f2b8c1d5f2b8c1d5f2b8c1d",
		Summary: diff.Summary{Read: 1204, Pages: 13, Calls: 13, Unchanged: 1204},
	}
	for page := range 13 {
		run.Calls = append(run.Calls, diff.Call{
			Path: "/open/shops/query", Params: fmt.Sprintf(`{"page_index":%d,"page_size":100}`, page+1), Page: page + 1, Attempt: 1,
			At: at.Add(time.Duration(page) * 43_000_000), Duration: time.Duration(20_000+(page*7919+int(number)*104729)%9_000) * time.Microsecond,
			Status: 200, Bytes: int64(33_000 + (page*31+int(number))%97),
		})
	}
	run.CallStats = diff.StatsOf(run.Calls)
	return run
}

// A day of polls, one a minute, that find nothing costs less than 200 KB.
func TestJournal_QuietDay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	ids := byte(0)
	journal := state.NewJournal(path, "shops", func() (id diff.ID) { ids++; return diff.ID{ids} }, func() time.Time { return start })
	size := func() int64 {
		t.Helper()
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	record := func(number uint64) {
		if err := journal.Record(quietRun(number, start.Add(time.Duration(number)*time.Minute)), nil); err != nil {
			t.Fatal(err)
		}
	}
	record(1)
	before := size()
	for n := uint64(2); n <= 1441; n++ {
		record(n)
	}
	grown := size() - before
	t.Logf("1,440 quiet runs take %d bytes", grown)
	if grown >= 200_000 {
		t.Errorf("the file grew by %d bytes, want less than 200,000", grown)
	}
	runs, err := state.Runs(path, 0)
	if err != nil || len(runs) != 1441 {
		t.Fatalf("got %d runs, %v, want 1441", len(runs), err)
	}
	want := quietRun(1441, start.Add(1441*time.Minute))
	got, err := state.RunDetail(path, 1441)
	if err != nil {
		t.Fatal(err)
	}
	want.RunID, want.Fingerprint = diff.ID{}, "" // of a run that changed nothing
	if g, w := fmt.Sprintf("%+v", *got), fmt.Sprintf("%+v", *want); g != w {
		t.Errorf("got  %s\nwant %s", g, w)
	}
	if old, err := state.RunDetail(path, 1300); err != nil || old.Calls != nil || old.CallStats.Calls != 13 {
		t.Errorf("an old quiet run: got %d calls, %+v, %v, want its totals alone", len(old.Calls), old.CallStats, err)
	}
}

// A hash that is stored already is not written again: the index stays where it is.
func TestJournal_RehashedAlike(t *testing.T) {
	w := inTemp(t)
	w.commit(t, inserts(500), nil)
	index := func() (root uint64) {
		t.Helper()
		db, err := bbolt.Open(w.path, 0o600, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		err = db.View(func(tx *bbolt.Tx) error {
			all := tx.Bucket([]byte("pipelines")).Bucket([]byte("shops")).Bucket([]byte("index"))
			return all.ForEachBucket(func(name []byte) error {
				root = uint64(all.Bucket(name).Root())
				return nil
			})
		})
		if err != nil || root == 0 {
			t.Fatalf("index at page %d, %v", root, err)
		}
		return root
	}
	rehash := func() {
		t.Helper()
		if err := w.journal.Record(w.newRun(diff.Unchanged), []diff.Rehash{{Key: key(7), Source: diff.NoHash}}); err != nil {
			t.Fatal(err)
		}
	}
	was := index()
	rehash()
	moved := index()
	if rehash(); moved == was || index() != moved {
		t.Errorf("index at pages %d, %d and %d, want it to move once", was, moved, index())
	}
}

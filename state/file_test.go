package state_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"jstsync/diff"
	"jstsync/state"
)

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestJournal_Open_Creates(t *testing.T) {
	w := inTemp(t)
	head, err := w.journal.Open()
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	if !head.IsEmpty() || head.Instance.IsZero() || head.Digest != (diff.Digest{}) {
		t.Errorf("got head %+v, want an empty one with an instance", head)
	}
	info, err := os.Stat(w.path)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("got mode %v, %v, want -rw-------", info.Mode(), err)
	}
	if got := names(t, filepath.Dir(w.path)); len(got) != 1 {
		t.Errorf("got files %q, want the state file alone", got)
	}
	w.head = head
	w.check(t)
	if again, err := w.journal.Open(); again != head || err != nil {
		t.Errorf("opened again: got %+v, %v, want %+v", again, err, head)
	}
}

// A reader of a file that is not there sees an empty one and makes none.
func TestReader_NoFile(t *testing.T) {
	w := inTemp(t)
	s := w.snapshot(t)
	if s.Exists || s.Head != (diff.Head{}) || s.Intent != nil || s.Index.Rows() != 0 || s.NextRun != 1 {
		t.Errorf("Snapshot: got %+v, want an empty one", s)
	}
	r := state.NewReader(w.path, pipeline)
	if rows, err := r.Images([]diff.Key{key(1)}, w.columns); len(rows) != 0 || err != nil {
		t.Errorf("Images: got %v, %v", rows, err)
	}
	if keys, _, err := r.Missing(diff.NewIndex(0)); len(keys) != 0 || err != nil {
		t.Errorf("Missing: got %v, %v", keys, err)
	}
	if runs, err := state.Runs(w.path, 0); len(runs) != 0 || err != nil {
		t.Errorf("Runs: got %v, %v", runs, err)
	}
	if got := names(t, filepath.Dir(w.path)); got != nil {
		t.Errorf("got files %q, want none", got)
	}
}

func TestJournal_Open_NoDirectory(t *testing.T) {
	w := newWorld(filepath.Join(t.TempDir(), "absent", "s.db"))
	_, err := w.journal.Open()
	wantState(t, err, w.path)
	_, err = w.journal.Snapshot() // a mistyped path is no first run
	wantState(t, err, w.path)
	blocked := newWorld(filepath.Join(t.TempDir(), "file", "s.db"))
	if err := os.WriteFile(filepath.Dir(blocked.path), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = blocked.journal.Open()
	wantState(t, err)
	_, err = blocked.journal.Snapshot()
	wantState(t, err)
}

func TestJournal_Open_NoPermission(t *testing.T) {
	dir := t.TempDir()
	ordinary(t, dir)
	w := newWorld(filepath.Join(dir, "s.db"))
	if err := os.Chmod(dir, 0o500); err != nil { //nolint:gosec // a directory needs its x
		t.Fatal(err)
	}
	_, err := w.journal.Open()
	wantState(t, err, "write access")
	if got := names(t, dir); got != nil {
		t.Errorf("got files %q, want none", got)
	}
}

// What is no state file of this format is refused, and left as it was.
func TestOpen_Refuses(t *testing.T) {
	w := threeRuns(t)
	whole, err := os.ReadFile(w.path)
	if err != nil {
		t.Fatal(err)
	}
	bolt := func(change func(*bbolt.Tx) error) []byte {
		path := filepath.Join(t.TempDir(), "b.db")
		if change != nil {
			if err := os.WriteFile(path, whole, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		db, err := bbolt.Open(path, 0o600, nil)
		if err == nil && change != nil {
			err = db.Update(change)
		}
		if err == nil {
			err = db.Close()
		}
		all, err2 := os.ReadFile(path)
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		return all
	}
	put := func(value []byte) func(*bbolt.Tx) error {
		return func(tx *bbolt.Tx) error { return tx.Bucket([]byte("meta")).Put([]byte("format"), value) }
	}
	tests := map[string]struct {
		content      []byte
		text, remedy string
	}{
		"empty":          {nil, "is not a jstsync state file", "name another file"},
		"foreign":        {bytes.Repeat([]byte("SQLite format 3\x00"), 4096), "invalid database", "name another file"},
		"one byte":       {[]byte{1}, "invalid database", "name another file"},
		"bbolt's":        {bolt(nil), "is not a jstsync state file", "name another file"},
		"newer":          {bolt(put([]byte{3})), "has state format 3, this jstsync reads format 2", "use the jstsync version that wrote it"},
		"no version":     {bolt(put(nil)), "is not a jstsync state file", "name another file"},
		"cut in a page":  {whole[:4096*2+100], "open state file", "restore a backup"},
		"cut to 2 pages": {whole[:4096*2], "open state file", "restore a backup"},
		"cut to 1 page":  {whole[:4096], "open state file", ""},
		"cut in half":    {whole[:len(whole)/2], "open state file", "restore a backup"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "s.db")
			if err := os.WriteFile(path, test.content, 0o600); err != nil {
				t.Fatal(err)
			}
			_, readErr := state.NewReader(path, pipeline).Snapshot()
			_, openErr := newWorld(path).journal.Open()
			for _, err := range []error{readErr, openErr} {
				wantState(t, err, test.text, path, test.remedy)
			}
			if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, test.content) {
				t.Errorf("the refused file was changed (%d bytes, now %d)", len(test.content), len(now))
			}
		})
	}
	t.Run("directory", func(t *testing.T) {
		_, err := state.NewReader(t.TempDir(), pipeline).Snapshot()
		wantState(t, err)
	})
}

// A writer waits while another handle is open; one that stays is named as the cause.
func TestOpen_HeldOpen(t *testing.T) {
	t.Parallel()
	w := threeRuns(t)
	held, err := bbolt.Open(w.path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	released := make(chan error, 1)
	go func() {
		time.Sleep(200 * time.Millisecond)
		released <- held.Close()
	}()
	w.check(t) // waits
	if err := <-released; err != nil {
		t.Fatal(err)
	}

	held, err = bbolt.Open(w.path, 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = held.Close() }()
	w.check(t) // readers do not exclude one another
	_, err = w.journal.Open()
	wantState(t, err, "another process keeps the file open")
}

// A failed creation leaves nothing behind.
func TestJournal_Open_CannotRename(t *testing.T) {
	dir := t.TempDir()
	long := filepath.Join(dir, strings.Repeat("x", 240)+".db") // its temporary name is too long
	_, err := newWorld(long).journal.Open()
	wantState(t, err)
	if got := names(t, dir); got != nil {
		t.Errorf("got files %q, want none", got)
	}
	if _, err := os.Stat(long); !os.IsNotExist(err) {
		t.Errorf("got %v, want %v", err, fs.ErrNotExist)
	}
}

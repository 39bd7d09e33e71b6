package state_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"jstsync/diff"
	"jstsync/state"
)

// examined writes findings, one a line.
func examined(path string) string {
	var lines []string
	for _, f := range state.Examine(path) {
		lines = append(lines, fmt.Sprintf("%s %s %s: %s → %s", f.Severity, f.ID, f.Subject, f.Evidence, f.Remedy))
	}
	return strings.Join(lines, "\n")
}

func wantIn(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("got\n%s\nwant in it %q", text, part)
		}
	}
}

// A file as it should be is looked at, and left as it is.
func TestExamine(t *testing.T) {
	w := varied(t, true)
	before, err := os.ReadFile(w.path)
	if err != nil {
		t.Fatal(err)
	}
	got := examined(w.path)
	wantIn(t, got, "ok state.file "+w.path+": format 2, runs on record: 5; no page is damaged", "ok state.access", "ok state.space", "ok state.lock")
	if strings.Contains(got, "error") || strings.Contains(got, "warning") {
		t.Errorf("got\n%s\nwant nothing but ok", got)
	}
	after, err := os.ReadFile(w.path)
	if err != nil || !slices.Equal(before, after) {
		t.Error("the file was touched")
	}
	if got := names(t, filepath.Dir(w.path)); !slices.Equal(got, []string{"jstsync.db"}) {
		t.Errorf("got files %q, want the state file alone", got)
	}
	spoil(t, w.path)
	wantIn(t, examined(w.path), "error state.file "+w.path+": ", "damaged")
}

// spoil damages a page's own number.
func spoil(t *testing.T, path string) {
	t.Helper()
	all, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := 2 * os.Getpagesize(); at < len(all); at += os.Getpagesize() {
		all[at] ^= 1
	}
	if err := os.WriteFile(path, all, 0o600); err != nil {
		t.Fatal(err)
	}
}

// A file that is yet to be made needs its place, and is not made by looking.
func TestExamine_Absent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	wantIn(t, examined(path), "note state.file "+path+": does not exist yet → the first jstsync sync makes it", "ok state.access", "ok state.space")
	if got := names(t, filepath.Dir(path)); got != nil {
		t.Errorf("got files %q, want none", got)
	}
	got := examined(filepath.Join(filepath.Dir(path), "none", "s.db"))
	wantIn(t, got, "error state.file", "its directory does not exist → create the directory")
	if strings.Contains(got, "state.access") {
		t.Errorf("got\n%s\nwant nothing of the access to what is not there", got)
	}
}

// One of an older format is upgraded by the next run, one of a newer is not.
func TestExamine_Format(t *testing.T) {
	for version, want := range map[byte]string{
		1: "note state.file %s: is of format 1, this jstsync writes format 2 → the next jstsync sync upgrades it, after a copy %[1]s.v1.bak",
		9: "error state.file %s: %[1]s has state format 9, this jstsync reads format 2 → use the jstsync version that wrote it",
	} {
		w := varied(t, false)
		db, err := bbolt.Open(w.path, 0o600, nil)
		if err != nil {
			t.Fatal(err)
		}
		err = db.Update(func(tx *bbolt.Tx) error { return tx.Bucket([]byte("meta")).Put([]byte("format"), []byte{version}) })
		if err := errors.Join(err, db.Close()); err != nil {
			t.Fatal(err)
		}
		wantIn(t, examined(w.path), fmt.Sprintf(want, w.path))
	}
}

// Others who may read the file are a warning, whatever name it has.
func TestExamine_Mode(t *testing.T) {
	w := varied(t, false)
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(w.path, link); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(w.path, 0o640); err != nil {
		t.Fatal(err)
	}
	wantIn(t, examined(link), "warning state.mode "+link+": others may read or write it (mode 0640)", "chmod 600 "+link)
}

// The head and the unfinished run are read without the index.
func TestReader_Position(t *testing.T) {
	w := varied(t, true)
	head, in, err := state.NewReader(w.path, pipeline).Position()
	if err != nil || head != w.head || in == nil || in.Run != 5 {
		t.Errorf("got %+v, %+v, %v, want head %+v and run 5", head, in, err, w.head)
	}
	head, in, err = state.NewReader(filepath.Join(t.TempDir(), "none.db"), pipeline).Position()
	if err != nil || head != (diff.Head{}) || in != nil {
		t.Errorf("without a file: got %+v, %+v, %v", head, in, err)
	}
}

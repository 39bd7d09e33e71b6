package state_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"jstsync/state"
)

// toFormat1 makes of a file what format 1 had: the same without seals.
func toFormat1(t *testing.T, path string) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	all := everything(t, db)
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, s := range all {
			if string(s.path[len(s.path)-1]) == "rows" || string(s.key) == "format" {
				continue
			}
			if err := s.bucket(tx).Put(s.key, s.value[:len(s.value)-4]); err != nil {
				return err
			}
		}
		return tx.Bucket([]byte("meta")).Put([]byte("format"), []byte{1})
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

// A file of the format before is refused to readers, left as it is, and
// upgraded under the lock, after a copy.
func TestAcquire_Upgrades(t *testing.T) {
	for _, staged := range []bool{false, true} {
		w := varied(t, staged)
		before := contentOf(t, w.path)
		toFormat1(t, w.path)
		old := contentOf(t, w.path)
		_, err := state.NewReader(w.path, pipeline).Snapshot()
		backup := w.path + ".v1.bak"
		wantState(t, err, "has state format 1, this jstsync writes format 2", backup)
		_, err = state.Check(w.path)
		wantState(t, err, "has state format 1")
		if got := contentOf(t, w.path); !equal(got, old) {
			t.Error("a reader wrote to the file")
		}

		l, err := state.Acquire(t.Context(), w.path, time.Second, start)
		if err != nil {
			t.Fatalf("Acquire: %v", err)
		}
		defer func() { _ = l.Release() }()
		if got := contentOf(t, w.path); !equal(got, before) {
			t.Error("the upgraded file is not what this version writes")
		}
		wantClean(t, w.path)
		if got := contentOf(t, backup); !equal(got, old) {
			t.Error("the copy is not the file as it was")
		}
		if info, err := os.Stat(backup); err != nil || info.Mode() != 0o600 {
			t.Errorf("the copy has mode %v, %v, want -rw-------", info.Mode(), err)
		}
		if !staged {
			w.commit(t, inserts(60)[50:], nil)
			wantClean(t, w.path)
		}
	}
}

// More values than are sealed at a time.
func TestAcquire_Upgrades_Many(t *testing.T) {
	w := inTemp(t)
	w.commit(t, inserts(2500), nil)
	toFormat1(t, w.path)
	l, err := state.Acquire(t.Context(), w.path, time.Second, start)
	if err != nil {
		t.Fatalf("Acquire: %v", err)
	}
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
	wantClean(t, w.path)
	w.check(t)
}

// Without the copy there is no upgrade.
func TestAcquire_Upgrades_CannotCopy(t *testing.T) {
	w := varied(t, false)
	toFormat1(t, w.path)
	old := contentOf(t, w.path)
	if err := os.MkdirAll(filepath.Join(w.path+".v1.bak", "occupied"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := state.Acquire(t.Context(), w.path, time.Second, start)
	wantState(t, err, w.path+".v1.bak")
	if got := contentOf(t, w.path); !equal(got, old) {
		t.Error("the file was upgraded without a copy")
	}
}

func contentOf(t *testing.T, path string) []stored {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	all := everything(t, db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return all
}

func equal(a, b []stored) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].String() != b[i].String() || !bytes.Equal(a[i].value, b[i].value) {
			return false
		}
	}
	return true
}

package state_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"jstsync/diff"
	"jstsync/state"
)

// varied is a small file with something of everything: commits of each op, a
// rehash, runs that did not commit, calls, a rebuild, a second pipeline, a
// token; and, when staged, an unfinished run.
func varied(t *testing.T, staged bool) *world {
	t.Helper()
	w := inTemp(t)
	w.commit(t, inserts(3), nil)
	w.commit(t, []change{{key: key(1)}, {key(2), row(2, "second"), 9}}, []diff.Rehash{{Key: key(0), Source: 77}})
	held := w.newRun(diff.Held)
	held.NewFields, held.IDColumn = []string{"zone"}, "id"
	held.Calls = []diff.Call{{Path: "shops.query", Attempt: 1, At: start}}
	if err := w.journal.Record(held, nil); err != nil {
		t.Fatal(err)
	}
	w.runs = append(w.runs, *held)
	w.commit(t, []change{{key(7), row(7, ""), 1}}, nil)
	for _, source := range []string{"", "a"} {
		if err := vault(w.path, "app", "secret").Of(source).Store(&diff.Token{Access: "t"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := state.StoreAlerts(w.path, []byte(`{"raised":{}}`), func() time.Time { return start }); err != nil {
		t.Fatal(err)
	}
	if _, err := state.NewJournal(w.path, "other", w.newID, func() time.Time { return start }).Open(); err != nil {
		t.Fatal(err)
	}
	if staged {
		w.stage(t, []change{{key: key(0)}, {key(8), row(8, "x"), 2}}, nil)
	}
	return w
}

func wantClean(t *testing.T, path string) *state.Verdict {
	t.Helper()
	v, err := state.Check(path)
	if err != nil || len(v.Problems) > 0 {
		t.Fatalf("Check: got %+v, %v, want no problem", v, err)
	}
	return v
}

func TestCheck_Clean(t *testing.T) {
	v := wantClean(t, varied(t, false).path)
	if v.Runs != 4 || v.Commits != 3 || v.Changes != 6 || v.Rows != 3 || v.Notes != nil || v.Heads[pipeline].Seq != 4 {
		t.Errorf("got %+v, want 4 runs, 3 commits, 6 changes, 3 rows and no note", v)
	}
	v = wantClean(t, varied(t, true).path)
	if len(v.Notes) != 1 || !strings.Contains(v.Notes[0], "run 5 is unfinished") || v.Open[pipeline] != 5 {
		t.Errorf("got %+v, want a note that run 5 is unfinished", v)
	}
	if v := wantClean(t, threeRuns(t).path); v.FirstRun() != 0 {
		t.Errorf("got first run %d, want none", v.FirstRun())
	}
	absent := filepath.Join(t.TempDir(), "s.db")
	_, err := state.Check(absent)
	wantState(t, err, "there is no state file "+absent, "JSTSYNC_STATE")
}

// stored is one key and value of a file.
type stored struct {
	path       [][]byte
	key, value []byte
}

func (s stored) String() string {
	var b strings.Builder
	for _, p := range append(slices.Clone(s.path), s.key) {
		if len(p) == 8 && p[0] == 0 {
			fmt.Fprintf(&b, "/%d", binary.BigEndian.Uint64(p))
		} else {
			fmt.Fprintf(&b, "/%q", p)
		}
	}
	return b.String()
}

// run returns the run that the record is of, or 0.
func (s stored) run() uint64 {
	if s.inIndex() {
		return binary.BigEndian.Uint64(s.value[9:])
	}
	for _, p := range slices.Backward(append(slices.Clone(s.path), s.key)) {
		if len(p) == 8 && string(s.path[0]) != "meta" {
			return binary.BigEndian.Uint64(p)
		}
	}
	return 0
}

func (s stored) inIndex() bool { return len(s.path) > 2 && string(s.path[2]) == "index" }

func (s stored) bucket(tx *bbolt.Tx) *bbolt.Bucket {
	b := tx.Bucket(s.path[0])
	for _, name := range s.path[1:] {
		b = b.Bucket(name)
	}
	return b
}

func everything(t *testing.T, db *bbolt.DB) (all []stored) {
	t.Helper()
	var walk func(b *bbolt.Bucket, path [][]byte) error
	walk = func(b *bbolt.Bucket, path [][]byte) error {
		return b.ForEach(func(k, v []byte) error {
			if v == nil {
				return walk(b.Bucket(k), append(slices.Clone(path), bytes.Clone(k)))
			}
			all = append(all, stored{path, bytes.Clone(k), bytes.Clone(v)})
			return nil
		})
	}
	err := db.View(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bbolt.Bucket) error { return walk(b, [][]byte{bytes.Clone(name)}) })
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var errBack = errors.New("take it back")

// Whichever byte of whichever record is altered, in its value or its key: it
// is found, and where the record is of a run, that run is named.
func TestCheck_EveryByte(t *testing.T) {
	for _, staged := range []bool{false, true} {
		w := varied(t, staged)
		db, err := bbolt.Open(w.path, 0o600, &bbolt.Options{NoSync: true})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		flips := 0
		for _, s := range everything(t, db) {
			alter := func(what string, change func(b *bbolt.Bucket) error) {
				t.Helper()
				flips++
				var v *state.Verdict
				err := db.Update(func(tx *bbolt.Tx) error {
					err := change(s.bucket(tx))
					v = state.CheckTx(tx)
					return errors.Join(err, errBack)
				})
				if !errors.Is(err, errBack) || strings.Contains(err.Error(), "\n") {
					t.Fatal(err)
				}
				wantNamed(t, v, s, what)
			}
			if string(s.key) == "format" {
				continue // which is judged before
			}
			for i := range s.value {
				alter(fmt.Sprint("value, byte ", i), func(b *bbolt.Bucket) error {
					v := bytes.Clone(s.value)
					v[i] ^= 1 << (i % 8)
					return b.Put(s.key, v)
				})
			}
			for i := range s.key {
				alter(fmt.Sprint("key, byte ", i), func(b *bbolt.Bucket) error {
					k := bytes.Clone(s.key)
					k[i] ^= 1 << (i % 8)
					return errors.Join(b.Delete(s.key), b.Put(k, s.value))
				})
			}
			alter("deleted", func(b *bbolt.Bucket) error { return b.Delete(s.key) })
		}
		if flips < 2000 {
			t.Errorf("made %d alterations, want thousands", flips)
		}
	}
}

// wantNamed asserts that an alteration was found.
func wantNamed(t *testing.T, v *state.Verdict, s stored, what string) {
	t.Helper()
	optional := what == "deleted" && slices.ContainsFunc([]string{"fingerprint", "fields", "id_columns", "alerts", "app/app", "source/a/app/app"}, func(k string) bool { return string(s.key) == k })
	if optional || what == "deleted" && string(s.path[0]) == "calls" {
		return
	}
	if len(v.Problems) == 0 {
		t.Errorf("%v, %s: nothing was found", s, what)
		return
	}
	for _, p := range v.Problems {
		if p.Remedy == "" || p.Where == "" || p.What == "" {
			t.Errorf("%v, %s: got %+v, want where, what and a remedy", s, what, p)
		}
	}
	if !strings.HasPrefix(what, "value") && (s.inIndex() || string(s.path[0]) == "calls") {
		return // whose key alone says what it was of
	}
	if run := s.run(); run > 0 && !slices.ContainsFunc(v.Problems, func(p state.Problem) bool { return p.Run == run }) {
		t.Errorf("%v, %s: got %+v, want run %d named", s, what, v.Problems, run)
	}
}

// Somebody who alters a change and makes the run's own digest and seals anew is
// found out by the run after it, and at the last run by the head.
func TestCheck_Forged(t *testing.T) {
	for _, test := range []struct {
		run, named byte
		what       string
	}{
		{1, 2, "it does not follow upon run 1"},
		{4, 4, "it is at run 4"},
	} {
		w := varied(t, false)
		db, err := bbolt.Open(w.path, 0o600, nil)
		if err != nil {
			t.Fatal(err)
		}
		err = db.Update(func(tx *bbolt.Tx) error {
			p := tx.Bucket([]byte("pipelines")).Bucket([]byte(pipeline))
			return forge(p.Bucket([]byte("changes")).Bucket(key8(test.run)), p.Bucket([]byte("commits")), key8(test.run))
		})
		if err := errors.Join(err, db.Close()); err != nil {
			t.Fatal(err)
		}
		v, err := state.Check(w.path)
		if err != nil || len(v.Problems) != 1 || v.FirstRun() != uint64(test.named) || !strings.Contains(v.Problems[0].What, test.what) {
			t.Errorf("run %d: got %+v, %v, want one problem, of run %d: %s", test.run, v, err, test.named, test.what)
		}
	}
}

// forge turns the last byte of a run's last change and lets the run's header
// and commit speak for it.
func forge(changes, commits *bbolt.Bucket, run []byte) error {
	k, v := changes.Bucket([]byte("rows")).Cursor().Last()
	v = bytes.Clone(v)
	if v[len(v)-1]++; v[len(v)-1] == 1 { // an empty text
		v = append(v, 'x')
	}
	err := changes.Bucket([]byte("rows")).Put(bytes.Clone(k), v)
	var h map[string]any
	old := changes.Get([]byte("header"))
	err = errors.Join(err, json.Unmarshal(old[:len(old)-4], &h))
	var previous diff.Digest
	err = errors.Join(err, previous.UnmarshalText([]byte(h["previous"].(string))))
	d := diff.NewDigester(previous, []string{"id", "name"})
	_ = changes.Bucket([]byte("rows")).ForEach(func(k, v []byte) error { d.Add(k, v); return nil })
	digest := d.Sum()
	h["digest"] = digest
	text, jsonErr := json.Marshal(h)
	commit := append(bytes.Clone(commits.Get(run)[:16]), digest[:]...)
	return errors.Join(err, jsonErr, changes.Put([]byte("header"), resealed([]byte("header"), text)), commits.Put(run, resealed(run, commit)))
}

func resealed(key, content []byte) []byte {
	sum := crc32.Checksum(slices.Concat(key, content), crc32.MakeTable(crc32.Castagnoli))
	return binary.BigEndian.AppendUint32(bytes.Clone(content), sum)
}

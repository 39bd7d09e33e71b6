package state_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"jstsync/diff"
	"jstsync/state"
)

func TestSurvey(t *testing.T) {
	w := varied(t, true)
	info, err := state.Survey(w.path)
	if err != nil {
		t.Fatalf("Survey: %v", err)
	}
	stat, err := os.Stat(w.path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Path != w.path || info.Format != 2 || info.Size != stat.Size() || !info.Created.Equal(start) ||
		info.Runs != 5 || info.Oldest.Run != 1 || info.Newest.Run != 5 || info.Tokens != 2 || info.Holder != "" {
		t.Errorf("got %+v", info)
	}
	if info.FreePages == 0 || info.FreeBytes != int64(info.FreePages*os.Getpagesize()) {
		t.Errorf("got %d free pages of %d bytes, want some", info.FreePages, info.FreeBytes)
	}
	if len(info.Pipelines) != 2 || info.Pipelines[0].Name != "other" || !info.Pipelines[0].Head.IsEmpty() {
		t.Fatalf("got pipelines %+v, want other, which is empty, and shops", info.Pipelines)
	}
	p := info.Pipelines[1]
	if p.Head != w.head || p.Rows != 3 || p.Commits != 3 || p.Adopted != 0 || p.Unfinished == nil || p.Unfinished.Run != 5 {
		t.Errorf("got %+v, want head %+v, 3 rows, 3 commits, run 5 unfinished", p, w.head)
	}
}

func TestHolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	if got, err := state.Holder(path); got != "" || err != nil || names(t, filepath.Dir(path)) != nil {
		t.Errorf("without a lock's file: got %q, %v, and files %q, want none", got, err, names(t, filepath.Dir(path)))
	}
	cmd, release := holder(t, path)
	got, err := state.Holder(path)
	if err != nil || !strings.HasPrefix(got, "pid ") || strings.Contains(got, "\n") {
		t.Errorf("got %q, %v, want the holder, pid %d", got, err, cmd.Process.Pid)
	}
	release()
	if got, err := state.Holder(path); got != "" || err != nil {
		t.Errorf("after its release: got %q, %v, want nobody", got, err)
	}
}

// A file whose holder was killed is looked over when the lock is next taken,
// and one whose holder gave the lock back is not.
func TestAcquire_AfterKill(t *testing.T) {
	for _, killed := range []bool{false, true} {
		w := inTemp(t)
		w.commit(t, inserts(2000), nil)
		cmd, release := holder(t, w.path)
		if killed {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
		} else {
			release()
		}
		l, err := state.Acquire(t.Context(), w.path, time.Second, start)
		if err != nil {
			t.Fatalf("a sound file, killed %t: %v", killed, err)
		}
		if !killed {
			if err := l.Release(); err != nil {
				t.Fatal(err)
			}
		} else if err := l.Abandon(); err != nil { // as if killed once more
			t.Fatal(err)
		}
		misplace(t, w.path)
		for range 2 { // it is not forgotten either
			l, err = state.Acquire(t.Context(), w.path, time.Second, start)
			if (err != nil) != killed {
				t.Fatalf("a file with a damaged page, killed %t: got %v", killed, err)
			}
			if killed {
				wantState(t, err, "state file "+w.path+" is damaged", "state check", "restore a backup")
				continue
			}
			if err := l.Release(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// misplace damages the order of keys in a page of rows, which no value's seal
// can show.
func misplace(t *testing.T, path string) {
	t.Helper()
	all, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	old := []byte(key(1000))
	if !bytes.Contains(all, old) {
		t.Fatal("the key is not in the file")
	}
	if err := os.WriteFile(path, bytes.ReplaceAll(all, old, []byte(key(5))), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Whatever bytes of a file are lost: no use of it panics or hangs, and what is
// not noticed at once is found by the check, unless it hit nothing.
func TestOpen_RandomDamage(t *testing.T) {
	w := varied(t, true)
	whole, err := os.ReadFile(w.path)
	if err != nil {
		t.Fatal(err)
	}
	sound := contentOf(t, w.path)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 300 {
		bad := bytes.Clone(whole)
		switch i % 3 {
		case 0: // a byte of a page's data
			at := 8192 + r.IntN(len(bad)-8192)
			bad[at] ^= 1 << r.IntN(8)
		case 1: // a lost sector
			at := r.IntN(len(bad)/512) * 512
			clear(bad[at : at+512])
		case 2:
			bad = bad[:1+r.IntN(len(bad)-1)]
		}
		path := filepath.Join(t.TempDir(), "s.db")
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := state.NewReader(path, pipeline).Snapshot(); err != nil {
			wantState(t, err, path)
		}
		if _, err := state.Runs(path, 0); err != nil {
			wantState(t, err, path)
		}
		v, err := state.Check(path)
		if err != nil {
			wantState(t, err, path)
			continue
		}
		if len(v.Problems)+len(v.Notes) == 0 && !equal(contentOf(t, path), sound) {
			t.Fatalf("damage %d: the content is another, and the check finds nothing", i)
		}
	}
}

func TestBackup(t *testing.T) {
	w := varied(t, true)
	to := filepath.Join(t.TempDir(), "copy.db")
	l, err := state.Acquire(t.Context(), w.path, time.Second, start) // a run works
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Release() }()
	v, err := state.Backup(w.path, to)
	if err != nil || len(v.Problems) > 0 || v.Runs != 5 {
		t.Fatalf("Backup: got %+v, %v", v, err)
	}
	if !equal(contentOf(t, to), contentOf(t, w.path)) {
		t.Error("the copy is not the file")
	}
	if info, err := os.Stat(to); err != nil || info.Mode() != 0o600 {
		t.Errorf("got mode %v, %v, want -rw-------", info.Mode(), err)
	}
	_, err = state.Backup(w.path, to)
	wantState(t, err, "back up to "+to+": it exists")
	dangling := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink("nowhere", dangling); err != nil {
		t.Fatal(err)
	}
	_, err = state.Backup(w.path, dangling)
	wantState(t, err, "it exists")
	if got := names(t, filepath.Dir(to)); !slices.Equal(got, []string{"copy.db"}) {
		t.Errorf("got files %q, want the copy alone", got)
	}
}

func TestCompact(t *testing.T) {
	w := inTemp(t)
	w.commit(t, inserts(3000), nil)
	var gone []change
	for i := range int64(2900) {
		gone = append(gone, change{key: key(i)})
	}
	w.commit(t, gone, nil)
	for n := range 20 { // grow it
		run := w.newRun(diff.Unchanged)
		run.Error = strings.Repeat("x", 10_000+n)
		if err := w.journal.Record(run, nil); err != nil {
			t.Fatal(err)
		}
		w.runs, w.fingerprint = append(w.runs, *run), run.Fingerprint
	}
	content := contentOf(t, w.path)
	before, err := os.Stat(w.path)
	if err != nil {
		t.Fatal(err)
	}
	c, v, err := state.Compact(w.path)
	if err != nil || len(v.Problems) > 0 {
		t.Fatalf("Compact: got %+v, %v", v, err)
	}
	after, err := os.Stat(w.path)
	if err != nil || c.Before != before.Size() || c.After != after.Size() || c.After >= c.Before || after.Mode() != 0o600 {
		t.Errorf("got %+v, mode %v, %v, want from %d to fewer bytes, %d", c, after.Mode(), err, before.Size(), after.Size())
	}
	if !equal(contentOf(t, w.path), content) {
		t.Error("the content is not what it was")
	}
	w.check(t)
	w.commit(t, inserts(10), nil)
	w.check(t)
	if got := names(t, filepath.Dir(w.path)); !slices.Equal(got, []string{"jstsync.db"}) {
		t.Errorf("got files %q, want the state file alone", got)
	}
}

// What does not pass the check is not put in the place of anything.
func TestCompact_Unsound(t *testing.T) {
	w := varied(t, false)
	db, err := bbolt.Open(w.path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error { return tx.Bucket([]byte("runs")).Put(key8(1), []byte("nonsense")) })
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	all, err := os.ReadFile(w.path)
	if err != nil {
		t.Fatal(err)
	}
	_, v, err := state.Compact(w.path)
	if err != nil || v.FirstRun() != 1 {
		t.Errorf("got %+v, %v, want run 1 broken", v, err)
	}
	if now, err := os.ReadFile(w.path); err != nil || !bytes.Equal(now, all) {
		t.Error("the file was touched")
	}
	if got := names(t, filepath.Dir(w.path)); !slices.Equal(got, []string{"jstsync.db"}) {
		t.Errorf("got files %q, want the state file alone", got)
	}
}

func key8(n byte) []byte { return []byte{7: n} }

// A lock is the file's, whatever name it is reached by.
func TestAcquire_SymbolicLink(t *testing.T) {
	w := varied(t, false)
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(w.path, link); err != nil {
		t.Fatal(err)
	}
	l, err := state.Acquire(t.Context(), link, time.Second, start)
	if err != nil {
		t.Fatal(err)
	}
	_, err = state.Acquire(t.Context(), w.path, 0, start)
	wantBusy(t, err, os.Getpid())
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
}

// A user who may not, for each thing that may be forbidden.
func TestOpen_Forbidden(t *testing.T) {
	dir := t.TempDir()
	ordinary(t, dir)
	w := newWorld(filepath.Join(dir, "s.db"))
	w.commit(t, inserts(3), nil)
	chmod := func(path string, mode os.FileMode) {
		t.Helper()
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	chmod(w.path, 0)
	_, err := state.NewReader(w.path, pipeline).Snapshot()
	wantState(t, err, "open state file "+w.path, "permission denied", "give this user read and write access")
	chmod(w.path, 0o400)
	if v, err := state.Check(w.path); err != nil || len(v.Problems) > 0 {
		t.Errorf("Check of a file that may be read: got %+v, %v", v, err)
	}
	_, err = w.journal.Open()
	wantState(t, err, "permission denied", "give this user read and write access")
	chmod(w.path, 0o600)

	chmod(dir, 0o500) //nolint:gosec // a directory needs its x
	_, err = state.Acquire(t.Context(), w.path, 0, start)
	wantState(t, err, "lock state file "+w.path, "write access to the directory and the .lock file")
	_, _, err = state.Compact(w.path)
	wantState(t, err, "permission denied")
	if _, err := state.Survey(w.path); err != nil {
		t.Errorf("Survey of a file in a directory that may be read: %v", err)
	}
	chmod(dir, 0o700) //nolint:gosec // a directory needs its x
	if err := os.WriteFile(w.path+".lock", nil, 0); err != nil {
		t.Fatal(err)
	}
	_, err = state.Acquire(t.Context(), w.path, 0, start)
	wantState(t, err, "lock state file "+w.path, "permission denied", ".lock file")
	w.check(t)
}

// A branch page that leads to itself, or to a page of another place, ends no
// walk of bbolt's: nothing may follow it.
func TestCheck_Loop(t *testing.T) {
	w := inTemp(t)
	w.commit(t, inserts(3000), nil)
	all, err := os.ReadFile(w.path)
	if err != nil {
		t.Fatal(err)
	}
	size, branches := os.Getpagesize(), 0
	for at := 2 * size; at < len(all); at += size {
		if id := binary.NativeEndian.Uint64(all[at:]); id != uint64(at/size) || binary.NativeEndian.Uint16(all[at+8:]) != 1 {
			continue
		}
		for _, to := range []int{1 << 40, at / size, at/size - 1, 0} {
			bad := bytes.Clone(all)
			binary.NativeEndian.PutUint64(bad[at+16+8:], uint64(to))
			if err := os.WriteFile(w.path, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			v, err := state.Check(w.path)
			if to == 1<<40 && err == nil && len(v.Problems) == 0 {
				break // it is a free page
			}
			branches++
			if err != nil || len(v.Problems) != 1 || v.Problems[0].Where != "pages" || !strings.Contains(v.Problems[0].Remedy, "restore a backup") {
				t.Fatalf("page %d leads to %d: got %+v, %v, want the pages damaged", at/size, to, v, err)
			}
			_, err = state.Survey(w.path)
			wantState(t, err, w.path)
			_, _, err = state.Compact(w.path)
			wantState(t, err, w.path)
			if err := os.WriteFile(w.path+".lock", []byte("pid 1"), 0o600); err != nil { // its holder was killed
				t.Fatal(err)
			}
			_, err = state.Acquire(t.Context(), w.path, time.Second, start)
			wantState(t, err, w.path)
		}
	}
	if branches == 0 {
		t.Fatal("the file has no branch page")
	}
}

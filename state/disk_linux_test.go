package state_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"jstsync/diff"
	"jstsync/state"
)

// smallDisk is a directory with a disk of its own, or "" where this user may
// not have one.
func smallDisk(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Logf("left out: this user may not mount a disk: %v", err)
		return ""
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// fillUp takes all the space that is left, and returns what gives it back.
func fillUp(t *testing.T, dir string) (release func()) {
	t.Helper()
	path := filepath.Join(dir, "ballast")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for block := make([]byte, 4096); err == nil; {
		_, err = f.Write(block)
	}
	_ = f.Close()
	return func() {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

// A disk that is full at any step: a clear error, nothing lost, and the same
// step works once there is space.
func TestJournal_FullDisk(t *testing.T) {
	dir := smallDisk(t, "size=4m")
	if dir == "" {
		return
	}
	w := newWorld(filepath.Join(dir, "s.db"))
	full := func(err error) {
		t.Helper()
		wantState(t, err, w.path, "no space left on device", "free some space")
	}
	release := fillUp(t, dir)
	_, err := w.journal.Open()
	full(err)
	_, err = state.Acquire(t.Context(), w.path, 0, start)
	full(err)
	if got := names(t, dir); len(got) > 2 { // ballast, and the lock's empty file
		t.Errorf("got files %q, want no state file, whole or in part", got)
	}
	release()
	w.commit(t, inserts(300), nil)

	var changes []change
	for i := range int64(300) {
		changes = append(changes, change{key(i), row(i, strings.Repeat("long", 300)), 3})
	}
	in, plan, run := w.prepare(t, changes, nil)
	release = fillUp(t, dir)
	full(w.journal.Stage(in, plan, run))
	w.check(t)
	wantClean(t, w.path)
	release()
	if err := w.journal.Stage(in, plan, run); err != nil {
		t.Fatalf("Stage with space: %v", err)
	}

	release = fillUp(t, dir)
	attempts := 0
	for err = nil; err == nil && attempts < 50; attempts++ { // use up the file's own free pages
		err = vault(w.path, strings.Repeat("app", 1000+attempts), "secret").Store(&diff.Token{Access: strings.Repeat("t", 60_000)})
	}
	full(err)
	err = w.journal.Finalise(in, start.Add(time.Hour))
	full(err)
	if s := w.snapshot(t); s.Intent == nil || s.Head != w.head {
		t.Errorf("got head %+v, intent %+v, want those from before", s.Head, s.Intent)
	}
	wantClean(t, w.path)
	release()
	if err := w.journal.Finalise(in, start.Add(time.Hour)); err != nil {
		t.Fatalf("Finalise with space: %v", err)
	}
	w.committed(in, run, changes, nil)
	w.check(t)
	wantClean(t, w.path)
}

// A file system that cannot be written to.
func TestOpen_ReadOnlyDisk(t *testing.T) {
	dir := smallDisk(t, "size=4m")
	if dir == "" {
		return
	}
	w := newWorld(filepath.Join(dir, "s.db"))
	w.commit(t, inserts(3), nil)
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	w.check(t)
	wantClean(t, w.path)
	_, err := state.Acquire(t.Context(), w.path, 0, start)
	wantState(t, err, "lock state file "+w.path, "the file system is read-only")
	_, err = w.journal.Open()
	wantState(t, err, "open state file "+w.path, "the file system is read-only")
	_, _, err = state.Compact(w.path)
	wantState(t, err, "the file system is read-only")
	_, err = newWorld(filepath.Join(dir, "new.db")).journal.Open()
	wantState(t, err, "the file system is read-only")
}

// The numbers of the file systems in linux/magic.h and the kernel's sources.
func TestNetworkName(t *testing.T) {
	for magic, want := range map[uint32]string{
		0x6969: "NFS", 0xff534d42: "SMB", 0xfe534d42: "SMB", 0x517b: "SMB", 0x5346414f: "AFS", 0x00c36400: "Ceph",
		0xef53: "", 0x58465342: "", 0x9123683e: "", 0x01021994: "", 0x794c7630: "", 0x65735546: "", // ext4, xfs, btrfs, tmpfs, overlay, FUSE
	} {
		if got := state.NetworkName(magic); got != want {
			t.Errorf("%#x: got %q, want %q", magic, got, want)
		}
	}
}

// A file that root compacts stays its owner's.
func TestCompact_Owner(t *testing.T) {
	const nobody = 65534
	w := varied(t, false)
	if err := os.Chown(w.path, nobody, nobody); err != nil {
		t.Logf("left out: this user may not give files away: %v", err)
		return
	}
	if _, _, err := state.Compact(w.path); err != nil {
		t.Fatalf("Compact: %v", err)
	}
	info, err := os.Stat(w.path)
	if err != nil {
		t.Fatal(err)
	}
	if st := info.Sys().(*syscall.Stat_t); st.Uid != nobody || st.Gid != nobody {
		t.Errorf("got owner %d and group %d, want %d", st.Uid, st.Gid, nobody)
	}
}

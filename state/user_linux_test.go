package state_test

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

// ordinary makes the test's file accesses those of an ordinary user, whom
// permissions bind, also when the test runs as root. dir becomes that user's.
func ordinary(t *testing.T, dir string) {
	t.Helper()
	if os.Geteuid() != 0 {
		return
	}
	const nobody = 65534
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil { //nolint:gosec // the user must reach dir
		t.Fatal(err)
	}
	if err := os.Chown(dir, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	runtime.LockOSThread() // the identity is the thread's alone
	if _, _, errno := syscall.RawSyscall(syscall.SYS_SETFSUID, nobody, 0, 0); errno != 0 {
		t.Fatal(errno)
	}
	t.Cleanup(func() {
		_, _, _ = syscall.RawSyscall(syscall.SYS_SETFSUID, 0, 0, 0)
		runtime.UnlockOSThread()
	})
}

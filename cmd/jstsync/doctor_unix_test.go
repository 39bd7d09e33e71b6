//go:build !windows

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"jstsync/internal/mysqltest"
	"jstsync/internal/sandbox"
)

// nobody is an ordinary user, whom permissions bind.
const nobody = 65534

// A state file that may not be written, or whose directory may not, is an error
// with its remedy, also where the test runs as root; and looking makes nothing.
func TestDoctor_ReadOnly(t *testing.T) {
	server := sandbox.New(sandbox.Options{Seed: 7, Shops: 5, PerSecond: -1, PerMinute: -1})
	url, shut, err := sandbox.Listen("127.0.0.1:0", server)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = shut() })
	dir := t.TempDir()
	program := reachable(t, dir)
	env := append(os.Environ(), "JST_BASE_URL="+url, "JST_APP_KEY=sandbox-key", "JST_APP_SECRET=sandbox-secret",
		"JST_ACCESS_TOKEN=sandbox-token", "MYSQL_DSN="+mysqltest.DSN(t), "COLUMNS=500")
	run := func(want int, verb string) string {
		t.Helper()
		cmd := exec.Command(program, verb)
		cmd.Dir, cmd.Env = filepath.Join(dir, "state"), env
		cmd.Stderr = &bytes.Buffer{}
		if os.Geteuid() == 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		}
		out, _ := cmd.Output()
		if got := cmd.ProcessState.ExitCode(); got != want {
			t.Fatalf("%s: got exit code %d, want %d: %s%s", verb, got, want, out, cmd.Stderr)
		}
		return string(out)
	}
	const remedy = " [state.access]\n           remedy: give this user write access, or name another file in the setting state (JSTSYNC_STATE)\n"

	t.Cleanup(func() { chmod(t, filepath.Join(dir, "state"), 0o700) })
	chmod(t, filepath.Join(dir, "state"), 0o500)
	contains(t, run(exitFailed, "doctor"), "  error    .: cannot be written by this user: permission denied"+remedy)
	if names, err := os.ReadDir(filepath.Join(dir, "state")); err != nil || len(names) > 0 {
		t.Errorf("got files %v, %v, want none", names, err)
	}
	chmod(t, filepath.Join(dir, "state"), 0o700)
	run(exitOK, "sync")
	run(exitOK, "doctor")
	chmod(t, filepath.Join(dir, "state"), 0o500)
	contains(t, run(exitOK, "doctor"), "  warning  .: cannot be written by this user: permission denied"+remedy)
	chmod(t, filepath.Join(dir, "state", "jstsync.db"), 0o400)
	contains(t, run(exitFailed, "doctor"), "  error    jstsync.db: cannot be written by this user: permission denied"+remedy)
	run(exitFailed, "sync")
}

func contains(t *testing.T, text, part string) {
	t.Helper()
	if !strings.Contains(text, part) {
		t.Errorf("got\n%s\nwant in it\n%s", text, part)
	}
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// reachable makes a directory for an ordinary user below dir, and returns a copy
// of the program that such a user may run.
func reachable(t *testing.T, dir string) string {
	t.Helper()
	chmod(t, filepath.Dir(dir), 0o755)
	chmod(t, dir, 0o755)
	home := filepath.Join(dir, "state")
	if err := os.Mkdir(home, 0o700); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(home, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	built, err := exec.LookPath("jstsync")
	if err != nil {
		t.Fatal(err)
	}
	all, err := os.ReadFile(built)
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "jstsync")
	if err := os.WriteFile(program, all, 0o755); err != nil { //nolint:gosec // somebody else runs it
		t.Fatal(err)
	}
	return program
}

package state_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jstsync/diff"
	"jstsync/state"
)

// envHold makes the test binary a second runner that holds the lock of the
// file named until its input ends.
const envHold = "STATE_TEST_HOLD"

func TestMain(m *testing.M) {
	if path := os.Getenv(envHold); path != "" {
		hold(path)
		return
	}
	os.Exit(m.Run())
}

func hold(path string) {
	l, err := state.Acquire(context.Background(), path, time.Second, start)
	fmt.Fprintln(os.Stdout, "held:", err)
	if _, err := io.Copy(io.Discard, os.Stdin); err == nil && l != nil {
		_ = l.Release()
	}
}

// holder starts a second runner and returns its process.
func holder(t *testing.T, path string) (cmd *exec.Cmd, release func()) {
	t.Helper()
	cmd = exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), envHold+"="+path)
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "held: <nil>\n" {
		t.Fatalf("second runner says %q, %v", line, err)
	}
	return cmd, func() {
		_ = in.Close()
		_ = cmd.Wait()
	}
}

func wantBusy(t *testing.T, err error, pid int) {
	t.Helper()
	e, ok := errors.AsType[*diff.Error](err)
	if !ok || e.Code != diff.CodeBusy || e.Remedy == "" {
		t.Fatalf("got %v, want an error of code busy with a remedy", err)
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("pid %d on %s since 2026-11-22T10:00:00Z", pid, host); !strings.Contains(e.Message, want) {
		t.Errorf("got %q, want it to name %q", e.Message, want)
	}
}

func TestAcquire_SameProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	l, err := state.Acquire(t.Context(), path, time.Second, start)
	if err != nil {
		t.Fatalf("Acquire: %v", err)
	}
	_, err = state.Acquire(t.Context(), path, 0, start)
	wantBusy(t, err, os.Getpid())
	info, err := os.Stat(path + ".lock")
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("got mode %v, %v, want -rw-------", info.Mode(), err)
	}
	if err := l.Release(); err != nil {
		t.Fatalf("Release: %v", err)
	}
	l, err = state.Acquire(t.Context(), path, 0, start)
	if err != nil {
		t.Fatalf("Acquire of a free lock without waiting: %v", err)
	}
	if err := l.Release(); err != nil {
		t.Fatalf("Release: %v", err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the lock made a state file: %v", err)
	}
}

func TestAcquire_OtherProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	cmd, release := holder(t, path)
	begun := time.Now()
	_, err := state.Acquire(t.Context(), path, 300*time.Millisecond, start)
	wantBusy(t, err, cmd.Process.Pid)
	if took := time.Since(begun); took < 300*time.Millisecond || took > 5*time.Second {
		t.Errorf("gave up after %v, want 300 ms", took)
	}

	time.AfterFunc(200*time.Millisecond, release)
	l, err := state.Acquire(t.Context(), path, 20*time.Second, start)
	if err != nil {
		t.Fatalf("Acquire while the holder ends: %v", err)
	}
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}

	cmd, _ = holder(t, path)
	_ = cmd.Process.Kill()
	if l, err = state.Acquire(t.Context(), path, 20*time.Second, start); err != nil {
		t.Fatalf("Acquire after the holder was killed: %v", err)
	}
	_ = cmd.Wait()
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
}

func TestAcquire_Cancelled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	l, err := state.Acquire(t.Context(), path, time.Second, start)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	begun := time.Now()
	if _, err := state.Acquire(ctx, path, time.Minute, start); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("noticed after %v", took)
	}
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
}

func TestAcquire_NoDirectory(t *testing.T) {
	_, err := state.Acquire(t.Context(), filepath.Join(t.TempDir(), "absent", "s.db"), time.Second, start)
	wantState(t, err)
}

//go:build !windows

package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"jstsync/internal/mysqltest"
	"jstsync/internal/sandbox"
	"jstsync/state"
)

// A run that is told to stop while it waits for the source exits at once with
// the signal's code, leaves both stores as they were, and the next run is clean.
func TestSignal(t *testing.T) {
	for _, tt := range []struct {
		signal syscall.Signal
		code   int
	}{{syscall.SIGINT, 130}, {syscall.SIGTERM, 143}} {
		t.Run(tt.signal.String(), func(t *testing.T) {
			server := sandbox.New(sandbox.Options{Seed: 7, Shops: 30, PerSecond: -1, PerMinute: -1})
			url, shut, err := sandbox.Listen("127.0.0.1:0", server)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = shut() })
			file := filepath.Join(t.TempDir(), "state.db")
			run := func() *exec.Cmd {
				cmd := exec.Command("jstsync", "sync")
				cmd.Dir = filepath.Dir(file)
				cmd.Stdout, cmd.Stderr = &bytes.Buffer{}, &bytes.Buffer{}
				cmd.Env = append(os.Environ(), "JST_BASE_URL="+url, "JST_APP_KEY=sandbox-key", "JST_APP_SECRET=sandbox-secret",
					"JST_ACCESS_TOKEN=sandbox-token", "JSTSYNC_STATE="+file, "MYSQL_DSN="+mysqltest.DSN(t))
				return cmd
			}
			dsn := run().Env // one database for all runs of this test
			first := run()
			first.Env = dsn
			if err := first.Run(); err != nil {
				t.Fatalf("first load: %v: %s", err, first.Stderr)
			}
			if err := server.Inject(sandbox.Fault{Kind: sandbox.KindLatency, Delay: time.Minute}); err != nil {
				t.Fatal(err)
			}
			server.ResetCalls()

			stopped := run()
			stopped.Env = dsn
			if err := stopped.Start(); err != nil {
				t.Fatal(err)
			}
			for deadline := time.Now().Add(20 * time.Second); !held(file); time.Sleep(10 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatal("the run did not take its lock")
				}
			}
			busy(t, file, dsn)
			if err := stopped.Process.Signal(tt.signal); err != nil {
				t.Fatal(err)
			}
			var exit *exec.ExitError
			if err := stopped.Wait(); !errors.As(err, &exit) || exit.ExitCode() != tt.code {
				t.Errorf("got %v, want exit code %d", err, tt.code)
			}
			if got := stopped.Stderr.(*bytes.Buffer).String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "stopped by signal") {
				t.Errorf("got stderr %q, want one line", got)
			}
			server.ClearFaults()
			again := run()
			again.Env = dsn
			if err := again.Run(); err != nil || !strings.Contains(again.Stdout.(*bytes.Buffer).String(), "unchanged") {
				t.Errorf("next run: %v: %s%s", err, again.Stdout, again.Stderr)
			}
			runs, err := state.Runs(file, 0)
			if err != nil || len(runs) != 3 || runs[1].ErrorCode != "interrupted" {
				t.Errorf("got runs %+v (%v), want the stopped one on record", runs, err)
			}
		})
	}
}

// held reports whether somebody holds the run lock.
func held(file string) bool {
	f, err := os.Open(file + ".lock")
	if err != nil {
		return false
	}
	defer f.Close()
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	return errors.Is(err, syscall.EWOULDBLOCK)
}

// busy checks that a second runner waits and then says who holds the file.
func busy(t *testing.T, file string, env []string) {
	t.Helper()
	config := filepath.Join(filepath.Dir(file), "busy.yaml")
	if err := os.WriteFile(config, []byte("lock_timeout: 100ms\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("jstsync", "sync", "--config", config)
	cmd.Env = env
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 5 || !strings.Contains(string(out), "is in use by another run (pid ") {
		t.Errorf("second runner: got %v: %s, want exit code 5 and the holder", err, out)
	}
}

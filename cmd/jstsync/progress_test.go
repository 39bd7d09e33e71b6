//go:build unix

package main

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"jstsync/internal/sandbox"
)

// On a terminal a bar shows how far a long run has come, and nothing is left of
// it beside what the run prints; nowhere else does one appear.
func TestProgressBar(t *testing.T) {
	d, server := newDesk(t, sandbox.Options{Seed: 7, Shops: 300})
	slow := func() {
		if err := server.Inject(sandbox.Fault{Kind: sandbox.KindLatency, Delay: 200 * time.Millisecond, Times: -1}); err != nil {
			t.Fatal(err)
		}
	}
	slow()
	seen, stdout := d.onTerminal(t, "sync")
	if !strings.Contains(seen, "reading shops") || !strings.Contains(stdout, "300 insert") {
		t.Errorf("got %q on the terminal and %q, want a bar", seen, stdout)
	}
	if seen, _ := d.onTerminal(t, "--quiet", "sync"); strings.Contains(seen, "reading") {
		t.Errorf("--quiet: got %q", seen)
	}
	if seen, _ := d.onTerminal(t, "--log-format", "json", "sync"); strings.Contains(seen, "reading") {
		t.Errorf("logs for programs: got %q", seen)
	}
	if _, _, stderr := d.run("sync"); stderr != "" {
		t.Errorf("no terminal: got %q", stderr)
	}
}

// onTerminal runs a command line whose stderr is a terminal, and returns what
// was seen there, and stdout.
func (d *desk) onTerminal(t *testing.T, args ...string) (seen, stdout string) {
	t.Helper()
	terminal, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	screen := make(chan string)
	go func() {
		b, _ := io.ReadAll(terminal) // ends with an error when the other side closes
		screen <- string(b)
	}()
	var out strings.Builder
	code := run(t.Context(), append([]string{"jstsync"}, args...), environment{
		stdout: &out, stderr: tty, now: time.Now, getenv: func(name string) (string, bool) { v, ok := d.env[name]; return v, ok },
	})
	if code != exitOK {
		t.Errorf("%q: exit code %d", args, code)
	}
	if err := tty.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case seen = <-screen:
	case <-time.After(10 * time.Second):
		t.Fatal("the terminal does not end")
	}
	return seen, out.String()
}

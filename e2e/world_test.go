package e2e_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"jstsync/internal/mysqltest"
	"jstsync/internal/sandbox"
)

func TestMain(m *testing.M) { os.Exit(mysqltest.Wrap(m).Run()) }

// product builds the program once, as it ships.
var product = sync.OnceValues(func() (string, error) { //nolint:gochecknoglobals // it is built once
	dir, err := os.MkdirTemp("", "jstsync-e2e-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "jstsync")
	build := exec.Command("go", "build", "-trimpath", "-o", path, "./cmd/jstsync")
	build.Dir, build.Env = "..", append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off") // by its own go.mod, as it ships
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", build, err, out)
	}
	return path, nil
})

// world is a program that serves, with all that it talks to.
type world struct {
	t     *testing.T
	dir   string
	url   string
	shops *sandbox.Server
	log   *logged
	env   []string
}

// logged collects what a program says.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// serving starts the program with these settings beside its source and target.
// Before it serves, the steps are made, each followed by a sync.
func serving(t *testing.T, settings string, steps ...func(*sandbox.Server)) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), log: &logged{}, shops: sandbox.New(sandbox.Options{Seed: 7, Shops: 204, PerSecond: -1, PerMinute: -1})}
	address, shut, err := sandbox.Listen("127.0.0.1:0", w.shops)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = shut() })
	w.env = append(os.Environ(), "MYSQL_DSN="+mysqltest.DSN(t), "JST_BASE_URL="+address, "JST_APP_KEY=sandbox-key",
		"JST_APP_SECRET=sandbox-secret", "JST_ACCESS_TOKEN=sandbox-token", "LC_ALL=C.UTF-8")
	listen := free(t)
	w.url = "http://" + listen
	if !strings.Contains(settings, "source:") {
		settings = "source: {rate: {per_second: 10000, per_minute: 100000}, retry: {max_attempts: 1}}\n" + settings
	}
	settings = strings.ReplaceAll(settings, "ADDRESS", listen)
	if err := os.WriteFile(filepath.Join(w.dir, "jstsync.yaml"), []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, step := range steps {
		step(w.shops)
		w.command("sync")
	}
	w.serve()
	return w
}

func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (w *world) process(args ...string) *exec.Cmd {
	w.t.Helper()
	program, err := product()
	if err != nil {
		w.t.Fatal(err)
	}
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env, cmd.Stderr = w.dir, w.env, w.log
	return cmd
}

// command runs the program, whatever it exits with, and returns what it prints.
func (w *world) command(args ...string) string {
	w.t.Helper()
	out, _ := w.process(args...).Output()
	return string(out)
}

func (w *world) serve() {
	w.t.Helper()
	cmd := w.process("serve", "--log-format", "json")
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			w.t.Errorf("serve ended with %v\n%s", err, w.log)
		}
	})
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		resp, err := http.Get(w.url + "/readyz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(end) {
			w.t.Fatalf("it is not ready: %v\n%s", err, w.log)
		}
	}
}

// wait waits until the log says so.
func (w *world) wait(text string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	for !strings.Contains(w.log.String(), text) {
		select {
		case <-ctx.Done():
			w.t.Fatalf("%q is not in the log:\n%s", text, w.log)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

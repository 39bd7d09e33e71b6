package main

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"jstsync/internal/config"
)

// numb makes what the run lock of the state file is held by take no more orders.
func numb(file string) error {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err != nil || to != file+".lock" {
			continue
		}
		const path = 0x200000 // O_PATH, which flock takes for no open file
		deaf, err := syscall.Open(file+".lock", path, 0)
		if err != nil {
			return err
		}
		defer func() { _ = syscall.Close(deaf) }()
		held, err := strconv.Atoi(e.Name())
		if err != nil {
			return err
		}
		return syscall.Dup3(deaf, held, syscall.O_CLOEXEC)
	}
	return errors.New("nobody holds the run lock")
}

// That the run lock could not be given back is logged, beside the run's own error.
func TestPoller_unreleased(t *testing.T) {
	file := filepath.Join(t.TempDir(), "jstsync.db")
	source := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if err := numb(file); err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusForbidden)
	}))
	defer source.Close()
	env := map[string]string{
		"JST_BASE_URL": source.URL, "JST_APP_KEY": "key", "JST_APP_SECRET": "secret", "JST_ACCESS_TOKEN": "token",
		"MYSQL_DSN": "user@tcp(127.0.0.1:9)/none", "JSTSYNC_STATE": file,
	}
	var log bytes.Buffer
	p := &program{environment: environment{now: time.Now, getenv: func(name string) (string, bool) { v, ok := env[name]; return v, ok }}}
	p.log = slog.New(slog.NewTextHandler(&log, nil))
	settings, err := config.Load("", p.configHost(), examine)
	if err != nil {
		t.Fatal(err)
	}
	if err := (&poller{program: p}).poll(t.Context(), settings, settings.Pipelines[0]); err == nil {
		t.Error("got no error")
	}
	if got := log.String(); strings.Count(got, `msg="run ended"`) != 1 || !strings.Contains(got, "bad file descriptor") {
		t.Errorf("got log %s", got)
	}
}

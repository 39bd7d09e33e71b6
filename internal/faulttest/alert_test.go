//go:build !windows

package faulttest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"jstsync/internal/mysqltest"
	"jstsync/internal/sandbox"
)

// webhook keeps the notices that it was told but those of shops, and answers with the status.
type webhook struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	told   []string // the kind, with - before what ended
}

func newWebhook(t *testing.T) *webhook {
	h := &webhook{status: http.StatusOK}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		defer h.mu.Unlock()
		w.WriteHeader(h.status)
		if h.status != http.StatusOK {
			return
		}
		body, _ := io.ReadAll(r.Body)
		var m struct {
			Notices []struct {
				Kind   string
				Raised bool
			}
		}
		if err := json.Unmarshal(body, &m); err != nil {
			t.Error(err)
		}
		for _, n := range m.Notices {
			if n.Kind == "authorization" { // of the seeded shops, some of which have ended
				continue
			}
			h.told = append(h.told, map[bool]string{true: "+", false: "-"}[n.Raised]+n.Kind)
		}
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *webhook) all() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.told)
}

func (h *webhook) answer(status int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.status = status
}

// alerting adds a channel to the settings.
func (h *webhook) alerting(t *testing.T, w *world) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(w.dir, "jstsync.yaml"), os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(f, "alerts: {channels: [{name: ops, kind: webhook, url: %q, secret: s3cret}], rules: {failed_after: 2}}\n", h.URL+"/hook-k3y")
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// down makes every call of the source fail.
func down(t *testing.T, w *world) {
	t.Helper()
	if err := w.source.Inject(sandbox.Fault{Kind: sandbox.KindStatus, Status: 404, Times: -1}); err != nil {
		t.Fatal(err)
	}
}

// A source that goes down and up again is told of once each, also when the
// process is killed in between: the next one knows.
func TestAlert_RestartRepeatsNone(t *testing.T) {
	w, hook := newWorld(t, 12), newWebhook(t)
	serveSettings(t, w, "30ms")
	hook.alerting(t, w)
	w.must()
	down(t, w)
	p := w.start("", "serve", "--log-format", "json")
	p.until("the alert", func() bool { return slices.Equal(hook.all(), []string{"+failed"}) })
	p.until("that it is remembered", func() bool { return strings.Count(p.err.String(), "run ended") > 4 })
	p.signal(syscall.SIGKILL)
	p.wait()

	next := w.start("", "serve", "--log-format", "json")
	next.until("more failures", func() bool { return strings.Count(next.err.String(), `"status":"failed"`) > 4 })
	if got, want := hook.all(), []string{"+failed"}; !slices.Equal(got, want) {
		t.Errorf("after a restart: got %q, want %q", got, want)
	}
	w.source.ClearFaults()
	next.until("recovery", func() bool { return len(hook.all()) > 1 })
	quiet := func() int { return strings.Count(next.err.String(), `"status":"unchanged"`) }
	from := quiet()
	next.until("more quiet runs", func() bool { return quiet() > from+3 })
	next.signal(syscall.SIGTERM)
	r := next.wait()
	if got, want := hook.all(), []string{"+failed", "-failed"}; r.code != 0 || !slices.Equal(got, want) {
		t.Errorf("exit %d, got %q, want %q", r.code, got, want)
	}
	for _, secret := range []string{"k3y", "s3cret"} {
		if strings.Contains(p.err.String()+r.stderr, secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
	if d := w.settled(); d != "" {
		t.Error(d)
	}
}

// Runs that are started one by one count failures and tell of them as well. A
// channel that is down changes no exit code, and is told when it is up again.
func TestAlert_Sync(t *testing.T) {
	w, hook := newWorld(t, 12), newWebhook(t)
	serveSettings(t, w, "1h")
	hook.alerting(t, w)
	hook.answer(http.StatusForbidden)
	w.must()
	down(t, w)
	for range 2 {
		if r := w.sync(""); r.code != 1 {
			t.Errorf("got %s", r)
		}
	}
	w.source.ClearFaults()
	hook.answer(http.StatusOK)
	if r := w.sync(""); r.code != 0 {
		t.Errorf("got %s", r)
	}
	if got, want := hook.all(), []string{"+failed", "-failed"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, err := mysqltest.DB(t, w.dsn).Exec("DELETE FROM jst_shops LIMIT 1"); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"verify"}, {"verify"}, {"verify", "--repair"}, {"verify"}} {
		w.run("", args...)
	}
	if got, want := hook.all()[2:], []string{"+drift", "-drift"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

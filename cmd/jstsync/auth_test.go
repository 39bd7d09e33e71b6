package main

import (
	"bytes"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"jstsync/internal/sandbox"
)

// What auth status says as time goes by.
func TestAuthStatus_life(t *testing.T) {
	t.Chdir(t.TempDir())
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	server := sandbox.New(sandbox.Options{Now: clock})
	srv := httptest.NewServer(server)
	defer srv.Close()
	settings := map[string]string{
		"JST_BASE_URL": srv.URL, "JST_APP_KEY": "sandbox-key", "JST_APP_SECRET": "sandbox-secret",
	}
	jstsync := func(args ...string) string {
		t.Helper()
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), append([]string{"jstsync"}, args...), environment{
			stdout: &stdout, stderr: &stderr, now: clock,
			getenv: func(name string) (string, bool) { v, ok := settings[name]; return v, ok },
		})
		if code != exitOK || stderr.Len() != 0 || strings.Contains(stdout.String(), server.AccessToken()) {
			t.Fatalf("%v: exit code %d, stdout %q, stderr %q", args, code, stdout.String(), stderr.String())
		}
		return stdout.String()
	}
	jstsync("auth", "init")
	for _, tt := range []struct {
		pass time.Duration
		want string
	}{
		{0, "30 d 0 h left\n"},
		{29*24*time.Hour + 30*time.Minute, "23h30m left\n"},
		{23*time.Hour + 29*time.Minute + 15*time.Second, "45s left\n"},
		{45 * time.Second, "ended 0s ago\nremedy    run jstsync auth refresh\n"},
		{61 * time.Minute, "ended 1h1m ago\nremedy    run jstsync auth refresh\n"},
		{72 * time.Hour, "ended 3 d 1 h ago\nremedy    run jstsync auth refresh\n"},
	} {
		now = now.Add(tt.pass)
		want := "token     stored\nobtained  2026-11-22T10:00:00.000Z\nexpires   2026-12-22T10:00:00.000Z, " + tt.want
		if got := jstsync("auth", "status"); got != want {
			t.Errorf("got\n%swant\n%s", got, want)
		}
	}
	if got, want := jstsync("auth", "status", "--format", "json"), `"left_seconds":-262860,"remedy":"run jstsync auth refresh"}`+"\n"; !strings.HasSuffix(got, want) {
		t.Errorf("got %s, want it to end in %s", got, want)
	}
	if got := jstsync("auth", "refresh"); !strings.Contains(got, "30 d 0 h left") {
		t.Errorf("auth refresh: got %s", got)
	}
}

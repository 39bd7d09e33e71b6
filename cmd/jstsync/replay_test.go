package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"jstsync/internal/mysqltest"
	"jstsync/internal/sandbox"
)

// desk runs command lines in this process.
type desk struct {
	t   *testing.T
	env map[string]string
}

func (d *desk) run(args ...string) (code int, stdout, stderr string) {
	d.t.Helper()
	var out, log bytes.Buffer
	code = run(d.t.Context(), append([]string{"jstsync"}, args...), environment{
		stdout: &out, stderr: &log, now: time.Now,
		getenv: func(name string) (string, bool) { v, ok := d.env[name]; return v, ok },
	})
	return code, out.String(), log.String()
}

// newDesk returns a desk in a directory of its own, beside a sandbox and a
// database, with fast settings.
func newDesk(t *testing.T, o sandbox.Options) (*desk, *sandbox.Server) {
	t.Helper()
	dsn := mysqltest.DSN(t)
	t.Chdir(t.TempDir())
	config := "source: {page_size: 20, rate: {per_second: 10000, per_minute: 1000000}, retry: {max_attempts: 3}}\n"
	if err := os.WriteFile("jstsync.yaml", []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	o.PerSecond, o.PerMinute = -1, -1
	server := sandbox.New(o)
	srv := httptest.NewServer(server)
	t.Cleanup(srv.Close)
	return &desk{t: t, env: map[string]string{
		"JST_BASE_URL": srv.URL, "JST_APP_KEY": "sandbox-key", "JST_APP_SECRET": "sandbox-secret",
		"JST_ACCESS_TOKEN": "sandbox-token", "MYSQL_DSN": dsn,
	}}, server
}

// A replayed plan is to the byte the one that was recorded, whatever happened
// on the way, without a call and without a setting of the source.
func TestReplay_samePlan(t *testing.T) {
	d, server := newDesk(t, sandbox.Options{Seed: 7, Shops: 300})
	if code, _, stderr := d.run("sync"); code != exitOK {
		t.Fatalf("sync: exit code %d, %s", code, stderr)
	}
	shops := server.Shops()
	for _, i := range []int{3, 77, 200} {
		server.Put(shops[i].ID, map[string]any{"shop_name": "新名字", "nick": nil})
	}
	server.Put(99999999, map[string]any{"shop_name": "加的店"})
	server.Remove(shops[5].ID, shops[150].ID)
	for name, faults := range map[string][]sandbox.Fault{
		"nothing":  nil,
		"retries":  {{Kind: sandbox.KindStatus, Page: 2}, {Kind: sandbox.KindTruncate, Page: 9, Times: 2}, {Kind: sandbox.KindHTML, Scope: sandbox.ScopeIDs}},
		"unstable": {{Kind: sandbox.KindRepeatPage, Page: 4}, {Kind: sandbox.KindLatency, Page: 14, Delay: 20 * time.Millisecond}},
		"contrary": {{Kind: sandbox.KindDuplicateID, Page: 3, Times: 2}, {Kind: sandbox.KindReset, Page: 3, Skip: 1}},
		"set aside": {
			{Kind: sandbox.KindLoneSurrogate, Page: 6, Row: 1},
			{Kind: sandbox.KindDuplicateMember, Page: 7, Row: 2},
			{Kind: sandbox.KindBadKey, Page: 8},
		},
		"withheld":                               {{Kind: sandbox.KindIDsExtra}},
		"ends early, with pages fetched in vain": {{Kind: sandbox.KindHasNext, Page: 5}},
		"fails":                                  {{Kind: sandbox.KindStatus, Page: 10, Times: 3, RetryAfter: "0"}},
		"token ends":                             {{Kind: sandbox.KindCode, Page: 10, Code: 100, Msg: "access_token已过期"}},
	} {
		for _, format := range []string{"text", "json"} {
			t.Run(name+" "+format, func(t *testing.T) {
				server.ClearFaults()
				if err := server.Inject(faults...); err != nil {
					t.Fatal(err)
				}
				answers := filepath.Join(t.TempDir(), "answers")
				code, want, said := d.run("plan", "--quiet", "--record", answers, "--format", format, "--detailed-exitcode")
				if format == "json" && !strings.Contains(want, `"pipeline":"shops"`) {
					t.Fatalf("got %q, %s", want, said)
				}
				var calls atomic.Int32 // at an address that nothing recorded knows of
				idle := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls.Add(1) }))
				defer idle.Close()
				alone := &desk{t: t, env: map[string]string{"JSTSYNC_CONFIG": "none.yaml", "JST_BASE_URL": idle.URL}}
				if err := os.WriteFile("none.yaml", []byte("state: jstsync.db\nsource: {page_size: 50}\n"), 0o600); err != nil {
					t.Fatal(err)
				}
				gotCode, got, stderr := alone.run("plan", "--quiet", "--replay", answers, "--format", format, "--detailed-exitcode")
				if got != want || gotCode != code || stderr != said {
					t.Errorf("got exit code %d\n%s%swant %d\n%s%s", gotCode, got, stderr, code, want, said)
				}
				if n := calls.Load(); n != 0 {
					t.Errorf("%d calls were made", n)
				}
			})
		}
	}
}

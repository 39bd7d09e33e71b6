package main

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"jstsync/internal/mysqltest"
	"jstsync/internal/sandbox"
)

// hideout is where one round of the test takes place: a directory with
// everything that is written, and all that was printed.
type hideout struct {
	*desk
	tap     *wiretap
	api     *sandbox.Server
	url     string
	format  string // of the log
	printed strings.Builder
	codes   map[int]int
	config  func(s map[string]string)
}

// jstsync runs a command line at its most talkative and wants its exit code.
func (h *hideout) jstsync(want int, args ...string) {
	h.t.Helper()
	code, stderr := h.try(args...)
	if code != want {
		h.t.Errorf("%v: got exit code %d, want %d: %s", args, code, want, stderr)
	}
	if code != exitOK && stderr == "" {
		h.t.Errorf("%v: exit code %d and not a word", args, code)
	}
	h.codes[code]++
}

// try runs a command line at its most talkative.
func (h *hideout) try(args ...string) (code int, stderr string) {
	h.t.Helper()
	code, stdout, stderr := h.run(append([]string{"--log-level", "debug", "--log-format", h.format}, args...)...)
	fmt.Fprintf(&h.printed, "$ %s\n%s%s", strings.Join(args, " "), stdout, stderr)
	return code, stderr
}

// with runs the steps with other settings.
func (h *hideout) with(change map[string]string, steps func()) {
	settings := h.settings()
	for name, value := range change {
		settings[name] = value
	}
	h.config(settings)
	steps()
	h.config(h.settings())
}

func (h *hideout) settings() map[string]string {
	return map[string]string{
		"base_url": h.url, "app_key": "sandbox-key", "app_secret": theAppSecret,
		"access_token": theAccessToken, "dsn": h.env["DSN"],
	}
}

func newHideout(t *testing.T, admin, given, format string) *hideout {
	t.Helper()
	t.Chdir(t.TempDir())
	api := sandbox.New(sandbox.Options{
		Seed: 7, Shops: 12, PerSecond: -1, PerMinute: -1,
		AppSecret: theAppSecret, AccessToken: theAccessToken, RefreshToken: theRefreshToken,
	})
	tap := &wiretap{sandbox: api, secrets: map[string]string{
		theAppSecret: "app secret", theAccessToken: "access token", theRefreshToken: "refresh token",
		thePassword: "password", theWrongSecret: "wrong app secret",
	}}
	srv := httptest.NewServer(tap)
	t.Cleanup(srv.Close)
	h := &hideout{
		desk: &desk{t: t, env: map[string]string{"DSN": userDSN(t, admin, thePassword)}},
		tap:  tap, api: api, url: srv.URL, format: format, codes: map[int]int{},
	}
	h.config = map[string]func(map[string]string){
		"environment": h.byEnvironment, "file": h.byFile, "files": h.byFiles,
	}[given]
	return h
}

// userDSN makes a database with a user who needs the password.
func userDSN(t *testing.T, admin, password string) string {
	t.Helper()
	c, err := mysql.ParseDSN(mysqltest.DSN(t))
	if err != nil {
		t.Fatal(err)
	}
	db := mysqltest.DB(t, admin)
	user := "u_" + c.DBName[len(c.DBName)-12:]
	for _, statement := range []string{
		fmt.Sprintf("CREATE USER '%s'@'%%' IDENTIFIED BY '%s'", user, password),
		fmt.Sprintf("CREATE USER '%s'@'localhost' IDENTIFIED BY '%s'", user, password),
		fmt.Sprintf("GRANT ALL ON %s.* TO '%s'@'%%', '%s'@'localhost'", c.DBName, user, user),
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	c.User, c.Passwd = user, password
	return c.FormatDSN()
}

const commonYAML = "  rate: {per_second: 10000, per_minute: 1000000}\n  timeout: 2s\n  retry: {max_attempts: 2, max_elapsed: 5s}\nlock_timeout: 20ms\n"

func (h *hideout) write(name, text string) {
	h.t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

func (h *hideout) byEnvironment(s map[string]string) {
	h.write("jstsync.yaml", "source:\n"+commonYAML)
	for name, setting := range map[string]string{
		"JST_BASE_URL": "base_url", "JST_APP_KEY": "app_key", "JST_APP_SECRET": "app_secret",
		"JST_ACCESS_TOKEN": "access_token", "MYSQL_DSN": "dsn",
	} {
		h.env[name] = s[setting]
	}
}

func (h *hideout) byFile(s map[string]string) {
	text := "source:\n"
	for _, name := range []string{"base_url", "app_key", "app_secret", "access_token"} {
		if s[name] != "" {
			text += fmt.Sprintf("  %s: %q\n", name, s[name])
		}
	}
	h.write("jstsync.yaml", text+commonYAML+fmt.Sprintf("target: {dsn: %q}\n", s["dsn"]))
}

func (h *hideout) byFiles(s map[string]string) {
	if err := os.MkdirAll("given", 0o700); err != nil {
		h.t.Fatal(err)
	}
	text := fmt.Sprintf("source:\n  base_url: %q\n", s["base_url"])
	for _, name := range []string{"app_key", "app_secret", "access_token"} {
		if s[name] != "" {
			h.write(filepath.Join("given", name), s[name]+"\n")
			text += fmt.Sprintf("  %s_file: given/%s\n", name, name)
		}
	}
	h.write("given/dsn", s["dsn"]+"\n")
	h.write("jstsync.yaml", text+commonYAML+"target: {dsn_file: given/dsn}\n")
}

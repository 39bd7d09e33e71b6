package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"jstsync/internal/mysqltest"
	"jstsync/internal/sandbox"
	"jstsync/state"
)

// The secrets of the test, with characters that every encoding spells its own
// way. More come as the API gives out tokens and calls are signed.
const (
	theAppSecret    = "app/Secret+of&the=<merchant>'1"
	theAccessToken  = "access/Token+of&the=<merchant>'2" //nolint:gosec // made up, as the others
	theRefreshToken = "refresh/Token+of&the=<merchant>'3"
	thePassword     = "dbPassw0rd+of(the)user!4"
	theWrongSecret  = "wrong/Secret+of&the=<merchant>'5"
)

// wiretap stands before a sandbox, learns what is secret from the calls, and
// answers some of them with what it heard.
type wiretap struct {
	sandbox http.Handler

	mu      sync.Mutex
	secrets map[string]string // what they are
	signs   int
	turn    int
	path    string // of the calls that echo answers
	echo    func(w http.ResponseWriter, heard, last string)
}

func (tap *wiretap) learn(what, secret string) {
	if secret != "" {
		tap.secrets[secret] = what
	}
}

func (tap *wiretap) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	form, _ := url.ParseQuery(string(body))
	tap.mu.Lock()
	for _, name := range []string{"sign", "access_token", "refresh_token"} {
		tap.learn(name+" of a call", form.Get(name))
	}
	tap.signs++
	echo := tap.echo
	if r.URL.Path != tap.path {
		echo = nil
	}
	tap.mu.Unlock()
	switch {
	case echo != nil:
		last := form.Get("access_token") + form.Get("refresh_token") // a call has one of them
		if tap.turn++; last == "" || tap.turn%2 == 0 {
			last = form.Get("sign")
		}
		echo(w, spelled(string(body), form.Get("sign"), form.Get("access_token"), form.Get("refresh_token"), theAppSecret), last)
	case r.URL.Path == sandbox.PathShops:
		tap.sandbox.ServeHTTP(w, r)
	default:
		rec := httptest.NewRecorder()
		tap.sandbox.ServeHTTP(rec, r)
		var grant struct {
			Data struct {
				Access  string `json:"access_token"`
				Refresh string `json:"refresh_token"`
			} `json:"data"`
		}
		_ = json.Unmarshal(rec.Body.Bytes(), &grant)
		tap.mu.Lock()
		tap.learn("access token given out", grant.Data.Access)
		tap.learn("refresh token given out", grant.Data.Refresh)
		tap.mu.Unlock()
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	}
}

// answer makes calls of the path be answered by the echo; nil ends that.
func (tap *wiretap) answer(path string, echo func(w http.ResponseWriter, heard, last string)) {
	tap.mu.Lock()
	defer tap.mu.Unlock()
	tap.path, tap.echo = path, echo
}

// spelled returns the texts in every spelling that may come back.
func spelled(texts ...string) string {
	var b strings.Builder
	for _, s := range texts {
		for _, spelling := range spellingsOf(s) {
			b.WriteString(spelling + " ")
		}
	}
	return b.String()
}

func spellingsOf(s string) []string {
	asJSON, _ := json.Marshal(s)
	quoted := strings.Trim(string(asJSON), `"`)
	return []string{
		s, url.QueryEscape(s), url.PathEscape(s), quoted, html.EscapeString(s),
		strings.ReplaceAll(s, "/", `\/`), strings.ReplaceAll(html.EscapeString(s), "+", "&#43;"),
	}
}

// The answers that tell what they heard, the last of it cut in two. What a
// record holds is not among them: that is data.
var echoes = map[string]func(w http.ResponseWriter, heard, last string){
	"a page": func(w http.ResponseWriter, heard, _ string) {
		w.Header().Set("Content-Type", "text/html; heard="+url.QueryEscape(heard))
		w.WriteHeader(http.StatusBadGateway)
		fmt.Fprintf(w, "<html>%s</html>", heard)
	},
	"a message": func(w http.ResponseWriter, heard, _ string) {
		_ = json.NewEncoder(w).Encode(map[string]any{"code": 150, "msg": "无效的 " + heard})
	},
	"a token message": func(w http.ResponseWriter, heard, _ string) {
		_ = json.NewEncoder(w).Encode(map[string]any{"code": 100, "msg": "access_token已过期 " + heard})
	},
	"a redirection": func(w http.ResponseWriter, heard, _ string) {
		w.Header().Set("Location", "https://elsewhere.example/"+url.PathEscape(heard)+"?"+heard)
		w.WriteHeader(http.StatusFound)
		fmt.Fprint(w, heard)
	},
	"a field": func(w http.ResponseWriter, heard, last string) {
		_ = json.NewEncoder(w).Encode(map[string]any{
			"code": 0, "data": map[string]any{"datas": nil, "has_next": "what I heard is" + last + heard},
		})
	},
	"a name": func(w http.ResponseWriter, _, last string) {
		name, _ := json.Marshal(strings.Repeat("n", 60) + last + strings.Repeat("n", 30))
		fmt.Fprintf(w, `{"data":{"datas":[{%s:{%s:oops}}]}}`, name, name)
	},
	"a word": func(w http.ResponseWriter, _, last string) { fmt.Fprint(w, `"`+last) },
	"the first half": func(w http.ResponseWriter, heard, last string) {
		w.Header().Set("Content-Length", "1000000")
		fmt.Fprint(w, heard+last[:len(last)*3/4])
	},
}

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
	code, stdout, stderr := h.run(append([]string{"--log-level", "debug", "--log-format", h.format}, args...)...)
	fmt.Fprintf(&h.printed, "$ %s\n%s%s", strings.Join(args, " "), stdout, stderr)
	if code != want {
		h.t.Errorf("%v: got exit code %d, want %d: %s", args, code, want, stderr)
	}
	if code != exitOK && stderr == "" {
		h.t.Errorf("%v: exit code %d and not a word", args, code)
	}
	h.codes[code]++
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

// Nothing that is secret is ever printed or written, whatever happens.
func TestSecrets(t *testing.T) {
	admin := mysqltest.DSN(t)
	for given, format := range map[string]string{"environment": "json", "file": "text", "files": "json"} {
		t.Run(given+" "+format, func(t *testing.T) {
			h := newHideout(t, admin, given, format)
			h.config(h.settings())
			h.goodDays()
			h.badSource()
			h.badTokens()
			h.badTarget()
			h.lookBack()
			h.search(given)
		})
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

// goodDays is what goes well, with the configured token and with stored ones.
func (h *hideout) goodDays() {
	h.jstsync(exitOK, "auth", "status")
	h.jstsync(exitOK, "plan", "--record", "answers")
	h.jstsync(exitOK, "sync", "--record", "answers")
	h.jstsync(exitOK, "auth", "init")
	h.jstsync(exitOK, "auth", "status", "--format", "json")
	h.api.Put(99999999, map[string]any{"shop_name": "加的店"})
	h.jstsync(exitOK, "sync", "--record", "answers", "--format", "json")
	h.api.ExpireToken()
	h.api.Remove(99999999)
	h.jstsync(exitOK, "sync", "--record", "answers")
	h.jstsync(exitOK, "auth", "refresh", "--format", "json")
	h.jstsync(exitOK, "plan", "--replay", "answers", "--format", "json")
	h.jstsync(exitOK, "version")
}

// badSource is every class of failure that the API can be made to answer, and
// every way it may tell what it heard.
func (h *hideout) badSource() {
	for _, code := range []int{10, 110, 120, 130, 150, 160, 180, 190, 199, 200, 21024} {
		if err := h.api.Inject(sandbox.Fault{Kind: sandbox.KindCode, Code: code, Msg: "令牌", Times: -1}); err != nil {
			h.t.Fatal(err)
		}
		h.jstsync(exitFailed, "plan", "--record", "answers", "--format", "json")
		h.api.ClearFaults()
	}
	for _, kind := range []sandbox.Kind{sandbox.KindReset, sandbox.KindTruncate, sandbox.KindHTML, sandbox.KindStatus} {
		if err := h.api.Inject(sandbox.Fault{Kind: kind, Times: -1}); err != nil {
			h.t.Fatal(err)
		}
		h.jstsync(exitFailed, "plan", "--record", "answers")
		h.api.ClearFaults()
	}
	for _, echo := range echoes {
		h.tap.answer(sandbox.PathShops, echo)
		h.jstsync(exitFailed, "plan", "--record", "answers", "--format", "json")
		h.jstsync(exitFailed, "plan", "--replay", "answers")
		h.jstsync(exitFailed, "sync", "--record", "answers")
		h.tap.answer("", nil)
	}
	h.with(map[string]string{"base_url": "http://127.0.0.1:1"}, func() { h.jstsync(exitFailed, "sync", "--record", "answers") })
	h.with(map[string]string{"base_url": strings.Replace(h.url, "http:", "https:", 1)}, func() { h.jstsync(exitFailed, "plan", "--record", "answers") })
	h.with(map[string]string{"app_secret": theWrongSecret}, func() {
		h.jstsync(exitFailed, "plan", "--record", "answers")
		h.jstsync(exitFailed, "sync")
		h.jstsync(exitOK, "auth", "status")
		h.jstsync(exitFailed, "auth", "init")
		h.jstsync(exitFailed, "auth", "refresh")
	})
	h.with(map[string]string{"app_secret": ""}, func() { h.jstsync(exitConfig, "sync") })
}

// badTokens is tokens that end, and calls for new ones that fail.
func (h *hideout) badTokens() {
	h.api.ExpireToken()
	h.jstsync(exitFailed, "plan", "--record", "answers")
	for _, path := range []string{sandbox.PathInitToken, sandbox.PathRefreshToken} {
		for name, echo := range echoes {
			h.tap.answer(path, echo)
			if path == sandbox.PathInitToken {
				h.jstsync(exitFailed, "auth", "init")
			} else if !slices.Contains([]string{"a page", "the first half", "a name", "a word"}, name) { // those are no refusal
				h.jstsync(exitOK, "auth", "refresh")
			} else {
				h.jstsync(exitFailed, "auth", "refresh")
				h.api.ExpireToken()
				h.jstsync(exitFailed, "sync", "--record", "answers")
			}
			h.tap.answer("", nil)
		}
	}
	h.jstsync(exitOK, "auth", "init")
	h.with(map[string]string{"access_token": ""}, func() { h.jstsync(exitOK, "auth", "status") })
}

// badTarget is a database that does not answer, or refuses, or is none.
func (h *hideout) badTarget() {
	h.api.Put(88888888, map[string]any{"shop_name": "另一家"})
	good := h.settings()["dsn"]
	for dsn, want := range map[string]int{
		strings.Replace(good, ")/", "/", 1):                     exitConfig,
		thePassword:                                             exitConfig,
		good + "?parseTime=true":                                exitConfig,
		"u:" + thePassword + "@tcp(127.0.0.1:1)/d":              exitFailed,
		strings.Replace(good, "u_", "nobody_", 1):               exitFailed,
		good + "_absent":                                        exitFailed,
		strings.Replace(good, thePassword, thePassword+"x", 1):  exitFailed,
		strings.Replace(good, "tcp(127.0.0.1", "tcp(nohost", 1): exitFailed,
	} {
		h.with(map[string]string{"dsn": dsn}, func() { h.jstsync(want, "sync", "--record", "answers") })
	}
	lock, err := state.Acquire(h.t.Context(), "jstsync.db", time.Second, time.Now())
	if err != nil {
		h.t.Fatal(err)
	}
	h.jstsync(exitBusy, "sync", "--record", "answers")
	h.jstsync(exitBusy, "auth", "init")
	if err := lock.Release(); err != nil {
		h.t.Fatal(err)
	}
	h.jstsync(exitOK, "sync", "--record", "answers")
}

// lookBack reads all that was kept.
func (h *hideout) lookBack() {
	runs, err := state.Runs("jstsync.db", 0)
	if err != nil || len(runs) < 10 {
		h.t.Fatalf("got %d runs, %v", len(runs), err)
	}
	for _, r := range runs {
		for _, format := range []string{"text", "json", "csv"} {
			h.jstsync(exitOK, "runs", "show", fmt.Sprint(r.Run), "--format", format)
		}
	}
	h.jstsync(exitOK, "runs", "--format", "json")
	h.jstsync(exitOK, "runs", "--summary", "--format", "json")
	dirs, err := os.ReadDir("answers")
	if err != nil || len(dirs) < 30 {
		h.t.Fatalf("got %d recordings, %v", len(dirs), err)
	}
}

// search looks for every secret, in every spelling and by halves, in all that
// was printed and written.
func (h *hideout) search(given string) {
	everything := map[string]string{"what was printed": h.printed.String()}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if path == "jstsync.yaml" || strings.HasPrefix(path, "given") {
			return nil // where they came from
		}
		text, err := os.ReadFile(path)
		everything[path] = string(text)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	if h.codes[exitFailed] < 40 || h.tap.signs < 60 || len(h.tap.secrets) < 40 {
		h.t.Errorf("exit codes %v, %d calls, %d secrets: too little was tried", h.codes, h.tap.signs, len(h.tap.secrets))
	}
	for _, place := range []string{"what was printed", "jstsync.db", "jstsync.db.lock"} {
		if everything[place] == "" && place != "jstsync.db.lock" {
			h.t.Errorf("there is nothing in %s", place)
		}
	}
	found := 0
	for secret, what := range h.tap.secrets {
		half := len(secret) / 2
		looked := append(spellingsOf(secret), secret[:half], secret[half:],
			base64.StdEncoding.EncodeToString([]byte(secret)), fmt.Sprintf("%x", secret))
		for place, text := range everything {
			for _, s := range looked {
				if i := strings.Index(text, s); i >= 0 {
					if found++; found <= 10 {
						h.t.Errorf("by %s: %s (%s) is in %s: …%q", given, what, s, place, text[max(0, i-80):min(len(text), i+len(s)+20)])
					}
					break
				}
			}
		}
	}
	if found > 0 {
		h.t.Errorf("%d secrets were found", found)
	}
}

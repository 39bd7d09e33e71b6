package main

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/urfave/cli/v2"

	"jstsync/internal/mysqltest"
	"jstsync/internal/sandbox"
	"jstsync/state"
)

// The secrets of the test, with characters that every encoding spells its own
// way. More come as the API gives out tokens and calls are signed.
const (
	theAppSecret    = "app/Secret+of&the=<merchant>'1"
	theAccessToken  = "access/Token+of&the=<merchant>'2"
	theRefreshToken = "refresh/Token+of&the=<merchant>'3"
	thePassword     = "dbPassw0rd+of(the)user!4"
	theWrongSecret  = "wrong/Secret+of&the=<merchant>'5"
)

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
			h.everyCommand(nil, (&program{}).app().Commands)
			h.search(given)
		})
	}
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
	h.api.Put(77777777, map[string]any{"shop_name": "计划的店"})
	h.jstsync(exitOK, "plan", "--out", "x.plan")
	h.jstsync(exitOK, "show", "x.plan", "--format", "json")
	h.jstsync(exitOK, "apply", "x.plan", "--format", "json")
	h.jstsync(exitFailed, "apply", "x.plan")
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
		h.try("doctor", "--format", "json") // which speaks on stdout alone
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
		h.with(map[string]string{"dsn": dsn}, func() {
			h.jstsync(want, "sync", "--record", "answers")
			h.try("doctor", "--format", "json") // which speaks on stdout alone
		})
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

// everyCommand runs each command there is once more as it comes, whatever it
// says, but for those that stay; what is new to the program is tried like that
// at least.
func (h *hideout) everyCommand(path []string, commands []*cli.Command) {
	for _, c := range commands {
		if c.Name == "sandbox" || c.Name == "serve" {
			continue
		}
		words := append(slices.Clone(path), c.Name)
		h.try(words...)
		h.try(append(words, "--format", "json")...)
		h.everyCommand(words, c.Subcommands)
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
		if err == nil && path == "x.plan" {
			text, err = unpacked(text)
		}
		everything[path] = string(text)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	if h.codes[exitFailed] < 40 || h.tap.signs < 60 || len(h.tap.secrets) < 40 {
		h.t.Errorf("exit codes %v, %d calls, %d secrets: too little was tried", h.codes, h.tap.signs, len(h.tap.secrets))
	}
	for _, place := range []string{"what was printed", "jstsync.db", "x.plan", "jstsync.db.lock"} {
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

// unpacked returns what stands compressed in a plan file.
func unpacked(file []byte) ([]byte, error) {
	_, body, _ := bytes.Cut(file, []byte("\n"))
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	z.Multistream(false)
	return io.ReadAll(z)
}

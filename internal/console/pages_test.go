package console_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"jstsync/diff"
	"jstsync/internal/console"
	"jstsync/internal/consoletest"
	"jstsync/internal/lang"
)

// Every page says what it is for.
func TestPages(t *testing.T) {
	v := open(t, small(t))
	for path, texts := range map[string][]string{
		"/":                                  {"shops", "Held: nothing was written", "40 deletes of", "jstsync plan shops --out FILE\njstsync apply --override-guard FILE", "Run now", "Dry run", "Pause", "expired: "},
		"/runs":                              {"/runs/6", "held", "failed", "committed", "unchanged"},
		"/runs?status=failed":                {"/runs/5"},
		"/runs/3":                            {"晴川食品", "committed", "within the limits", "/open/shops/query"},
		"/runs/5":                            {"vendor_fault", "HTTP 502", "partial"},
		"/runs/6":                            {"First keys:", "… and 30 more", "The limits are 5 and 10 %"},
		"/changes":                           {"晴川食品", "run 3", "run 4", "delete"},
		"/changes?op=delete":                 {"run 4"},
		"/changes?since=3&until=3":           {"run 3"},
		"/record?key=" + consoletest.Shop:    {"&lt;script&gt;alert(1)", "As it is, and since when", "run 1"},
		"/table":                             {"shop_name", "店铺名称", "More"},
		"/table?at=1":                        {"As it stood after run 1."},
		"/compare?a=1&b=4":                   {"晴川食品", "delete"},
		"/compare?a=2&b=2":                   {"There is no difference."},
		"/api":                               {"2026-11-22", "quota 144,000 calls a day", "HTTP 502", "not listed"},
		"/quarantine":                        {"No record is set aside."},
		"/dry-run":                           {"No dry run was asked for"},
		"/changes?since=nonsense&until=":     {"Not understood:"},
		"/record?key=nonsense":               {"Not understood:"},
		"/record?key=1":                      {"Nothing is on record of this key."},
		"/table?from=nonsense":               {"Not understood:"},
		"/compare?a=nonsense&b=1":            {"Not understood:"},
		"/changes?field=shop_name&op=insert": {"run 1"},
	} {
		v.want(v.get(path), texts...)
	}
	if body := v.get("/changes?op=delete"); strings.Contains(body, "晴川食品") {
		t.Error("a page of deletes has updates")
	}
	if body := v.get("/runs?status=failed"); strings.Contains(body, `href="/runs/6"`) {
		t.Error("a page of failed runs has others")
	}
}

// What is not there is a page too.
func TestPages_missing(t *testing.T) {
	v := open(t, small(t))
	for _, path := range []string{
		"/nothing", "/runs/999", "/runs/0", "/runs/x", "/runs/18446744073709551616", "/runs/3?at_run=3&at_key=nonsense", "/record?pipeline=other&key=1", "/static/secret", "/static/..%2flayout.html", "/web/style.css",
	} {
		status, body, header := v.do(v.request(http.MethodGet, path, nil))
		if status != http.StatusNotFound || header.Get("Content-Security-Policy") == "" {
			t.Errorf("GET %s: got status %d\n%s", path, status, body)
		}
	}
}

// A page goes on where the one before it ended, to the end.
func TestPages_turn(t *testing.T) {
	v := open(t, small(t))
	next := regexp.MustCompile(`rel="next" href="([^"]+)"`)
	for path, count := range map[string]struct {
		mark string
		want int
	}{
		"/changes": {`<article class="change`, 0}, "/table": {`<th scope="row"><a`, 0},
	} {
		seen, pages := 0, 0
		for at := path; at != ""; pages++ {
			body := v.get(at)
			seen += strings.Count(body, count.mark)
			m := next.FindStringSubmatch(body)
			if at = ""; m != nil {
				at = strings.ReplaceAll(m[1], "&amp;", "&")
			}
			if strings.Count(body, count.mark) > 50 || pages > 10 {
				t.Fatalf("%s: a page has more than it should, or there is no end", path)
			}
		}
		loaded := v.w.Rows("shops")
		want := loaded // rows of the table
		if path == "/changes" {
			want = loaded + 2 + 3 + 2 // inserts, of which two were deleted, and three updates
		}
		if seen != want || pages < 3 {
			t.Errorf("%s: %d entries on %d pages, want %d", path, seen, pages, want)
		}
	}
}

// Every value is text.
func TestPages_escape(t *testing.T) {
	w := small(t)
	w.Aside = []diff.SetAside{{Quarantined: diff.Quarantined{Key: consoletest.Hostile, Reason: consoletest.Hostile}, Run: 1, Since: w.Now}}
	v := open(t, w)
	for _, path := range []string{
		"/", "/runs/1", "/changes", "/changes?key=" + consoletest.Shop, "/record?key=" + consoletest.Shop, "/quarantine", "/table?from=" + consoletest.Shop,
		"/record?key=%3Cscript%3Ealert(1)%3C/script%3E", "/runs?pipeline=%22%3E%3Cscript%3E", "/changes?since=%22%3E%3Cscript%3Ealert(1)", "/compare?a=%3Cscript%3E&b=%3Cimg+src=x%3E",
	} {
		body := v.get(path)
		for _, bad := range []string{"<script>", "<img", "onerror=alert(1)>", "style=", " onclick"} {
			if strings.Contains(body, bad) {
				t.Errorf("%s: the page has %s:\n%s", path, bad, body)
			}
		}
	}
	v.want(v.get("/record?key="+consoletest.Shop), "&lt;script&gt;alert(1)&lt;/script&gt;")
}

// The whole console is small, and asks nobody else for anything.
func TestWeb_small(t *testing.T) {
	files, err := filepath.Glob("web/*")
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		total += len(text)
		rest := bytes.ReplaceAll(text, []byte(`xmlns="http://www.w3.org/2000/svg"`), nil)
		if bytes.Contains(rest, []byte("http://")) || bytes.Contains(rest, []byte("https://")) || bytes.Contains(rest, []byte("style=")) {
			t.Errorf("%s: it has an address of elsewhere, or a style of its own", file)
		}
	}
	if const60K := 60 << 10; total > const60K {
		t.Errorf("pages, style and script have %d bytes, want at most %d", total, const60K)
	}
}

// The language and the theme are those that the visitor chose, else those of the
// settings and the system.
func TestPages_preferences(t *testing.T) {
	w := small(t)
	w.Settings.Language = lang.Chinese
	v := open(t, w)
	v.want(v.get("/"), `lang="zh-CN"`, "总览", "立即运行", `data-theme="auto"`)
	status, header, _ := v.post("/preferences", "form", v.formToken(), "lang", "en", "theme", "dark", "back", "/runs?status=held")
	if status != http.StatusSeeOther || header.Get("Location") != "/runs?status=held" {
		t.Errorf("got status %d, to %q", status, header.Get("Location"))
	}
	v.want(v.get("/"), `lang="en"`, "Overview", `data-theme="dark"`)
	for _, back := range []string{"https://evil.example/", "//evil.example", `/\evil.example`, "javascript:alert(1)", "/login"} {
		if _, header, _ := v.post("/preferences", "form", v.formToken(), "lang", "en", "back", back); header.Get("Location") != "/" {
			t.Errorf("%q leads to %q", back, header.Get("Location"))
		}
	}
}

// The buttons steer.
func TestAct(t *testing.T) {
	w := small(t)
	planned := make(chan struct{})
	w.Plan = func(p string) (*diff.Plan, error) {
		<-planned
		return w.PlanOf(p, consoletest.Change{Before: w.Row(5, "旧名"), After: w.Row(5, "新名")}), nil
	}
	v := open(t, w)
	token := v.formToken()
	for _, act := range []string{"run", "pause", "resume"} {
		if status, _, body := v.post("/act", "form", token, "act", act, "pipeline", "shops", "back", "/"); status != http.StatusSeeOther {
			t.Errorf("%s: got status %d\n%s", act, status, body)
		}
	}
	if got := strings.Join(w.Steered, ", "); got != "run shops, pause shops, resume shops" {
		t.Errorf("the scheduler was asked to %s", got)
	}
	for _, fields := range [][]string{{"act", "run", "pipeline", "other"}, {"act", "drop", "pipeline", "shops"}, {"act", "dry-run", "pipeline", "other"}} {
		if status, _, _ := v.post("/act", append(fields, "form", token)...); status != http.StatusNotFound {
			t.Errorf("%v: got status %d, want 404", fields, status)
		}
	}
	if status, header, _ := v.post("/act", "form", token, "act", "dry-run", "pipeline", "shops"); status != http.StatusSeeOther || header.Get("Location") != "/dry-run" {
		t.Errorf("got status %d, to %q", status, header.Get("Location"))
	}
	v.want(v.get("/dry-run"), "Looking for what a run would change")
	close(planned)
	for end := time.Now().Add(10 * time.Second); !strings.Contains(v.get("/dry-run"), "What a run would change"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the dry run does not end")
		}
	}
	v.want(v.get("/dry-run"), "旧", "新", "nothing was written")
}

// unchanging are runs to which nothing is added.
type unchanging struct{ console.Runs }

func (unchanging) Stamp() string { return "same" }

// A phrase of time is understood anew by each page, also while nothing changes.
func TestPages_relative(t *testing.T) {
	w := consoletest.New(t)
	w.Load("shops", 10, w.Now.Add(-5*time.Hour))
	w.Rename("shops", 3, w.Now.Add(-30*time.Minute), "新的名字")
	o, later := w.Options(t.Context()), time.Duration(0)
	o.Runs = unchanging{o.Runs}
	when := o.When
	o.When = func(text string, end bool) (uint64, time.Time, error) {
		if text == "1 hour ago" {
			return 0, w.Now.Add(later - time.Hour), nil
		}
		return when(text, end)
	}
	c := console.New(o)
	for _, path := range []string{"/changes?since=1+hour+ago", "/table?at=1+hour+ago", "/compare?a=1+hour+ago&b=2"} {
		var shown [2]bool
		for i := range shown {
			later = time.Duration(i) * time.Hour
			r := httptest.NewRequestWithContext(t.Context(), "GET", "http://localhost"+path, nil)
			r.RemoteAddr = "127.0.0.1:9"
			answer := httptest.NewRecorder()
			c.ServeHTTP(answer, r)
			shown[i] = strings.Contains(answer.Body.String(), "新的名字")
		}
		if shown[0] == shown[1] {
			t.Errorf("%s shows the same an hour later: %v", path, shown)
		}
	}
}

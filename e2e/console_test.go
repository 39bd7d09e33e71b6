package e2e_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"jstsync/diff"
	"jstsync/internal/console"
	"jstsync/internal/consoletest"
	"jstsync/internal/lang"
)

// showing serves the console of a world.
func showing(t *testing.T, w *consoletest.World) string {
	t.Helper()
	s := httptest.NewServer(console.New(w.Options(t.Context())))
	t.Cleanup(s.Close)
	return s.URL
}

// consolePages are all pages, by the name of a picture.
var consolePages = map[string]string{ //nolint:gochecknoglobals // a table
	"overview": "/", "runs": "/runs", "run": "/runs/565", "held": "/runs/574", "changes": "/changes", "record": "/record?pipeline=shops&key=" + consoletest.Shop,
	"compare": "/compare?pipeline=shops&a=400&b=500", "table": "/table", "api": "/api", "quarantine": "/quarantine", "dryrun": "/dry-run",
	"missing": "/nothing", "wrong": "/changes?since=nonsense",
}

// On every screen and in both languages each page is quiet, asks nobody else for
// anything, is as wide as the screen and can be read and touched.
func TestConsole_Screens(t *testing.T) {
	b := start(t)
	w := consoletest.Month(t)
	w.Plan = func(p string) (*diff.Plan, error) {
		return w.PlanOf(p, consoletest.Change{Before: w.Row(5, "旧名"), After: w.Row(5, "新名🎉")}, consoletest.Change{After: w.Row(6, consoletest.Hostile)}), nil
	}
	url := showing(t, w)
	dryRun := b.visit(t, url, desktop)
	dryRun.press("button[value=dry-run]")
	dryRun.waitFor(`document.body.innerText.includes('nothing was written')`)
	for language, screens := range map[lang.Language][]screen{lang.English: {desktop, pocket}, lang.Chinese: {night, phone}} {
		w.Change(func(s *console.Settings) { s.Language = language })
		for _, s := range screens {
			for name, path := range consolePages {
				t.Run(strings.Join([]string{name, string(language), s.name}, "/"), func(t *testing.T) { looksRight(t, b, url, name, path, s) })
			}
		}
	}
	w.Change(func(s *console.Settings) { s.Language, s.Token = lang.Chinese, "token" })
	for _, s := range screens {
		t.Run("login/"+s.name, func(t *testing.T) { looksRight(t, b, url, "login", "/login", s) })
	}
}

func looksRight(t *testing.T, b browser, url, name, path string, s screen) {
	t.Helper()
	p := b.visit(t, url+path, s)
	p.shoot("console-" + name)
	if got := eval[int64](p, `document.documentElement.scrollWidth`); got > s.width {
		t.Errorf("the page is %d pixels wide on a screen of %d", got, s.width)
	}
	for _, problem := range eval[[]string](p, accessibility) {
		t.Error(problem)
	}
	if s.width < 640 {
		for _, problem := range eval[[]string](p, small) {
			t.Error(problem)
		}
	}
	p.ownOnly(url)
}

// small lists what is too small for a thumb.
const small = `[...document.querySelectorAll('button, input:not([type=hidden]), select, nav a, summary')].filter(e => e.checkVisibility() && !e.classList.contains('hide'))
	.map(e => [e, e.getBoundingClientRect()]).filter(([e, box]) => box.height < 43.5).map(([e, box]) => 'too small to touch: ' + e.outerHTML + ' ' + box.height)`

// ownOnly checks that the page logged nothing, and that no request left its
// origin or was stopped by its policy.
func (p *tab) ownOnly(origin string) {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, line := range p.console {
		if !strings.Contains(line, "404 (Not Found)") { // a page that is not there says so itself
			p.t.Errorf("the console says %q", line)
		}
	}
	for _, r := range p.requests {
		if !strings.HasPrefix(r, origin+"/") {
			p.t.Errorf("the page asks for %s", r)
		}
	}
	if p.blocked > 0 {
		p.t.Errorf("the policy stopped %d requests", p.blocked)
	}
}

// press clicks what the selector finds first.
func (p *tab) press(selector string) {
	p.t.Helper()
	if !eval[bool](p, `(e => e && !e.disabled && (e.click(), true))(document.querySelector('`+selector+`')) || false`) {
		p.t.Fatalf("there is nothing to press: %s\n%s", selector, eval[string](p, `document.body.innerText`))
	}
}

// What a record holds is text, on every page that shows it.
func TestConsole_Hostile(t *testing.T) {
	b := start(t)
	w := consoletest.New(t)
	w.Load("shops", 30, w.Now.Add(-3600e9))
	url := showing(t, w)
	for _, path := range []string{"/runs/1", "/changes", "/record?key=" + consoletest.Shop, "/table"} {
		p := b.visit(t, url+path, desktop)
		if got := eval[int](p, `document.querySelectorAll('main img, main iframe, main script, main [onerror]').length`); got != 0 {
			t.Errorf("%s: %d elements came out of a record", path, got)
		}
		if !eval[bool](p, `document.querySelector('main').textContent.includes('<script>alert(1)</script>')`) && path != "/runs/1" {
			t.Errorf("%s: the name is not shown as it is", path)
		}
		p.ownOnly(url)
	}
}

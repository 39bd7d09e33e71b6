package e2e_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"jstsync/internal/sandbox"
)

const served = "pipelines: {shops: {every: 1h}}\nserve: {listen: ADDRESS, language: en}\n"

// Each button of the program as it ships does what it says.
func TestServe_Buttons(t *testing.T) {
	b := start(t)
	w := serving(t, served, func(*sandbox.Server) {})
	p := b.visit(t, w.url, desktop)
	state := func(text string) {
		t.Helper()
		p.waitFor(`document.querySelector('.card header .badge')?.textContent === '` + text + `'`)
	}
	state("in step")
	p.press("button[value=pause]")
	state("paused")
	if eval[bool](p, `!document.querySelector('button[value=run]').disabled`) {
		t.Error("a paused pipeline can be run")
	}
	p.press("button[value=resume]")
	state("in step")

	w.shops.Put(w.shops.Shops()[0].ID, map[string]any{"shop_name": `<b>改名</b>`})
	p.press("button[value=dry-run]")
	p.waitFor(`document.querySelector('h1')?.textContent === 'What a run would change'`)
	p.waitFor(`document.querySelector('ins')?.textContent === '<b>改名</b>'`)
	if got := w.command("runs", "--limit", "1", "--format", "json"); !strings.Contains(got, `"status":"unchanged"`) {
		t.Errorf("a dry run left a record: %s", got)
	}

	p.do(chromedp.Navigate(w.url))
	p.press("button[value=run]")
	w.wait(`"status":"committed","dur_ms"`)
	p.waitFor(`[...document.querySelectorAll('.facts .badge')].some(e => e.textContent === 'committed')`) // by itself
	p.press(".facts a")
	p.waitFor(`document.querySelector('h1')?.textContent.startsWith('Run ')`)
	p.waitFor(`document.querySelector('ins')?.textContent === '<b>改名</b>'`)

	p.press("button[name=lang]")
	p.waitFor(`document.documentElement?.lang === 'zh-CN' && document.querySelector('h1')?.textContent.startsWith('运行')`)
	for _, theme := range []string{"light", "dark", "auto"} {
		p.press("button[name=theme]")
		p.waitFor(`document.documentElement?.dataset.theme === '` + theme + `'`)
	}
	p.ownOnly(w.url)
}

// The keyboard alone is enough.
func TestServe_Keyboard(t *testing.T) {
	b := start(t)
	w := serving(t, served, func(*sandbox.Server) {}, func(s *sandbox.Server) { s.Put(s.Shops()[0].ID, map[string]any{"shop_name": "改名"}) })
	p := b.visit(t, w.url, desktop)
	keys := func(text string) { p.do(chromedp.KeyEvent(text)) }
	keys("?")
	p.waitFor(`document.querySelector('#help')?.open`)
	p.do(chromedp.KeyEvent("\x1b"))
	p.waitFor(`!document.querySelector('#help')?.open`)
	keys("gr")
	p.waitFor(`location.pathname === '/runs' && document.readyState === 'complete'`)
	keys("jj")
	p.waitFor(`document.activeElement?.textContent === '2'`)
	keys("k")
	p.waitFor(`document.activeElement?.textContent === '3'`)
	keys("j\r")
	p.waitFor(`location.pathname === '/runs/2' && document.readyState === 'complete'`)
	keys("/")
	p.waitFor(`document.activeElement?.name === 'key'`)
	keys("10394533\r")
	p.waitFor(`location.pathname === '/record' && document.querySelector('h1')?.textContent.includes('10394533')`)
	keys("\t")
	p.waitFor(`document.activeElement?.className === 'skip' && getComputedStyle(document.activeElement).outlineStyle === 'solid'`)
	p.ownOnly(w.url)
}

// Without JavaScript everything is there, and forms work.
func TestServe_NoScript(t *testing.T) {
	b := start(t)
	w := serving(t, served, func(*sandbox.Server) {})
	s := desktop
	s.noScript = true
	p := b.visit(t, w.url, s)
	p.do(chromedp.Click(chromedp.CSS(`button[value=pause]`)))
	p.waitFor(`document.querySelector('.card header .badge')?.textContent === 'paused'`)
	p.do(chromedp.Click(chromedp.CSS(`button[name=lang]`)))
	p.waitFor(`document.querySelector('h1')?.textContent === '总览'`)
	p.do(chromedp.Click(chromedp.CSS(`a[href="/changes"]`)))
	p.waitFor(`document.querySelectorAll('article').length === 50`)
	p.do(chromedp.Click(chromedp.CSS(`a[rel=next]`)))
	p.waitFor(`location.search.includes('at_key')`)
	if eval[bool](p, `[...document.querySelectorAll('[data-help], [data-copy]')].some(e => e.checkVisibility())`) {
		t.Error("buttons that do nothing are to be seen")
	}
}

// A held run says how to get past the guard.
func TestServe_Held(t *testing.T) {
	b := start(t)
	w := serving(t, served, func(*sandbox.Server) {}, func(s *sandbox.Server) { s.Keep(100) })
	p := b.visit(t, w.url, phone)
	p.waitFor(`document.querySelector('.card header .badge')?.textContent === 'held'`)
	text := eval[string](p, `document.querySelector('.verdict').innerText`)
	for _, want := range []string{"104 deletes of 204 rows, 51 % of them", "The limits are 5 and 10 %", "… and 94 more", "jstsync plan shops --out FILE\njstsync apply --override-guard FILE"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	p.ownOnly(w.url)
}

// With a token nothing is shown before it is given, and a page of another origin
// cannot do anything with the session.
func TestServe_Login(t *testing.T) {
	b := start(t)
	w := serving(t, "pipelines: {shops: {every: 1h}}\nserve: {listen: ADDRESS, language: en, token: quite-secret}\n", func(*sandbox.Server) {})
	p := b.visit(t, w.url+"/runs?status=committed", desktop)
	give := func(token string) {
		t.Helper()
		p.do(chromedp.Focus(chromedp.CSS(`input[name=token]`)), chromedp.KeyEvent(token+"\r"))
	}
	p.waitFor(`location.pathname === '/login' && !document.body?.innerText.includes('shops')`)
	give("wrong")
	p.waitFor(`document.querySelector('[role=alert]')?.textContent === 'The token is wrong.'`)
	give("quite-secret")
	p.waitFor(`location.pathname + location.search === '/runs?status=committed'`)
	if eval[string](p, `document.cookie`) != "" {
		t.Error("a script can read the cookie")
	}

	forge(t, b, w)
	p.do(chromedp.Navigate(w.url))
	p.waitFor(`document.querySelector('.card header .badge')?.textContent === 'in step'`) // not paused
	p.press(`form[action="/logout"] button`)
	p.waitFor(`location.pathname === '/login'`)
	p.do(chromedp.Navigate(w.url + "/changes"))
	p.waitFor(`location.pathname === '/login'`)
	w.wait("refused a request: ")
	if strings.Contains(w.log.String(), "quite-secret") {
		t.Error("the token is in the log")
	}
}

// forge lets another origin, another port of this machine, send a form with the
// browser's cookies.
func forge(t *testing.T, b browser, w *world) {
	t.Helper()
	address := free(t)
	evil := &http.Server{Addr: address, Handler: http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { //nolint:gosec // its only client is this test
		rw.Header().Set("Content-Type", "text/html")
		_, _ = rw.Write([]byte(`<form action="` + w.url + `/act" method="post"><input name="act" value="pause"><input name="pipeline" value="shops"></form><script>document.forms[0].submit()</script>`))
	})}
	go func() { _ = evil.ListenAndServe() }()
	t.Cleanup(func() { _ = evil.Close() })
	for {
		if resp, err := http.Get("http://" + address); err == nil {
			resp.Body.Close()
			break
		}
	}
	u, _ := url.Parse(w.url)
	p := b.visit(t, "http://"+address, desktop)
	p.waitFor(`location.host === '` + u.Host + `' && document.body?.innerText.includes('another origin')`)
}

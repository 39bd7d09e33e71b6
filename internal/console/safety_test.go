package console_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"jstsync/internal/console"
	"jstsync/internal/consoletest"
)

const secret = "quite a secret token"

// guarded is a world with a token.
func guarded(t *testing.T) *consoletest.World {
	t.Helper()
	w := consoletest.New(t)
	w.Load("shops", 60, w.Now.Add(-time.Hour))
	w.Settings.Token = secret
	return w
}

func (v *visit) login(token string) (status int, header http.Header, body string) {
	v.t.Helper()
	return v.post("/login", "token", token, "back", "/runs")
}

// Every page carries what keeps others out of it.
func TestHeaders(t *testing.T) {
	v := open(t, small(t))
	for _, path := range []string{"/", "/runs", "/static/style.css", "/nothing", "/login"} {
		_, _, header := v.do(v.request(http.MethodGet, path, nil))
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			if got := header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
		policy := header.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'; script-src 'self'; style-src 'self';") || strings.Contains(policy, "unsafe") ||
			!strings.Contains(policy, "frame-ancestors 'none'") || !strings.Contains(policy, "form-action 'self'") {
			t.Errorf("%s: the policy is %q", path, policy)
		}
	}
}

// Without a session there is nothing to see and nothing to do.
func TestLogin_asked(t *testing.T) {
	v := open(t, guarded(t))
	for _, path := range []string{"/", "/runs", "/runs/1", "/changes", "/record?key=1", "/compare", "/table", "/api", "/quarantine", "/dry-run"} {
		status, body, header := v.do(v.request(http.MethodGet, path, nil))
		if status != http.StatusSeeOther || !strings.HasPrefix(header.Get("Location"), "/login?back=") || strings.Contains(body, "shops") {
			t.Errorf("%s: got status %d, to %q\n%s", path, status, header.Get("Location"), body)
		}
	}
	token := v.formToken()
	if status, _, _ := v.post("/act", "form", token, "act", "pause", "pipeline", "shops"); status != http.StatusUnauthorized || v.w.Steered != nil {
		t.Errorf("got status %d; steered %q", status, v.w.Steered)
	}
	if status, body, _ := v.do(v.request(http.MethodGet, "/nothing", nil)); status != http.StatusNotFound || strings.Contains(body, "shops") || strings.Contains(body, `href="/runs"`) {
		t.Errorf("a page that is not there gives away others: %d\n%s", status, body)
	}
}

// The token begins a session, which ends when it is ended, too old, or the token
// is another.
func TestLogin(t *testing.T) {
	v := open(t, guarded(t))
	status, header, _ := v.login(secret)
	if status != http.StatusSeeOther || header.Get("Location") != "/runs" {
		t.Fatalf("got status %d, to %q", status, header.Get("Location"))
	}
	cookie := header.Get("Set-Cookie")
	for _, part := range []string{"jstsync=", "HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"} {
		if !strings.Contains(cookie, part) || strings.Contains(cookie, secret) || strings.Contains(cookie, "Secure") {
			t.Errorf("the cookie is %q, want %s in it", cookie, part)
		}
	}
	body := v.get("/")
	v.want(body, "Run now", "Log out")
	if strings.Contains(body, secret) {
		t.Error("the token is on the page")
	}
	began := v.w.Now
	v.w.Now = began.Add(12*time.Hour - time.Second)
	v.get("/")
	v.w.Now = began.Add(12 * time.Hour)
	v.out("too old")
	v.w.Now = began

	v.get("/")
	v.w.Settings.Token = "another"
	v.out("another token")
	v.w.Settings.Token = secret
	if status, _, _ := v.post("/logout", "form", v.formToken()); status != http.StatusSeeOther {
		t.Errorf("got status %d", status)
	}
	v.out("ended")
}

// out checks that there is no session.
func (v *visit) out(why string) {
	v.t.Helper()
	if status, _, _ := v.do(v.request(http.MethodGet, "/", nil)); status != http.StatusSeeOther {
		v.t.Errorf("%s: got status %d, want a login", why, status)
	}
}

// A cookie of another visitor before he logged in is worth nothing after it, and
// one that somebody made up is not either.
func TestLogin_fixation(t *testing.T) {
	v := open(t, guarded(t))
	v.formToken() // a cookie, as everybody has one
	u, _ := url.Parse(v.url)
	before := slices.Clone(v.client.Jar.Cookies(u))
	v.login(secret)
	v.client.Jar.SetCookies(u, before)
	v.out("the cookie of before")
	for _, made := range []string{"", "x", strings.Repeat("A", 43), strings.Repeat("A", 4000)} {
		v.client.Jar.SetCookies(u, []*http.Cookie{{Name: "jstsync", Value: made, Path: "/"}})
		v.out("made up")
	}
}

// Wrong tokens are refused, noted, and after some of them not even looked at for
// a while; other addresses are not affected, nor does it last.
func TestLogin_slow(t *testing.T) {
	v := open(t, guarded(t))
	for _, wrong := range []string{"", "x", secret + " ", secret[:len(secret)-1], strings.ToUpper(secret)} {
		if status, _, body := v.login(wrong); status != http.StatusUnauthorized || strings.Contains(body, "Log out") {
			t.Errorf("%q: got status %d", wrong, status)
		}
	}
	status, header, _ := v.login(secret)
	if status != http.StatusTooManyRequests || header.Get("Retry-After") == "" {
		t.Errorf("after five wrong ones: got status %d, Retry-After %q", status, header.Get("Retry-After"))
	}
	if n := len(v.w.Refused); n != 6 {
		t.Errorf("%d refusals are noted, want 6: %q", n, v.w.Refused)
	}
	v.w.Now = v.w.Now.Add(2 * time.Second)
	if status, _, _ := v.login(secret); status != http.StatusSeeOther {
		t.Errorf("later: got status %d", status)
	}
}

// A form that this console did not make for this visitor does nothing.
func TestForms_forged(t *testing.T) {
	w := guarded(t)
	v := open(t, w)
	v.login(secret)
	good := v.formToken()
	act := []string{"act", "pause", "pipeline", "shops", "back", "/"}
	forge := func(what string, header http.Header, fields ...string) {
		t.Helper()
		v.header = header
		for _, path := range []string{"/act", "/logout", "/preferences"} {
			status, _, _ := v.post(path, append(slices.Clone(act), fields...)...)
			if status != http.StatusForbidden || w.Steered != nil {
				t.Errorf("%s to %s: got status %d, steered %q", what, path, status, w.Steered)
			}
		}
	}
	own := http.Header{"Origin": {v.url}}
	forge("no origin", http.Header{}, "form", good)
	forge("a foreign origin", http.Header{"Origin": {"https://evil.example"}}, "form", good)
	forge("no known origin", http.Header{"Origin": {"null"}}, "form", good)
	forge("another site", http.Header{"Origin": {v.url}, "Sec-Fetch-Site": {"cross-site"}}, "form", good)
	forge("another page of the site", http.Header{"Origin": {v.url}, "Sec-Fetch-Site": {"same-site"}}, "form", good)
	forge("the cookie without its token", own)
	forge("the token of somebody else", own, "form", open(t, w).formToken())
	forge("a made up token", own, "form", strings.Repeat("A", 43))
	if len(w.Refused) < 8 {
		t.Errorf("noted are only %q", w.Refused)
	}
	v.header = own
	if status, _, _ := v.post("/act", append(act, "form", good)...); status != http.StatusSeeOther || len(w.Steered) != 1 {
		t.Errorf("an honest form: got status %d, steered %q", status, w.Steered)
	}
	v.header = http.Header{"Sec-Fetch-Site": {"same-origin"}}
	if status, _, _ := v.post("/act", append(act, "form", good)...); status != http.StatusSeeOther {
		t.Errorf("an honest form: got status %d", status)
	}
	r := v.request(http.MethodGet, "/act?act=pause&pipeline=shops&form="+good, nil)
	if status, _, _ := v.do(r); status != http.StatusNotFound || len(w.Steered) != 2 {
		t.Errorf("a link that acts: got status %d", status)
	}
}

// Without a token only this machine is answered, by its own names.
func TestLocal(t *testing.T) {
	w := small(t)
	c := console.New(w.Options(t.Context()))
	ask := func(host, from string) int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+host+"/", nil)
		r.RemoteAddr = from
		rec := httptest.NewRecorder()
		c.ServeHTTP(rec, r)
		return rec.Code
	}
	for _, host := range []string{"localhost:8321", "127.0.0.1:8321", "[::1]:8321", "localhost"} {
		if got := ask(host, "127.0.0.1:999"); got != http.StatusOK {
			t.Errorf("%s: got status %d", host, got)
		}
	}
	for _, one := range [][2]string{{"evil.example:8321", "127.0.0.1:999"}, {"localhost.evil.example", "127.0.0.1:999"}, {"localhost", "192.0.2.7:999"}} {
		if got := ask(one[0], one[1]); got != http.StatusMisdirectedRequest {
			t.Errorf("%s from %s: got status %d, want 421", one[0], one[1], got)
		}
	}
	w.Settings.Token = secret
	if got := ask("jst.example.com", "192.0.2.7:999"); got != http.StatusSeeOther {
		t.Errorf("with a token: got status %d, want a login", got)
	}
}

// Behind a proxy that speaks TLS the cookie is for TLS alone.
func TestLogin_encrypted(t *testing.T) {
	v := open(t, guarded(t))
	v.header.Set("X-Forwarded-Proto", "https")
	_, header, _ := v.login(secret)
	cookie := header.Get("Set-Cookie")
	if !strings.HasPrefix(cookie, "__Host-jstsync=") || !strings.Contains(cookie, "; Secure") {
		t.Errorf("the cookie is %q", cookie)
	}
}

// The bearer token does for programs that read pages.
func TestBearer(t *testing.T) {
	v := open(t, guarded(t))
	r := v.request(http.MethodGet, "/runs", nil)
	r.Header.Set("Authorization", "Bearer "+secret)
	if status, body, _ := v.do(r); status != http.StatusOK || !strings.Contains(body, "/runs/1") {
		t.Errorf("got status %d\n%s", status, body)
	}
}

// There are only so many sessions; the oldest go.
func TestLogin_many(t *testing.T) {
	w := guarded(t)
	c := console.New(w.Options(t.Context()))
	var first, last []*http.Cookie
	for i := range 300 {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://jst.example/login", strings.NewReader(url.Values{"token": {secret}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", "http://jst.example")
		rec := httptest.NewRecorder()
		w.Now = w.Now.Add(time.Second)
		c.ServeHTTP(rec, r)
		if last = rec.Result().Cookies(); i == 0 {
			first = last
		}
	}
	for _, one := range []struct {
		cookies []*http.Cookie
		want    int
	}{{first, http.StatusSeeOther}, {last, http.StatusOK}} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://jst.example/", nil)
		r.AddCookie(one.cookies[0])
		rec := httptest.NewRecorder()
		if c.ServeHTTP(rec, r); rec.Code != one.want {
			t.Errorf("got status %d, want %d", rec.Code, one.want)
		}
	}
}

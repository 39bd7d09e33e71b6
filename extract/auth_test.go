package extract_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"jstsync/diff"
	"jstsync/extract"
	"jstsync/internal/sandbox"
)

// authority is a sandbox and those who call it, by one clock.
type authority struct {
	*sandbox.Server
	clock *clock
	auth  *extract.Auth
	o     extract.Options
	log   *bytes.Buffer
}

func newAuthority(t *testing.T, o sandbox.Options, change ...func(*extract.Options)) *authority {
	t.Helper()
	a := &authority{clock: newClock(), log: &bytes.Buffer{}}
	o.Now = a.clock.Now
	a.Server = sandbox.New(o)
	srv := httptest.NewServer(a.Server)
	t.Cleanup(srv.Close)
	base, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	a.o = extract.Options{
		BaseURL: base, AppKey: "sandbox-key", AppSecret: "sandbox-secret", ID: keyOf,
		Logger: slog.New(slog.NewTextHandler(a.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now:    a.clock.Now, Sleep: a.clock.Sleep, Rand: func() float64 { return 0.5 },
	}
	for _, f := range change {
		f(&a.o)
	}
	if a.auth, err = extract.NewAuth(a.o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.auth.Close)
	return a
}

// count returns how many calls a path got.
func (a *authority) count(path string) int {
	n := 0
	for _, c := range a.Calls() {
		if c.Path == path {
			n++
		}
	}
	return n
}

func TestAuth_Init(t *testing.T) {
	a := newAuthority(t, sandbox.Options{})
	got, err := a.auth.Init(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	now := a.clock.Now()
	if got.Access != a.AccessToken() || got.Refresh == "" || !got.Obtained.Equal(now) || !got.Expires.Equal(now.Add(30*24*time.Hour)) {
		t.Errorf("got %+v", got)
	}
	call := a.auth.Calls()[0]
	if call.Path != "/openWeb/auth/getInitToken" || call.Params != `{"grant_type":"authorization_code"}` || call.Body != "" {
		t.Errorf("got %+v", call)
	}
	contains(t, "log", a.log.String(), "path=/openWeb/auth/getInitToken page=0 attempt=1 status=200 code=0 ")
}

func TestAuth_Refresh(t *testing.T) {
	const life = 30 * 24 * time.Hour
	for _, tt := range []struct {
		name    string
		o       sandbox.Options
		changed bool
		left    time.Duration
	}{
		{"default", sandbox.Options{}, true, life},
		{"kept", sandbox.Options{KeepTokenOnRefresh: true}, false, life},
		{"the old one stays valid", sandbox.Options{OldTokenStaysValid: true}, true, life},
		{"too early", sandbox.Options{RefreshWindow: 12 * time.Hour}, false, life - time.Hour},
		{"in time", sandbox.Options{RefreshWindow: life - time.Hour}, true, life},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := newAuthority(t, tt.o)
			a.clock.pass(time.Hour)
			got, err := a.auth.Refresh(t.Context(), "sandbox-refresh")
			if err != nil {
				t.Fatal(err)
			}
			if changed := got.Access != "sandbox-token"; changed != tt.changed || got.Access != a.AccessToken() {
				t.Errorf("the token changed: %t, want %t", changed, tt.changed)
			}
			if left := got.Expires.Sub(a.clock.Now()); left != tt.left {
				t.Errorf("got a life of %s, want %s", left, tt.left)
			}
		})
	}
}

func TestAuth_fails(t *testing.T) {
	fault := func(f sandbox.Fault) sandbox.Options {
		f.Path, f.Times = sandbox.PathInitToken, -1
		return sandbox.Options{Faults: []sandbox.Fault{f}}
	}
	for _, tt := range []struct {
		name          string
		o             sandbox.Options
		secret        string
		code          diff.Code
		calls         int
		error, remedy string
	}{
		{"wrong secret", sandbox.Options{}, "wrong", diff.CodeSignature, 1, "obtain an access token: 127.0.0.1", "source.app_secret"},
		{"kind of app", sandbox.Options{ServiceProvider: true}, "", diff.CodeAppKind, 1, "code 21024: 仅支持自有应用", "not supported yet: obtain a token in the vendor's platform (openweb.jushuitan.com) and set source.access_token"},
		{"vendor fault", fault(sandbox.Fault{Kind: sandbox.KindCode}), "", diff.CodeVendorFault, 6, "(6 attempts)", "try again later"},
		{"HTML", fault(sandbox.Fault{Kind: sandbox.KindHTML}), "", diff.CodeBadAnswer, 6, "the answer is not JSON (HTTP 200 text/html)", "base_url"},
		{"500", fault(sandbox.Fault{Kind: sandbox.KindStatus}), "", diff.CodeVendorFault, 6, "HTTP 500", ""},
		{"cut off", fault(sandbox.Fault{Kind: sandbox.KindTruncate}), "", diff.CodeBadAnswer, 6, "the answer is cut off (HTTP 200 application/json)", ""},
		{"reset", fault(sandbox.Fault{Kind: sandbox.KindReset}), "", diff.CodeUnreachable, 6, "no answer from", ""},
		{"no right", fault(sandbox.Fault{Kind: sandbox.KindCode, Code: 190, Msg: "没有接口权限"}), "", diff.CodeNoRight, 1, "does not permit /openWeb/auth/getInitToken", "apply for /openWeb/auth/getInitToken"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := newAuthority(t, tt.o, func(o *extract.Options) {
				if tt.secret != "" {
					o.AppSecret = tt.secret
				}
			})
			_, err := a.auth.Init(t.Context())
			e, ok := errors.AsType[*diff.Error](err)
			if !ok || e.Code != tt.code {
				t.Fatalf("got %v, want code %s", err, tt.code)
			}
			contains(t, "error", err.Error(), tt.error)
			contains(t, "remedy", e.Remedy, tt.remedy)
			if got := len(a.auth.Calls()); got != tt.calls {
				t.Errorf("got %d calls, want %d", got, tt.calls)
			}
		})
	}
}

func TestAuth_Refresh_refused(t *testing.T) {
	a := newAuthority(t, sandbox.Options{})
	_, err := a.auth.Refresh(t.Context(), "stale")
	if diff.CodeOf(err) != diff.CodeToken || !strings.Contains(err.Error(), "does not accept the refresh token") {
		t.Errorf("got %v", err)
	}
	a = newAuthority(t, sandbox.Options{ForbidRefresh: true})
	if _, err := a.auth.Refresh(t.Context(), "sandbox-refresh"); diff.CodeOf(err) != diff.CodeAppKind {
		t.Errorf("got %v", err)
	}
}

// The answers of token calls that the vendor is not known to give.
func TestAuth_answers(t *testing.T) {
	for _, tt := range []struct {
		body, refresh, error string
		life                 time.Duration
	}{
		{`{"code":0,"data":{"access_token":"a","expires_in":"60"}}`, "old", "", time.Minute},
		{`{"code":"0","data":{"access_token":"a","refresh_token":"r"}}`, "r", "", 0},
		{`{"code":0,"data":{"access_token":"a","expires_in":0}}`, "old", "", 0},
		{`{"code":0,"data":{"access_token":"a","expires_in":9223372036854775807}}`, "old", "", 0},
		{`{"issuccess":true,"data":{"access_token":"a","x":[{"access_token":1}]}}`, "old", "", 0},
		{`{"code":0,"data":{"access_token":"a b"}}`, "", "no readable access_token", 0},
		{`{"code":0,"data":{"access_token":7}}`, "", "no readable access_token", 0},
		{`{"code":0,"data":{}}`, "", "no readable access_token", 0},
		{`{"code":0,"data":null}`, "", "no readable access_token", 0},
		{`{"code":0,"data":{"access_token":"a","access_token":"b"}}`, "", "data.access_token twice", 0},
		{`[]`, "", "not an object", 0},
	} {
		srv := httptest.NewServer(body(200, tt.body))
		auth := authAt(t, srv.URL)
		got, err := auth.Refresh(t.Context(), "old")
		srv.Close()
		switch {
		case tt.error != "":
			if diff.CodeOf(err) != diff.CodeBadAnswer || !strings.Contains(err.Error(), tt.error) {
				t.Errorf("%s: got %v", tt.body, err)
			}
		case err != nil:
			t.Errorf("%s: got %v", tt.body, err)
		case got.Access != "a" || got.Refresh != tt.refresh || got.Expires.IsZero() != (tt.life == 0) ||
			tt.life != 0 && got.Expires.Sub(got.Obtained) != tt.life:
			t.Errorf("%s: got %+v", tt.body, got)
		}
	}
}

func authAt(t *testing.T, address string, change ...func(*extract.Options)) *extract.Auth {
	t.Helper()
	base, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	c := newClock()
	o := extract.Options{
		BaseURL: base, AppKey: "key", AppSecret: testSecret, MaxAttempts: 1, Now: c.Now, Sleep: c.Sleep,
	}
	for _, f := range change {
		f(&o)
	}
	auth, err := extract.NewAuth(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(auth.Close)
	return auth
}

// echo answers by repeating what it was sent, and notes it.
func echo(t *testing.T, sent *[]string, status int, location, format string) *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		*sent = []string{testSecret, r.PostForm.Get("sign")}
		for _, name := range []string{"code", "refresh_token"} {
			if v := r.PostForm.Get(name); v != "" {
				*sent = append(*sent, v)
			}
		}
		w.Header().Set("Location", location)
		w.WriteHeader(status)
		fmt.Fprintf(w, format, strings.Join(*sent, " ")+r.PostForm.Encode())
	}))
}

// Neither what is sent nor what is answered is in any error, log line or call
// record, however the answer repeats it.
func TestAuth_secrets(t *testing.T) {
	const fresh, freshRefresh = "fresh/access+token", "fresh-refresh-token"
	grant := `"data":{"access_token":"` + fresh + `","refresh_token":"` + freshRefresh + `","expires_in":60}`
	for _, format := range []string{
		`{"code":0,"msg":"` + fresh + ` %s",` + grant + `}`,
		`{"code":150,"msg":"%s ` + freshRefresh + `",` + grant + `}`,
		`{"code":100,"msg":%q,"data":null}`,
		`{"code":%q,` + grant + `}`,
		`{"code":%q,`,
		`{%q ` + grant,
		`<html>%s ` + grant,
		`{"code":0,"msg":%q,"data":{"token":"` + fresh + `","refresh_token":7}}`,
	} {
		for _, status := range []int{200, 302, 500} {
			var log bytes.Buffer
			var sent []string
			srv := echo(t, &sent, status, "http://x.invalid/"+fresh, format)
			auth := authAt(t, srv.URL, func(o *extract.Options) {
				o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			})
			for _, call := range []func() (*diff.Token, error){
				func() (*diff.Token, error) { return auth.Init(t.Context()) },
				func() (*diff.Token, error) { return auth.Refresh(t.Context(), testToken) },
			} {
				_, err := call()
				all := fmt.Sprintf("%v %+v %+v %s", err, err, auth.Calls(), log.String())
				for _, secret := range append(sent, fresh, url.QueryEscape(fresh), freshRefresh, testToken, url.QueryEscape(testToken)) {
					if strings.Contains(all, secret) {
						t.Errorf("%d %s: %q is in %s", status, format, secret, all)
					}
				}
			}
			srv.Close()
		}
	}
}

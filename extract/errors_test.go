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
)

// fails scans and returns the error, which must have the code, after so many
// calls.
func fails(t *testing.T, s *extract.Shops, code diff.Code, calls int) *diff.Error {
	t.Helper()
	_, info, err := scan(t, s, 0)
	e, ok := errors.AsType[*diff.Error](err)
	if !ok || e.Code != code || info.Verdict != diff.Partial {
		t.Fatalf("got %+v, %v; want code %s", info, err, code)
	}
	if got := len(s.Calls()); got != calls {
		t.Errorf("got %d calls, want %d", got, calls)
	}
	if e.Remedy == "" {
		t.Error("got no remedy")
	}
	return e
}

func contains(t *testing.T, what, got string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want it to contain %q", what, got, want)
		}
	}
}

func TestShops_final(t *testing.T) {
	for _, tt := range []struct {
		name, body    string
		code          diff.Code
		cause         error
		error, remedy string
	}{
		{"wrong secret", `{"code":10,"msg":"验证失败！无效签名"}`, diff.CodeSignature, extract.ErrSignature, "code 10: 验证失败！无效签名", "source.app_secret"},
		{"whitelist", `{"code":110,"msg":"IP[203.0.113.9]不在白名单"}`, diff.CodeNotAllowed, extract.ErrNotAllowed, "203.0.113.9", "whitelist"},
		{"no right", `{"code":190,"msg":"没有接口权限"}`, diff.CodeNoRight, extract.ErrNoRight, "没有接口权限", "/open/shops/query"},
		{"parameter", `{"code":140,"msg":"参数不符合规范"}`, diff.CodeParameter, extract.ErrParameter, "参数不符合规范", "app_key"},
		{"business failure 200", `{"code":200,"msg":"参数错误"}`, diff.CodeParameter, extract.ErrParameter, "参数错误", ""},
		{"token", `{"code":100,"msg":"access_token超时"}`, diff.CodeToken, extract.ErrToken, "access_token超时", "access_token"},
		{"kind of app", `{"code":21024,"msg":"仅支持自有应用"}`, diff.CodeAppKind, extract.ErrAppKind, "仅支持自有应用", ""},
		{"no rows", `{"code":0,"data":{"list":[]}}`, diff.CodeBadAnswer, extract.ErrBadAnswer, `"{\"code\":0,\"data\":{\"list\"`, "base_url"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := serve(t, failing(99, body(200, tt.body)))
			e := fails(t, s, tt.code, 1)
			if !errors.Is(e, tt.cause) {
				t.Errorf("%v does not wrap %v", e, tt.cause)
			}
			contains(t, "error", e.Error(), "page 1: ", "127.0.0.1", tt.error)
			contains(t, "remedy", e.Remedy, tt.remedy)
			if call := s.Calls()[0]; call.Body != tt.body {
				t.Errorf("body kept: got %q, want %q", call.Body, tt.body)
			}
		})
	}
}

func TestShops_clock(t *testing.T) {
	for skew, want := range map[time.Duration]string{
		-734 * time.Second: "734 s ahead of the API's",
		700 * time.Second:  "700 s behind the API's",
	} {
		var c *clock
		s, c := serve(t, func(w http.ResponseWriter, _ ask) {
			w.Header().Set("Date", c.Now().Add(skew).Format(http.TimeFormat))
			fmt.Fprint(w, `{"code":180,"msg":"timestamp无效"}`)
		})
		e := fails(t, s, diff.CodeClock, 1)
		contains(t, "error", e.Error(), want)
		contains(t, "remedy", e.Remedy, want)
	}
}

func TestShops_strippedTLS(t *testing.T) {
	s, _ := serve(t, failing(99, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, "<html>\r\n<head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>")
	}))
	e := fails(t, s, diff.CodeBadAnswer, 1)
	contains(t, "error", e.Error(), "HTTP 400 text/html", "plain HTTP request was sent to HTTPS port")
	contains(t, "remedy", e.Remedy, "proxy takes the TLS away")
}

func TestShops_unreachable(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	srv.Close()
	s, _ := reader(t, srv.URL)
	e := fails(t, s, diff.CodeUnreachable, 6)
	contains(t, "error", e.Error(), "no answer from 127.0.0.1", "connection refused")
	contains(t, "remedy", e.Remedy, "source.base_url")
}

func TestShops_untrusted(t *testing.T) {
	srv := httptest.NewTLSServer(http.NotFoundHandler())
	defer srv.Close()
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s, _ := reader(t, srv.URL)
	e := fails(t, s, diff.CodeUnreachable, 1)
	contains(t, "error", e.Error(), "no trusted connection to 127.0.0.1")
}

func TestShops_redirect(t *testing.T) {
	reached := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer other.Close()
	s, _ := serve(t, failing(99, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", other.URL+"/x?"+testSecret)
		w.WriteHeader(http.StatusTemporaryRedirect)
	}))
	e := fails(t, s, diff.CodeBadAnswer, 1)
	contains(t, "error", e.Error(), "redirected to "+other.URL)
	if reached {
		t.Error("the other host got the call")
	}
}

// No secret is in any error, log line or call record, whatever comes back.
func TestShops_secrets(t *testing.T) {
	echo := func(w http.ResponseWriter, a ask) {
		w.Header().Set("Location", "http://x.invalid/"+url.PathEscape(testToken))
		text := strings.Join([]string{testSecret, testToken, a.form.Get("sign"), a.form.Encode()}, " ")
		switch a.page % 4 {
		case 1:
			fmt.Fprintf(w, `{"code":10,"msg":%q}`, text)
		case 2:
			w.WriteHeader(http.StatusBadGateway)
			fmt.Fprint(w, strings.Repeat("x", 185)+text+strings.Repeat(text, 30))
		case 3:
			fmt.Fprintf(w, `{"code":%q}`, text)
		default:
			fmt.Fprintf(w, `{"code":0,"x":%q,"data":{"datas":{}}}`, text)
		}
	}
	for first := 1; first <= 4; first++ {
		var log bytes.Buffer
		var sign string
		s, _ := serve(t, func(w http.ResponseWriter, a ask) {
			a.page = first
			sign = a.form.Get("sign")
			echo(w, a)
		}, func(o *extract.Options) {
			o.MaxAttempts = 1
			o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		})
		_, _, err := scan(t, s, 0)
		if err == nil {
			t.Fatal("got no error")
		}
		all := fmt.Sprintf("%v %+v %+v %s", err, err, s.Calls(), log.String())
		if !strings.Contains(all, "***") {
			t.Errorf("answer %d: nothing is masked in %s", first, all)
		}
		for _, secret := range []string{testSecret, testSecret[:10], testToken, testToken[:8], url.QueryEscape(testToken), sign} {
			if strings.Contains(all, secret) {
				t.Errorf("answer %d: %q is in %s", first, secret, all)
			}
		}
	}
}

func TestShops_log(t *testing.T) {
	var log bytes.Buffer
	s, _ := serve(t, failing(1, body(500, "")), func(o *extract.Options) {
		o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	if _, _, err := scan(t, s, 0); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != 2 {
		t.Fatalf("got %d lines, want 2: %s", len(lines), log.String())
	}
	contains(t, "first", lines[0], "level=DEBUG msg=call page=1 attempt=1 status=500 code=0 bytes=0 dur_ms=0 err=")
	contains(t, "second", lines[1], "page=1 attempt=2 status=200 code=0 bytes=")
}

func TestNewShops_settings(t *testing.T) {
	for name, change := range map[string]func(*extract.Options){
		"base_url":     func(o *extract.Options) { o.BaseURL = nil },
		"app_key":      func(o *extract.Options) { o.AppKey = "" },
		"app_secret":   func(o *extract.Options) { o.AppSecret = "" },
		"access_token": func(o *extract.Options) { o.Token = nil },
		"page_size":    func(o *extract.Options) { o.PageSize = 101 },
		"rate":         func(o *extract.Options) { o.PerMinute = -1 },
		"timeout":      func(o *extract.Options) { o.Timeout = -1 },
		"retry":        func(o *extract.Options) { o.MaxAttempts = -1 },
	} {
		o := extract.Options{
			BaseURL: &url.URL{Scheme: "https", Host: "x"}, AppKey: "k", AppSecret: "s", Token: extract.StaticToken("t"),
		}
		if _, err := extract.NewShops(o); err != nil {
			t.Fatal(err)
		}
		change(&o)
		_, err := extract.NewShops(o)
		if diff.CodeOf(err) != diff.CodeConfig || !strings.Contains(err.Error(), "source."+name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for _, address := range []string{"ftp://x", "https://u:p@x", "https://x?q", "https://x#f", "/x"} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		_, err = extract.NewShops(extract.Options{BaseURL: u, AppKey: "k", AppSecret: "s", Token: extract.StaticToken("t")})
		if diff.CodeOf(err) != diff.CodeConfig || strings.Contains(err.Error(), ":p@") {
			t.Errorf("%s: got %v", address, err)
		}
	}
}

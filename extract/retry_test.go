package extract_test

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"jstsync/diff"
	"jstsync/extract"
)

// failing answers the first n calls by fail and then as the API does.
func failing(n int32, fail http.HandlerFunc) func(http.ResponseWriter, ask) {
	var calls atomic.Int32
	return func(w http.ResponseWriter, a ask) {
		if calls.Add(1) <= n {
			fail(w, nil)
			return
		}
		list(1)(w, a)
	}
}

func body(status int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, text)
	}
}

func hijack(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, rw, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		if _, err = rw.WriteString(text); err == nil {
			err = rw.Flush()
		}
		if err != nil {
			panic(err)
		}
	}
}

func TestShops_transient(t *testing.T) {
	for name, fail := range map[string]http.HandlerFunc{
		"second's limit":      body(200, `{"code":199,"msg":"调用频次超过限制!请稍后再试"}`),
		"minute's limit":      body(200, `{"code":200,"msg":"调用频次超过限制"}`),
		"vendor fault":        body(200, `{"code":150,"msg":"内部处理异常"}`),
		"500":                 body(500, "oops"),
		"502 with an empty":   body(502, ""),
		"429":                 body(429, "slow down"),
		"408":                 body(408, ""),
		"HTML":                body(200, "<html>"),
		"empty":               body(200, ""),
		"cut off":             body(200, captured[:100]),
		"reset":               hijack(""),
		"wrong length":        hijack("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n{\"code\":0"),
		"gzip cut off":        hijack("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n\x1f\x8b\x08\x00"),
		"gzip that is not":    hijack("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"),
		"success that is 500": body(500, captured),
	} {
		t.Run(name, func(t *testing.T) {
			s, c := serve(t, failing(5, fail))
			ids, info, err := scan(t, s, 0)
			if err != nil || len(ids) != 1 || info.Verdict != diff.Complete {
				t.Fatalf("got %v, %+v, %v", ids, info, err)
			}
			calls := s.Calls()
			if len(calls) != 6 {
				t.Fatalf("got %d calls, want 6", len(calls))
			}
			for i, call := range calls {
				if call.Attempt != i+1 || (call.Err == "") != (i == 5) || call.Page != 1 {
					t.Errorf("call %d: got %+v", i+1, call)
				}
			}
			// Half of 0.5 s, doubling, besides what the pacer adds.
			for n := range 5 {
				if want := 250 * time.Millisecond << n; !slices.Contains(c.slept, want) {
					t.Errorf("slept %v, want %v among them", c.slept, want)
				}
			}
		})
	}
}

func TestShops_transient_bounded(t *testing.T) {
	s, _ := serve(t, failing(99, body(500, "")))
	_, info, err := scan(t, s, 0)
	if diff.CodeOf(err) != diff.CodeVendorFault || !errors.Is(err, extract.ErrVendorFault) || info.Verdict != diff.Partial {
		t.Errorf("got %+v, %v", info, err)
	}
	if got := len(s.Calls()); got != 6 {
		t.Errorf("got %d calls, want 6", got)
	}
	if want := "page 1 (6 attempts): "; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want it to begin with %q", err, want)
	}
}

func TestShops_retryAfter(t *testing.T) {
	s, c := serve(t, failing(1, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "17")
		w.WriteHeader(429)
	}))
	if _, _, err := scan(t, s, 0); err != nil || !slices.Contains(c.slept, 17*time.Second) {
		t.Errorf("slept %v, %v; want 17 s", c.slept, err)
	}
	// More than all the time there is: one last attempt at its end.
	s, c = serve(t, failing(9, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "86400")
		w.WriteHeader(503)
	}), func(o *extract.Options) { o.MaxElapsed = time.Minute })
	start := c.Now()
	if _, _, err := scan(t, s, 0); diff.CodeOf(err) != diff.CodeVendorFault || len(s.Calls()) != 2 {
		t.Errorf("got %d calls, %v; want 2 and a vendor fault", len(s.Calls()), err)
	}
	if got := c.Now().Sub(start); got != time.Minute {
		t.Errorf("took %s, want 1m", got)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		value, date string
		want        time.Duration
		ok          bool
	}{
		{"", "", 0, false},
		{"0", "", 0, true},
		{" 5 ", "", 5 * time.Second, true},
		{"-5", "", 0, false},
		{"1.5", "", 0, false},
		{"2147483647", "", 24 * time.Hour, true},
		{"99999999999999999999", "", 0, false},
		{"Sun, 22 Nov 2026 12:00:30 GMT", "", 30 * time.Second, true},
		{"Sun, 22 Nov 2026 11:00:30 GMT", "", 0, true},
		{"Sun, 22 Nov 2026 13:00:30 GMT", "Sun, 22 Nov 2026 13:00:00 GMT", 30 * time.Second, true},
		{"soon", "", 0, false},
	} {
		h := http.Header{}
		h.Set("Retry-After", tt.value)
		h.Set("Date", tt.date)
		if got, ok := extract.RetryAfter(h, now); got != tt.want || ok != tt.ok {
			t.Errorf("%q at %q: got %s, %t; want %s, %t", tt.value, tt.date, got, ok, tt.want, tt.ok)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	f.Add("5", "")
	f.Add("Sun, 22 Nov 2026 13:00:30 GMT", "Sun, 22 Nov 2026 13:00:00 GMT")
	f.Fuzz(func(t *testing.T, value, date string) {
		h := http.Header{"Retry-After": {value}, "Date": {date}}
		got, ok := extract.RetryAfter(h, time.Unix(0, 0))
		if got < 0 || got > 24*time.Hour || !ok && got != 0 {
			t.Errorf("got %s, %t", got, ok)
		}
	})
}

// renewable is a token source that can renew.
type renewable struct {
	mu       sync.Mutex
	token    string
	renewals int
	err      error
}

func (r *renewable) Token(context.Context) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.token, nil
}

func (r *renewable) Renew(_ context.Context, used string) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil && used == r.token {
		r.renewals++
		r.token = "new-" + strconv.Itoa(r.renewals)
	}
	return r.token, r.err
}

func TestShops_tokenRenewed(t *testing.T) {
	for _, expect := range []int{0, 1300} {
		var expired atomic.Bool
		source := &renewable{token: "old"}
		s, _ := serve(t, func(w http.ResponseWriter, a ask) {
			if a.page == 7 {
				expired.Store(true)
			}
			if expired.Load() && a.form.Get("access_token") == "old" {
				fmt.Fprint(w, `{"code":100,"msg":"验证失败！无效的access_token或access_token已过期"}`)
				return
			}
			list(1300)(w, a)
		}, func(o *extract.Options) { o.Token = source })
		ids, info, err := scan(t, s, expect)
		if err != nil || len(ids) != 1300 || info.Verdict != diff.Complete {
			t.Errorf("got %d ids, %+v, %v", len(ids), info, err)
		}
		if source.renewals != 1 {
			t.Errorf("got %d renewals, want 1", source.renewals)
		}
	}
}

func TestShops_tokenNotRenewed(t *testing.T) {
	expired := failing(99, body(200, `{"code":100,"msg":"access_token超时"}`))
	for _, tt := range []struct {
		name   string
		source extract.TokenSource
		calls  int
	}{
		{"static", extract.StaticToken("x"), 1},
		{"renewed in vain", &renewable{token: "old"}, 2},
		{"renewal fails", &renewable{token: "old", err: errors.New("no")}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := serve(t, expired, func(o *extract.Options) { o.Token = tt.source })
			_, _, err := scan(t, s, 0)
			if diff.CodeOf(err) != diff.CodeToken || len(s.Calls()) != tt.calls {
				t.Errorf("got %d calls, %v; want %d", len(s.Calls()), err, tt.calls)
			}
		})
	}
}

func TestShops_gzip(t *testing.T) {
	s, _ := serve(t, func(w http.ResponseWriter, a ask) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		defer z.Close()
		rec := httptest.NewRecorder()
		list(3)(rec, a)
		if _, err := z.Write(rec.Body.Bytes()); err != nil {
			t.Error(err)
		}
	})
	if ids, _, err := scan(t, s, 0); err != nil || len(ids) != 3 {
		t.Errorf("got %v, %v", ids, err)
	}
}

func TestShops_bomb(t *testing.T) {
	s, _ := serve(t, func(w http.ResponseWriter, _ ask) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		defer z.Close()
		for block := make([]byte, 1<<20); ; {
			if _, err := z.Write(block); err != nil {
				return
			}
		}
	}, func(o *extract.Options) { o.Timeout = time.Hour }) // however slow the machine
	_, _, err := scan(t, s, 0)
	if diff.CodeOf(err) != diff.CodeBadAnswer || !strings.Contains(err.Error(), "larger than 64 MiB") {
		t.Errorf("got %v", err)
	}
	if got := len(s.Calls()); got != 1 {
		t.Errorf("got %d calls, want 1", got)
	}
}

func TestShops_timeout(t *testing.T) {
	done := make(chan struct{})
	s, _ := serve(t, func(w http.ResponseWriter, _ ask) {
		fmt.Fprint(w, captured[:100])
		w.(http.Flusher).Flush()
		<-done
	}, func(o *extract.Options) { o.Timeout, o.MaxAttempts = 50*time.Millisecond, 2 })
	_, _, err := scan(t, s, 0)
	close(done)
	if diff.CodeOf(err) != diff.CodeUnreachable || !strings.Contains(err.Error(), "within 50ms") || len(s.Calls()) != 2 {
		t.Errorf("got %d calls, %v", len(s.Calls()), err)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		t.Error("a call's timeout looks like the end of the caller's context")
	}
}

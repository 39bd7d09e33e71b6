package extract_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"jstsync/diff"
	"jstsync/extract"
)

func numbers(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = strconv.Itoa(i + 1)
	}
	return ids
}

func TestShops_Scan(t *testing.T) {
	for _, n := range []int64{0, 1, 99, 100, 101, 1204} {
		for _, expect := range []int{0, int(n), 150, 2000} {
			t.Run(fmt.Sprintf("%d_expect_%d", n, expect), func(t *testing.T) {
				s, _ := serve(t, list(n))
				got, info, err := scan(t, s, expect)
				if err != nil {
					t.Fatal(err)
				}
				if want := numbers(int(n)); !slices.Equal(got, want) {
					t.Errorf("got %d ids, want %d in order", len(got), len(want))
				}
				if want := max(1, (int(n)+99)/100); info.Pages != want || info.Verdict != diff.Complete || info.Note != "" {
					t.Errorf("got %+v, want %d pages, complete", info, want)
				}
			})
		}
	}
}

func TestShops_Scan_sends(t *testing.T) {
	s, c := serve(t, func(w http.ResponseWriter, a ask) {
		params := make(map[string]string)
		for name := range a.form {
			params[name] = a.form.Get(name)
		}
		if got, want := a.form.Get("sign"), extract.Sign(testSecret, params); got != want {
			t.Errorf("got sign %s, want %s", got, want)
		}
		delete(params, "sign")
		want := map[string]string{
			"access_token": testToken, "app_key": "key", "biz": `{"page_index":1,"page_size":100}`,
			"charset": "utf-8", "timestamp": "1795348800", "version": "2",
		}
		for name, value := range want {
			if params[name] != value {
				t.Errorf("%s: got %q, want %q", name, params[name], value)
			}
		}
		if len(params) != len(want) {
			t.Errorf("got parameters %v", params)
		}
		list(1)(w, a)
	})
	if _, _, err := scan(t, s, 0); err != nil {
		t.Fatal(err)
	}
	calls := s.Calls()
	if len(calls) != 1 {
		t.Fatalf("got %d calls, want 1", len(calls))
	}
	got := calls[0]
	want := diff.Call{
		Path: "/open/shops/query", Params: `{"page_index":1,"page_size":100}`, Page: 1, Attempt: 1,
		At: c.Now(), Status: 200, Message: "执行成功", Bytes: got.Bytes,
	}
	if got != want || got.Bytes == 0 {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// answers serves each page's body in turn; what follows the last is empty.
func answers(pages ...string) func(http.ResponseWriter, ask) {
	return func(w http.ResponseWriter, a ask) {
		if a.page <= len(pages) {
			fmt.Fprint(w, pages[a.page-1])
			return
		}
		fmt.Fprint(w, page(a.page, a.size, false))
	}
}

func TestShops_Scan_verdict(t *testing.T) {
	p := func(next bool, ids ...int64) string {
		var rows []string
		for _, id := range ids {
			rows = append(rows, shop(id))
		}
		return page(1, 2, next, rows...)
	}
	silent := func(ids ...int64) string {
		return strings.Replace(p(true, ids...), `,"has_next":true`, "", 1)
	}
	for _, tt := range []struct {
		name    string
		pages   []string
		pagesN  int
		ids     int
		verdict diff.Verdict
		note    string
	}{
		{"short page in the middle", []string{p(true, 1, 2), p(true, 3), p(false, 4)}, 3, 4, diff.Complete, ""},
		{"datas null", []string{`{"code":0,"data":{"datas":null}}`}, 1, 0, diff.Complete, ""},
		{"has_next absent", []string{silent(1, 2), silent(3, 4), silent(5)}, 3, 5, diff.Complete, ""},
		{"has_next absent, last page full", []string{silent(1, 2), silent(3, 4)}, 3, 4, diff.Complete, ""},
		{"page repeated", []string{p(true, 1, 2), p(true, 1, 2), p(false, 3)}, 3, 5, diff.Unstable, "page 2 repeats page 1"},
		{"last page repeated", []string{p(true, 1), p(false, 1)}, 2, 2, diff.Unstable, "page 2 repeats page 1"},
		{"empty page in the middle", []string{p(true, 1), p(true), p(false, 2)}, 3, 2, diff.Unstable, "page 2 is empty and promises more"},
		{"promises for ever", []string{p(true, 1), p(true), p(true), p(true), p(true)}, 4, 1, diff.Unstable, "page 2 is empty and promises more"},
		{"clamped", []string{p(true, 1), silent(2, 3), silent(4)}, 3, 4, diff.Complete, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := serve(t, answers(tt.pages...))
			ids, info, err := scan(t, s, 0)
			if err != nil {
				t.Fatal(err)
			}
			want := diff.ScanInfo{Pages: tt.pagesN, Verdict: tt.verdict, Note: tt.note}
			if info != want || len(ids) != tt.ids {
				t.Errorf("got %+v with %d ids, want %+v with %d", info, len(ids), want, tt.ids)
			}
		})
	}
}

func TestShops_Scan_pageIgnored(t *testing.T) {
	s, _ := serve(t, func(w http.ResponseWriter, _ ask) { fmt.Fprint(w, page(1, 100, true, shop(1))) })
	_, info, err := scan(t, s, 0)
	if diff.CodeOf(err) != diff.CodeBadAnswer || info.Verdict != diff.Partial || info.Pages != 4 {
		t.Errorf("got %+v, %v", info, err)
	}
}

// direct answers calls without a network.
type direct func() string

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{}, Request: r,
		Body: io.NopCloser(strings.NewReader(d())),
	}, nil
}

func TestShops_Scan_neverForEver(t *testing.T) {
	var calls atomic.Int64
	s, _ := reader(t, "http://x", func(o *extract.Options) {
		o.Transport = direct(func() string { n := calls.Add(1); return page(int(n), 1, true, shop(n)) })
	})
	_, info, err := scan(t, s, 0)
	if diff.CodeOf(err) != diff.CodeBadAnswer || info.Pages != extract.MaxPages {
		t.Errorf("got %+v, %v", info, err)
	}
	if n := calls.Load(); n != extract.MaxPages {
		t.Errorf("got %d calls, want %d", n, extract.MaxPages)
	}
}

func TestShops_Scan_visitError(t *testing.T) {
	s, _ := serve(t, list(1000))
	want := errors.New("enough")
	info, err := s.Scan(t.Context(), 1000, func(p diff.Page) error {
		if p.Index == 3 {
			return want
		}
		return nil
	})
	if err != want || info.Verdict != diff.Partial || info.Pages != 3 { //nolint:errorlint // it is passed as it is
		t.Errorf("got %+v, %v", info, err)
	}
}

func TestShops_Scan_ahead(t *testing.T) {
	var under, together atomic.Int32
	all := make(chan struct{})
	s, _ := serve(t, func(w http.ResponseWriter, a ask) {
		n := under.Add(1)
		defer under.Add(-1)
		switch {
		case a.page >= 2 && a.page <= 5:
			if together.Add(1) == 4 {
				close(all)
			}
			<-all // pages 2 to 5 are under way at once
		case n != 1:
			t.Errorf("page %d came beside another", a.page)
		}
		list(700)(w, a)
	})
	ids, info, err := scan(t, s, 500)
	if err != nil {
		t.Fatal(err)
	}
	if len(ids) != 700 || info.Pages != 7 || info.Verdict != diff.Complete {
		t.Errorf("got %d ids, %+v", len(ids), info)
	}
	if got := len(s.Calls()); got != 7 {
		t.Errorf("got %d calls, want 7", got)
	}
}

// Calls are made in vain only at the end of a source that went far beyond what
// was expected of it, and then no more than are under way at once.
func TestShops_Scan_callsInVain(t *testing.T) {
	for _, c := range []struct{ records, expect, least, most int }{
		{1600, 0, 16, 16},
		{1700, 100, 17, 17},
		{5000, 5000, 50, 50},
		{5000, 4990, 50, 50},
		{5000, 0, 50, 53},
		{5000, 2000, 50, 53},
	} {
		s, _ := serve(t, list(int64(c.records)))
		ids, info, err := scan(t, s, c.expect)
		if err != nil || len(ids) != c.records || info.Verdict != diff.Complete {
			t.Errorf("%+v: got %d ids, %+v, %v", c, len(ids), info, err)
		}
		calls := s.Calls()
		if n := len(calls); n < c.least || n > c.most {
			t.Errorf("%+v: got %d calls", c, n)
		}
		if n := diff.StatsOf(calls).Failed; n != 0 {
			t.Errorf("%+v: %d calls failed", c, n)
		}
	}
}

// Pages beyond the end that were fetched in vain change nothing of what is read, whatever they answer.
func TestShops_Scan_beyondEnd(t *testing.T) {
	const pages = 40
	var most, under atomic.Int32
	s, _ := serve(t, func(w http.ResponseWriter, a ask) {
		if n := under.Add(1); n > most.Load() {
			most.Store(n)
		}
		defer under.Add(-1)
		switch {
		case a.page > pages:
			fmt.Fprint(w, `{"code":130,"issuccess":false,"msg":"page_index"}`)
			return
		case a.page == pages:
			time.Sleep(100 * time.Millisecond) // until those that are fetched ahead have come
		default:
			time.Sleep(time.Millisecond)
		}
		list(pages*100)(w, a)
	})
	ids, info, err := scan(t, s, 0)
	if want := (diff.ScanInfo{Pages: pages, Verdict: diff.Complete}); err != nil || info != want || len(ids) != pages*100 {
		t.Errorf("got %d ids, %+v, %v", len(ids), info, err)
	}
	if n := most.Load(); n < 2 || n > extract.DefaultAhead {
		t.Errorf("got %d pages under way at once", n)
	}
	for _, c := range s.Calls() {
		if c.Page <= pages && c.Failed() {
			t.Errorf("page %d failed: %s", c.Page, c.Err)
		}
		if c.Page > pages+extract.DefaultAhead-1 {
			t.Errorf("page %d was asked for", c.Page)
		}
	}
}

func TestShops_Scan_cancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	s, _ := serve(t, func(w http.ResponseWriter, a ask) {
		if a.page == 3 {
			cancel()
			<-done
			return
		}
		list(1000)(w, a)
	})
	_, err := s.Scan(ctx, 0, func(diff.Page) error { return nil })
	close(done)
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "page 3") {
		t.Errorf("got %v", err)
	}
}

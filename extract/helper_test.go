package extract_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"jstsync/diff"
	"jstsync/extract"
)

const (
	testSecret = "s3cret-of-the-app"
	testToken  = "t0ken/of+the=merchant"
)

// clock is a clock that stands still but for those who sleep by it.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	slept []time.Duration
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// pass lets time pass.
func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.slept = append(c.slept, d)
	return nil
}

// ask is one call as the test's server saw it.
type ask struct {
	page, size int
	ids        []int64
	form       url.Values
}

// serve runs a server that answers calls by the function and returns a reader
// of it with a fake clock. Options may be changed before the reader is made.
func serve(t *testing.T, answer func(w http.ResponseWriter, a ask), change ...func(*extract.Options)) (*extract.Shops, *clock) {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Errorf("parse form: %v", err)
		}
		var biz struct {
			PageIndex int     `json:"page_index"`
			PageSize  int     `json:"page_size"`
			ShopIDs   []int64 `json:"shop_ids"`
		}
		if err := json.Unmarshal([]byte(r.PostForm.Get("biz")), &biz); err != nil {
			t.Errorf("biz %q: %v", r.PostForm.Get("biz"), err)
		}
		answer(w, ask{biz.PageIndex, biz.PageSize, biz.ShopIDs, r.PostForm})
	}))
	t.Cleanup(srv.Close)
	return reader(t, srv.URL, change...)
}

func reader(t *testing.T, address string, change ...func(*extract.Options)) (*extract.Shops, *clock) {
	t.Helper()
	base, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	c := newClock()
	o := extract.Options{
		BaseURL: base, AppKey: "key", AppSecret: testSecret, Token: extract.StaticToken(testToken),
		ID: keyOf, Now: c.Now, Sleep: c.Sleep, Rand: func() float64 { return 0.5 },
	}
	for _, f := range change {
		f(&o)
	}
	s, err := extract.NewShops(o)
	if err != nil {
		t.Fatalf("NewShops: %v", err)
	}
	t.Cleanup(s.Close)
	return s, c
}

func keyOf(r *diff.Record) (diff.Key, error) {
	n, err := strconv.ParseInt(string(r.Member("shop_id")), 10, 64)
	if err != nil {
		return "", fmt.Errorf("read shop_id: %w", err)
	}
	return diff.NewKey(diff.IntValue(n))
}

func keys(t *testing.T, ids ...int64) []diff.Key {
	t.Helper()
	var ks []diff.Key
	for _, id := range ids {
		k, err := diff.NewKey(diff.IntValue(id))
		if err != nil {
			t.Fatal(err)
		}
		ks = append(ks, k)
	}
	return ks
}

func shop(id int64) string { return fmt.Sprintf(`{"shop_id":%d,"shop_name":"店 %d"}`, id, id) }

// page is the answer with these rows.
func page(index, size int, next bool, rows ...string) string {
	return fmt.Sprintf(`{"code":0,"msg":"执行成功","data":{"datas":[%s],"page_index":%d,"page_size":%d,"has_next":%t}}`,
		strings.Join(rows, ","), index, size, next)
}

// list answers as the API does over the shops with ids 1 to n.
func list(n int64) func(w http.ResponseWriter, a ask) {
	return func(w http.ResponseWriter, a ask) {
		var rows []string
		if a.ids != nil {
			for _, id := range a.ids {
				if id >= 1 && id <= n {
					rows = append(rows, shop(id))
				}
			}
			fmt.Fprint(w, page(1, a.size, false, rows...))
			return
		}
		from := int64(a.page-1) * int64(a.size)
		for id := from + 1; id <= min(n, from+int64(a.size)); id++ {
			rows = append(rows, shop(id))
		}
		fmt.Fprint(w, page(a.page, a.size, from+int64(a.size) < n, rows...))
	}
}

// scan reads everything and returns the ids in the order they came.
func scan(t *testing.T, s *extract.Shops, expect int) (ids []string, info diff.ScanInfo, err error) {
	t.Helper()
	last := 0
	info, err = s.Scan(t.Context(), expect, func(p diff.Page) error {
		if last++; p.Index != last {
			t.Errorf("page %d came after page %d", p.Index, last-1)
		}
		for _, r := range p.Records {
			ids = append(ids, string(r.Member("shop_id")))
		}
		return nil
	})
	return ids, info, err
}

package sandbox_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"jstsync/internal/sandbox"
)

// clock is a clock that moves when told.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock(unix int64) *clock { return &clock{at: time.Unix(unix, 0)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// client is a signed caller of one sandbox.
type client struct {
	t     *testing.T
	s     *sandbox.Server
	base  string
	token string
	clock *clock
	http  *http.Client
}

func open(t *testing.T, o sandbox.Options) *client {
	t.Helper()
	c := newClock(1_700_000_000)
	if o.Now == nil {
		o.Now = c.now
	}
	if o.PerSecond == 0 {
		o.PerSecond, o.PerMinute = -1, -1
	}
	s := sandbox.New(o)
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	transport := &http.Transport{DisableKeepAlives: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &client{
		t: t, s: s, base: srv.URL, token: "sandbox-token", clock: c,
		http: &http.Client{Transport: transport, Timeout: 5 * time.Second},
	}
}

func (c *client) form(biz string) url.Values {
	return url.Values{
		"app_key": {"sandbox-key"}, "access_token": {c.token}, "charset": {"utf-8"}, "version": {"2"},
		"timestamp": {strconv.FormatInt(c.clock.now().Unix(), 10)}, "biz": {biz},
	}
}

func (c *client) raw(path string, form url.Values) (*http.Response, []byte, error) {
	c.t.Helper()
	if form.Get("sign") == "" && !form.Has("unsigned") {
		form.Set("sign", sandbox.Sign("sandbox-secret", form))
	}
	form.Del("unsigned")
	resp, err := c.http.PostForm(c.base+path, form)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return resp, body, err
}

type answer struct {
	Code int
	Msg  string
	Data *struct {
		Datas     []map[string]json.RawMessage
		HasNext   json.RawMessage `json:"has_next"`
		PageIndex int             `json:"page_index"`
		PageSize  int             `json:"page_size"`

		AccessToken  string `json:"access_token"`
		RefreshToken string `json:"refresh_token"`
		ExpiresIn    int    `json:"expires_in"`
		Scope        string
	}
}

func (c *client) post(path string, form url.Values) answer {
	c.t.Helper()
	_, body, err := c.raw(path, form)
	if err != nil {
		c.t.Fatalf("post %s: %v", path, err)
	}
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		c.t.Fatalf("read answer %s: %v", body, err)
	}
	return a
}

func (c *client) query(biz string) answer {
	c.t.Helper()
	return c.post(sandbox.PathShops, c.form(biz))
}

// ids are the shop_ids of an answer, as spelled.
func (a answer) ids() string {
	if a.Data == nil {
		return "no data"
	}
	out := make([]string, len(a.Data.Datas))
	for i, r := range a.Data.Datas {
		out[i] = string(r["shop_id"])
	}
	return strings.Join(out, " ")
}

func (a answer) next() string {
	if a.Data == nil {
		return "no data"
	}
	return string(a.Data.HasNext)
}

// want lists the shop_ids from..to (exclusive) of the sandbox.
func (c *client) want(from, to int) string {
	var out []string
	for _, shop := range c.s.Shops()[from:to] {
		out = append(out, strconv.FormatInt(shop.ID, 10))
	}
	return strings.Join(out, " ")
}

func check[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// words joins values with spaces.
func words(values ...any) string { return strings.TrimSuffix(fmt.Sprintln(values...), "\n") }

func inject(t *testing.T, s *sandbox.Server, faults ...sandbox.Fault) {
	t.Helper()
	if err := s.Inject(faults...); err != nil {
		t.Fatalf("inject: %v", err)
	}
}

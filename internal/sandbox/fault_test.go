package sandbox_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"jstsync/internal/sandbox"
)

func TestFault_Wire(t *testing.T) {
	type result struct {
		resp *http.Response
		body []byte
		err  error
		took time.Duration
	}
	tests := []struct {
		name  string
		fault sandbox.Fault
		code  int // recorded
		good  func(result) bool
	}{
		{"latency", sandbox.Fault{Kind: sandbox.KindLatency, Delay: 30 * time.Millisecond}, 0, func(r result) bool {
			return r.err == nil && json.Valid(r.body) && r.took >= 30*time.Millisecond
		}},
		{"default latency", sandbox.Fault{Kind: sandbox.KindLatency}, 0, func(r result) bool { return r.took >= 250*time.Millisecond }},
		{"stall and go on", sandbox.Fault{Kind: sandbox.KindStall, Delay: 30 * time.Millisecond}, 0, func(r result) bool {
			return r.err == nil && json.Valid(r.body) && r.took >= 30*time.Millisecond
		}},
		{"stall", sandbox.Fault{Kind: sandbox.KindStall, N: 5}, 0, func(r result) bool {
			return os.IsTimeout(r.err) && len(r.body) == 5
		}},
		{"reset", sandbox.Fault{Kind: sandbox.KindReset}, -1, func(r result) bool {
			return errors.Is(r.err, syscall.ECONNRESET) || errors.Is(r.err, io.EOF)
		}},
		{"truncate", sandbox.Fault{Kind: sandbox.KindTruncate}, 0, func(r result) bool {
			return r.err == nil && len(r.body) > 10 && !json.Valid(r.body)
		}},
		{"truncate at", sandbox.Fault{Kind: sandbox.KindTruncate, N: 3}, 0, func(r result) bool { return r.err == nil && len(r.body) == 3 }},
		{"length too large", sandbox.Fault{Kind: sandbox.KindWrongLength}, 0, func(r result) bool {
			return errors.Is(r.err, io.ErrUnexpectedEOF) && json.Valid(r.body)
		}},
		{"length too small", sandbox.Fault{Kind: sandbox.KindWrongLength, N: -4}, 0, func(r result) bool {
			return r.err == nil && !json.Valid(r.body) && r.resp.ContentLength == int64(len(r.body))
		}},
		{"gzip", sandbox.Fault{Kind: sandbox.KindGzip, N: 5000}, 0, func(r result) bool {
			zip, err := gzip.NewReader(bytes.NewReader(r.body))
			if err != nil || r.resp.Header.Get("Content-Encoding") != "gzip" {
				return false
			}
			plain, err := io.ReadAll(zip)
			return err == nil && json.Valid(plain) && len(plain) > 5000 && len(r.body) < 2000
		}},
		{"pad", sandbox.Fault{Kind: sandbox.KindPad}, 0, func(r result) bool { return len(r.body) > 1<<20 && json.Valid(r.body) }},
		{"429", sandbox.Fault{Kind: sandbox.KindStatus, Status: 429, RetryAfter: "7"}, -1, func(r result) bool {
			return r.resp.StatusCode == 429 && r.resp.Header.Get("Retry-After") == "7"
		}},
		{"500", sandbox.Fault{Kind: sandbox.KindStatus}, -1, func(r result) bool {
			return r.resp.StatusCode == 500 && r.resp.Header.Get("Retry-After") == ""
		}},
		{"503", sandbox.Fault{Kind: sandbox.KindStatus, Status: 503}, -1, func(r result) bool { return r.resp.StatusCode == 503 }},
		{"html", sandbox.Fault{Kind: sandbox.KindHTML}, -1, func(r result) bool {
			return r.resp.StatusCode == 200 && strings.HasPrefix(r.resp.Header.Get("Content-Type"), "text/html") && bytes.Contains(r.body, []byte("<html>"))
		}},
		{"default code", sandbox.Fault{Kind: sandbox.KindCode}, 150, func(r result) bool {
			return bytes.Contains(r.body, []byte(`内部处理异常`)) && r.resp.StatusCode == 200
		}},
		{"code", sandbox.Fault{Kind: sandbox.KindCode, Code: 110, Msg: "IP 1.2.3.4 不在白名单"}, 110, func(r result) bool {
			return bytes.Contains(r.body, []byte(`IP 1.2.3.4 不在白名单`)) && bytes.Contains(r.body, []byte(`"code":110`))
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := open(t, sandbox.Options{Shops: 3})
			c.http.Transport.(*http.Transport).DisableCompression = true
			if tt.name == "stall" {
				c.http.Timeout = 50 * time.Millisecond
			}
			inject(t, c.s, tt.fault)
			began := time.Now()
			resp, body, err := c.raw(sandbox.PathShops, c.form("{}"))
			if r := (result{resp, body, err, time.Since(began)}); !tt.good(r) {
				t.Errorf("got %+v, body %.200s", r, r.body)
			}
			call := c.s.Calls()[0]
			check(t, "recorded", words(call.Code, call.Fault), words(tt.code, string(tt.fault.Kind)))
			c.http.Timeout = 5 * time.Second
			check(t, "next call", c.query("{}").Code, 0)
		})
	}
}

func TestFault_ExpireToken(t *testing.T) {
	c := open(t, sandbox.Options{Shops: 30})
	inject(t, c.s, sandbox.Fault{Kind: sandbox.KindExpireToken, Page: 2})
	check(t, "page 1", c.query(`{"page_size":10}`).Code, 0)
	check(t, "page 2", c.query(`{"page_index":2,"page_size":10}`).Code, 100)
	check(t, "page 2 again", c.query(`{"page_index":2,"page_size":10}`).Code, 100)
	c.token = c.refresh("sandbox-refresh").Data.AccessToken
	check(t, "page 2 with a new token", c.query(`{"page_index":2,"page_size":10}`).Code, 0)
}

func TestFault_TokenCalls(t *testing.T) {
	c := open(t, sandbox.Options{})
	inject(t, c.s,
		sandbox.Fault{Kind: sandbox.KindStatus, Status: 503, Path: sandbox.PathInitToken},
		sandbox.Fault{Kind: sandbox.KindTruncate, N: 1, Path: sandbox.PathRefreshToken})
	check(t, "shop query", c.query("{}").Code, 0)
	resp, _, err := c.raw(sandbox.PathInitToken, c.tokenForm("grant_type", "authorization_code", "code", "123456"))
	if err != nil {
		t.Fatal(err)
	}
	check(t, "status", resp.StatusCode, 503)
	_, body, _ := c.raw(sandbox.PathRefreshToken, c.tokenForm("grant_type", "refresh_token", "refresh_token", "sandbox-refresh", "scope", "all"))
	check(t, "truncated", string(body), "{")
	check(t, "token changed all the same", c.s.AccessToken() != "sandbox-token", true)
}

func TestFault_Rows(t *testing.T) {
	const page2 = `{"page_index":2,"page_size":4}`
	tests := []struct {
		name  string
		fault sandbox.Fault
		biz   string
		want  func(*client) string // ids, has_next, page_index, page_size
	}{
		{"none", sandbox.Fault{Kind: sandbox.KindEmptyPage, Page: 1}, page2, func(c *client) string { return c.want(4, 8) + "|true 2 4" }},
		{"has_next false", sandbox.Fault{Kind: sandbox.KindHasNext, Page: 2}, page2, func(c *client) string { return c.want(4, 8) + "|false 2 4" }},
		{"has_next true", sandbox.Fault{Kind: sandbox.KindHasNext}, `{"page_size":10}`, func(c *client) string { return c.want(0, 10) + "|true 1 10" }},
		{"has_next text", sandbox.Fault{Kind: sandbox.KindHasNext, Value: json.RawMessage(`"true"`)}, page2, func(c *client) string { return c.want(4, 8) + `|"true" 2 4` }},
		{"empty page", sandbox.Fault{Kind: sandbox.KindEmptyPage, Page: 2}, page2, func(*client) string { return "|true 2 4" }},
		{"short page", sandbox.Fault{Kind: sandbox.KindShortPage}, page2, func(c *client) string { return c.want(4, 6) + "|true 2 4" }},
		{"short page of 1", sandbox.Fault{Kind: sandbox.KindShortPage, N: 1}, page2, func(c *client) string { return c.want(4, 5) + "|true 2 4" }},
		{"repeated page", sandbox.Fault{Kind: sandbox.KindRepeatPage}, page2, func(c *client) string { return c.want(0, 4) + "|true 2 4" }},
		{"clamped page", sandbox.Fault{Kind: sandbox.KindClampPage, N: 3}, page2, func(c *client) string { return c.want(3, 6) + "|true 2 3" }},
		{"null rows", sandbox.Fault{Kind: sandbox.KindNullRows}, page2, func(*client) string { return "|true 2 4" }},
		{"shop_ids ignored", sandbox.Fault{Kind: sandbox.KindIDsIgnored}, "ids", func(c *client) string { return c.want(0, 10) + "|false 1 100" }},
		{"shop_ids clamped", sandbox.Fault{Kind: sandbox.KindIDsClamped, N: 2}, "ids", func(c *client) string { return c.want(2, 4) + "|true 1 100" }},
		{"shop_ids and more", sandbox.Fault{Kind: sandbox.KindIDsExtra, N: 2}, "ids", func(c *client) string { return c.want(0, 5) + "|false 1 100" }},
		{"shop_ids unanswered", sandbox.Fault{Kind: sandbox.KindIDsEmpty}, "ids", func(*client) string { return "|false 1 100" }},
		{"shop_ids fault on a page", sandbox.Fault{Kind: sandbox.KindIDsEmpty}, page2, func(c *client) string { return c.want(4, 8) + "|true 2 4" }},
		{"scope ids on a page", sandbox.Fault{Kind: sandbox.KindEmptyPage, Scope: sandbox.ScopeIDs}, page2, func(c *client) string { return c.want(4, 8) + "|true 2 4" }},
		{"scope pages on ids", sandbox.Fault{Kind: sandbox.KindEmptyPage, Scope: sandbox.ScopePages}, "ids", func(c *client) string { return c.want(2, 5) + "|false 1 100" }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := open(t, sandbox.Options{Shops: 10})
			inject(t, c.s, tt.fault)
			if tt.biz == "ids" {
				tt.biz = `{"shop_ids":[` + strings.ReplaceAll(c.want(2, 5), " ", ",") + `]}`
			}
			a := c.query(tt.biz)
			check(t, "answer", a.ids()+"|"+words(a.next(), a.Data.PageIndex, a.Data.PageSize), tt.want(c))
		})
	}
}

func TestFault_Spelling(t *testing.T) {
	id := func(c *client, i int) string { return strconv.FormatInt(c.s.Shops()[i].ID, 10) }
	c := open(t, sandbox.Options{Shops: 3})
	c.s.Put(c.s.Shops()[1].ID, map[string]any{"shop_name": "名"})
	body := func(f sandbox.Fault) string {
		inject(t, c.s, f)
		_, body, err := c.raw(sandbox.PathShops, c.form("{}"))
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	has := func(what, body string, wants ...string) {
		t.Helper()
		for _, want := range wants {
			check(t, what+" has "+want+" in "+body, strings.Contains(body, want), true)
		}
	}
	has("null rows", body(sandbox.Fault{Kind: sandbox.KindNullRows}), `"datas":null`)
	has("rows under shops", body(sandbox.Fault{Kind: sandbox.KindRowsUnderShops}), `"data":{`, `"shops":[{`)
	top := body(sandbox.Fault{Kind: sandbox.KindRowsOnTop})
	has("rows on top", top, `"shops":[{`, `"has_next":false`)
	check(t, "data beside the rows on top", strings.Contains(top, `"data`), false)
	has("lone surrogate", body(sandbox.Fault{Kind: sandbox.KindLoneSurrogate, Row: 1}), `"shop_name":"名\ud83d"`)
	has("duplicate member", body(sandbox.Fault{Kind: sandbox.KindDuplicateMember, Row: 1}), `"shop_name":"名"`, `"shop_name":"名（再次）"`)

	inject(t, c.s, sandbox.Fault{Kind: sandbox.KindDuplicateID, Row: 1})
	a := c.query("{}")
	check(t, "duplicate id", a.ids(), strings.Join([]string{id(c, 0), id(c, 1), id(c, 1), id(c, 2)}, " "))
	check(t, "its name", string(a.Data.Datas[2]["shop_name"]), `"名（副本）"`)
	check(t, "the first name", string(a.Data.Datas[1]["shop_name"]), `"名"`)

	for value, want := range map[string]string{"": "", "null": "null", `{"id":1}`: `{"id":1}`, `"abc"`: `"abc"`} {
		inject(t, c.s, sandbox.Fault{Kind: sandbox.KindBadKey, Row: 2, Value: json.RawMessage(value)})
		a := c.query("{}")
		check(t, "key "+value, a.ids(), id(c, 0)+" "+id(c, 1)+" "+want)
	}
	inject(t, c.s, sandbox.Fault{Kind: sandbox.KindBadKey, Row: 9})
	check(t, "row that is not there", c.query("{}").ids(), c.want(0, 3))
	c.s.Unset(c.s.Shops()[0].ID, "shop_name", "shop_id")
	for _, kind := range []sandbox.Kind{sandbox.KindBadKey, sandbox.KindLoneSurrogate, sandbox.KindDuplicateMember, sandbox.KindDuplicateID} {
		check(t, string(kind)+" without key and name", json.Valid([]byte(body(sandbox.Fault{Kind: kind}))), true)
	}
	check(t, "server data untouched", string(c.s.Shops()[1].Members["shop_name"]), `"名"`)
}

func TestFault_Queue(t *testing.T) {
	codes := func(c *client, n int) string {
		var out []string
		for range n {
			out = append(out, strconv.Itoa(c.query("{}").Code))
		}
		return strings.Join(out, " ")
	}
	code := func(f sandbox.Fault, code int) sandbox.Fault {
		f.Kind, f.Code = sandbox.KindCode, code
		return f
	}
	c := open(t, sandbox.Options{Shops: 4, Faults: []sandbox.Fault{code(sandbox.Fault{Times: 2}, 160)}})
	inject(t, c.s, code(sandbox.Fault{Skip: 1}, 170))
	check(t, "one after the other", codes(c, 5), "160 160 0 170 0")

	inject(t, c.s, sandbox.Fault{Kind: sandbox.KindClampPage, N: 3, Times: -1}, sandbox.Fault{Kind: sandbox.KindShortPage, N: 1}, sandbox.Fault{Kind: sandbox.KindLatency, Delay: 1})
	check(t, "together", c.query("{}").ids(), c.want(0, 1))
	check(t, "recorded", c.s.Calls()[5].Fault, "clamp-page+short-page+latency")
	check(t, "what is left", words(len(c.s.Faults()), c.s.Faults()[0].Kind), "1 clamp-page")
	c.s.ClearFaults()

	luck := func(seed uint64) string {
		c := open(t, sandbox.Options{Seed: seed, Faults: []sandbox.Fault{code(sandbox.Fault{Probability: 0.5}, 1)}})
		return codes(c, 30)
	}
	first := luck(1)
	check(t, "the same seed", luck(1), first)
	check(t, "another seed is the same", luck(2) == first, false)
	if n := strings.Count(first, "1"); n < 5 || n > 25 {
		t.Errorf("calls hit: got %d of 30, want about half", n)
	}

	form := c.form("{}")
	form.Set("sign", "x")
	inject(t, c.s, code(sandbox.Fault{}, 7))
	check(t, "a refused call", c.post(sandbox.PathShops, form).Code, 10)
	check(t, "leaves the fault", codes(c, 1), "7")
}

func TestFault_Invalid(t *testing.T) {
	for _, tt := range []struct {
		fault sandbox.Fault
		says  string
	}{
		{sandbox.Fault{}, "unknown kind"},
		{sandbox.Fault{Kind: "x"}, "unknown kind"},
		{sandbox.Fault{Kind: sandbox.KindCode, Path: "/x"}, "not served"},
		{sandbox.Fault{Kind: sandbox.KindEmptyPage, Path: sandbox.PathInitToken}, "no shop query"},
		{sandbox.Fault{Kind: sandbox.KindCode, Path: sandbox.PathInitToken, Page: 1}, "no shop query"},
		{sandbox.Fault{Kind: sandbox.KindCode, Scope: "x"}, "unknown scope"},
		{sandbox.Fault{Kind: sandbox.KindCode, Scope: sandbox.ScopeIDs, Page: 1}, "matches no query"},
		{sandbox.Fault{Kind: sandbox.KindIDsEmpty, Scope: sandbox.ScopePages}, "matches no query"},
		{sandbox.Fault{Kind: sandbox.KindCode, Probability: 2}, "probability"},
		{sandbox.Fault{Kind: sandbox.KindCode, Probability: math.NaN()}, "probability"},
		{sandbox.Fault{Kind: sandbox.KindCode, Page: -1}, "negative"},
		{sandbox.Fault{Kind: sandbox.KindStatus, Status: 99}, "status"},
		{sandbox.Fault{Kind: sandbox.KindShortPage, N: -1}, "negative n"},
	} {
		s := sandbox.New(sandbox.Options{})
		err := s.Inject(sandbox.Fault{Kind: sandbox.KindCode}, tt.fault)
		if err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("inject %+v: got %v, want %q", tt.fault, err, tt.says)
		}
		check(t, "faults taken", len(s.Faults()), 0)
	}
	defer func() { check(t, "New panicked", recover() != nil, true) }()
	sandbox.New(sandbox.Options{Faults: []sandbox.Fault{{}}})
}

func TestFault_JSON(t *testing.T) {
	for _, kind := range sandbox.Kinds() {
		want := sandbox.Fault{Kind: kind, Page: 2, Skip: 1, Times: 3, Delay: time.Second, N: 4, Row: 5, Value: json.RawMessage(`{"a":1}`)}
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got sandbox.Fault
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		check(t, string(text), fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want))
	}
	check(t, "kinds", len(sandbox.Kinds()), 27)
}

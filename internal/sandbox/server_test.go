package sandbox_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"jstsync/internal/sandbox"
)

func TestServer_Signature(t *testing.T) {
	const key, secret = "5b53060f23d84ddf9703056e84fa5a2d", "e9c5ca33fecb404b8e6cdbd0ef4a6d25"
	demo := func(more ...string) url.Values {
		form := url.Values{"app_key": {"demo-key"}, "charset": {"utf-8"}, "timestamp": {"1700000000"}}
		for i := 0; i < len(more); i += 2 {
			form.Set(more[i], more[i+1])
		}
		return form
	}
	shops := func(biz string) url.Values { return demo("access_token", "demo-token", "version", "2", "biz", biz) }
	tests := []struct {
		name, path, secret, sign string
		form                     url.Values
	}{
		{"V1", sandbox.PathInitToken, secret, "05e3a51e19e0883afd1882ccd309e0b9", url.Values{
			"app_key": {key}, "charset": {"utf-8"}, "code": {"123456"},
			"grant_type": {"authorization_code"}, "timestamp": {"1639128407"},
		}},
		{"V2", sandbox.PathShops, secret, "395f5a78b446be465ac03a02491296c7", url.Values{
			"access_token": {"d7b01bf0842a4742a9450e21ffd95f60"}, "app_key": {key}, "charset": {"utf-8"},
			"timestamp": {"1639128407"}, "version": {"2"},
			"biz": {`{"page_index":"1","page_size":"100","nicks":["老板"]}`},
		}},
		{"numbers", sandbox.PathShops, "demo-secret", "46bba3f142291b6c7ff797421d512184", shops(`{"page_index":1,"page_size":100}`)},
		{"reserved characters", sandbox.PathShops, "demo-secret", "c69906a4a35a3e1d5de3cae53f09b26a", shops(`{"name":"中文店铺&=+ %"}`)},
		{
			"refresh", sandbox.PathRefreshToken, "demo-secret", "35b747ed8cc9079df742831a0bae2f81",
			demo("grant_type", "refresh_token", "refresh_token", "demo-refresh", "scope", "all"),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			check(t, "Sign", sandbox.Sign(tt.secret, tt.form), tt.sign)
			var unix int64
			_, _ = fmt.Sscan(tt.form.Get("timestamp"), &unix)
			o := sandbox.Options{
				AppKey: tt.form.Get("app_key"), AppSecret: tt.secret, AccessToken: tt.form.Get("access_token"),
				RefreshToken: "demo-refresh", Now: newClock(unix).now,
			}
			c := open(t, o)
			tt.form.Set("sign", tt.sign)
			check(t, "code", c.post(tt.path, tt.form).Code, 0)
			tt.form.Set("sign", strings.ToUpper(tt.sign))
			check(t, "code of the upper-case signature", c.post(tt.path, tt.form).Code, 10)
			tt.form.Set("sign", strings.Repeat("0", 32))
			check(t, "code of a wrong signature", c.post(tt.path, tt.form).Code, 10)
		})
	}
}

func TestServer_Refusals(t *testing.T) {
	set := func(name, value string) func(url.Values) { return func(f url.Values) { f.Set(name, value) } }
	tests := []struct {
		name   string
		table  sandbox.ErrorTable
		change func(url.Values)
		code   int
		msg    string
	}{
		{"good", 0, func(url.Values) {}, 0, "执行成功"},
		{"upper-case charset", 0, set("charset", "UTF-8"), 0, "执行成功"},
		{"additional field", 0, set("zzz", "1"), 0, "执行成功"},
		{"no access_token", 0, func(f url.Values) { f.Del("access_token") }, 130, "入参缺少access_token"},
		{"empty biz", 0, set("biz", ""), 130, "入参缺少biz"},
		{"no sign", 0, set("unsigned", "1"), 130, "入参缺少sign"},
		{"wrong version", 0, set("version", "1"), 140, "参数不符合规范"},
		{"wrong app_key", 0, set("app_key", "else"), 140, "参数不符合规范"},
		{"field twice", 0, func(f url.Values) { f.Add("biz", "{}") }, 140, "参数不符合规范"},
		{"signature A", sandbox.TableA, set("sign", "x"), 10, "验证失败！无效签名"},
		{"signature B", sandbox.TableB, set("sign", "x"), 120, "签名错误"},
		{"15 minutes A", sandbox.TableA, set("timestamp", "1699999100"), 0, "执行成功"},
		{"over 15 minutes A", sandbox.TableA, set("timestamp", "1699999099"), 140, "无效的timestamp，与服务器时间相差超过15分钟"},
		{"over 10 minutes B", sandbox.TableB, set("timestamp", "1700000601"), 180, "无效的timestamp，与服务器时间相差超过10分钟"},
		{"milliseconds", sandbox.TableA, set("timestamp", "1700000000000"), 140, "无效的timestamp，与服务器时间相差超过15分钟"},
		{"token A", sandbox.TableA, set("access_token", "x"), 100, "验证失败！无效的access_token或access_token已过期"},
		{"token B", sandbox.TableB, set("access_token", "x"), 100, "access_token超时"},
		{"biz no JSON", 0, set("biz", "{"), 140, "参数不符合规范"},
		{"biz null", 0, set("biz", "null"), 140, "参数不符合规范"},
		{"biz a list", 0, set("biz", "[]"), 140, "参数不符合规范"},
		{"page_index no number", 0, set("biz", `{"page_index":"x"}`), 140, "参数不符合规范"},
		{"shop_ids no list", 0, set("biz", `{"shop_ids":"1"}`), 140, "参数不符合规范"},
		{"shop_ids of objects", 0, set("biz", `{"shop_ids":[{}]}`), 140, "参数不符合规范"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := open(t, sandbox.Options{Shops: 1, Table: tt.table})
			form := c.form("{}")
			tt.change(form)
			a := c.post(sandbox.PathShops, form)
			check(t, "code", a.Code, tt.code)
			check(t, "msg", a.Msg, tt.msg)
			check(t, "recorded code", c.s.Calls()[0].Code, tt.code)
		})
	}
}

func TestServer_Envelope(t *testing.T) {
	c := open(t, sandbox.Options{Shops: 1})
	resp, body, err := c.raw("/open/unknown", c.form("{}"))
	if err != nil {
		t.Fatal(err)
	}
	check(t, "status", resp.StatusCode, http.StatusOK)
	check(t, "type", resp.Header.Get("Content-Type"), "application/json;charset=UTF-8")
	var got map[string]any
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	data, ok := got["data"]
	check(t, "error body", words(got["code"], got["msg"], data, ok, len(got)), "190 接口不存在 <nil> true 3")

	_, body, _ = c.raw(sandbox.PathShops, c.form("{}"))
	for _, total := range []string{"data_count", "page_count"} {
		check(t, total+" in the answer", strings.Contains(string(body), total), false)
	}
	resp, err = c.http.Get(c.base + sandbox.PathShops + "?" + c.form("{}").Encode())
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	check(t, "code of a GET", c.s.Calls()[2].Code, 140)

	c = open(t, sandbox.Options{OmitErrorData: true, ErrorStatus: 400})
	resp, body, _ = c.raw("/open/unknown", c.form("{}"))
	check(t, "status by option", resp.StatusCode, 400)
	check(t, "data left out by option", strings.Contains(string(body), "data"), false)
}

func TestServer_Paging(t *testing.T) {
	c := open(t, sandbox.Options{Shops: 250})
	tests := []struct {
		biz      string
		from, to int
		next     string
		index    int
		size     int
	}{
		{`{}`, 0, 100, "true", 1, 100},
		{`{"page_index":2}`, 100, 200, "true", 2, 100},
		{`{"page_index":"3","page_size":"100"}`, 200, 250, "false", 3, 100},
		{`{"page_index":4}`, 0, 0, "false", 4, 100},
		{`{"page_index":9000000000000000000}`, 0, 0, "false", 9000000000000000000, 100},
		{`{"page_index":5,"page_size":50}`, 200, 250, "false", 5, 50},
		{`{"page_size":500}`, 0, 100, "true", 1, 100},
		{`{"page_index":0,"page_size":0}`, 0, 100, "true", 1, 100},
		{`{"page_index":null,"page_size":-3,"shop_ids":null}`, 0, 100, "true", 1, 100},
	}
	for _, tt := range tests {
		a := c.query(tt.biz)
		check(t, tt.biz+" rows", a.ids(), c.want(tt.from, tt.to))
		check(t, tt.biz+" has_next", a.next(), tt.next)
		check(t, tt.biz+" page_index", a.Data.PageIndex, tt.index)
		check(t, tt.biz+" page_size", a.Data.PageSize, tt.size)
	}
	_, body, _ := c.raw(sandbox.PathShops, c.form(`{"page_index":4}`))
	check(t, "empty datas", strings.Contains(string(body), `"datas":[]`), true)
}

func TestServer_PagingOptions(t *testing.T) {
	c := open(t, sandbox.Options{Shops: 20, StrictPaging: true, ClampPageSize: sandbox.SwitchOff, HasNextOnFullLastPage: true, Order: sandbox.OrderDescending})
	check(t, "page_index 0", c.query(`{"page_index":0}`).Code, 140)
	check(t, "page_size 0", c.query(`{"page_size":0}`).Code, 140)
	check(t, "page_size 101", c.query(`{"page_size":101}`).Code, 140)
	a := c.query(`{"page_index":2,"page_size":10}`)
	check(t, "has_next of the full last page", a.next(), "true")
	shops := c.s.Shops()
	check(t, "last of descending rows", string(a.Data.Datas[9]["shop_id"]), fmt.Sprint(shops[0].ID))

	c = open(t, sandbox.Options{Shops: 20, Order: sandbox.OrderUnstable})
	before := c.query(`{}`).ids()
	check(t, "unstable order repeats", c.query(`{}`).ids() == before, false)

	c = open(t, sandbox.Options{Shops: 20, MaxPageSize: 8, Checks: []sandbox.Check{sandbox.CheckToken, sandbox.CheckArguments}})
	check(t, "size by MaxPageSize", c.query(`{"page_size":50}`).Data.PageSize, 8)
	form := c.form("{}")
	form.Set("access_token", "x")
	form.Set("version", "1")
	check(t, "code with the token checked first", c.post(sandbox.PathShops, form).Code, 100)
}

func TestServer_Filters(t *testing.T) {
	c := open(t, sandbox.Options{Shops: 30})
	all := c.s.Shops()
	biz := fmt.Sprintf(`{"shop_ids":["%d",%d,%d,99],"page_index":1}`, all[7].ID, all[3].ID, all[7].ID)
	a := c.query(biz)
	check(t, "shop_ids", a.ids(), fmt.Sprint(all[3].ID, " ", all[7].ID))
	check(t, "has_next", a.next(), "false")
	last := c.s.Calls()[0]
	check(t, "call", words(last.Path, last.PageIndex, last.ShopIDs, last.Code, last.Status), "/open/shops/query 1 4 0 200")

	nick, _ := all[5].Text("nick")
	check(t, "nicks", c.query(fmt.Sprintf(`{"nicks":[%q]}`, nick)).ids(), fmt.Sprint(all[5].ID))
	check(t, "both", c.query(fmt.Sprintf(`{"nicks":[%q],"shop_ids":[%d]}`, nick, all[4].ID)).ids(), "")
	c.s.ResetCalls()
	check(t, "calls after reset", len(c.s.Calls()), 0)
}

func TestServer_RateWindows(t *testing.T) {
	c := open(t, sandbox.Options{PerSecond: 5, PerMinute: 12})
	codes := func(n int) string {
		var out []int
		for range n {
			out = append(out, c.query("{}").Code)
		}
		return fmt.Sprint(out)
	}
	check(t, "second 0", codes(7), "[0 0 0 0 0 199 199]")
	c.clock.add(999 * time.Millisecond)
	check(t, "just before a second is over", codes(1), "[199]")
	c.clock.add(time.Millisecond)
	check(t, "second 1", codes(5), "[0 0 0 0 0]")
	c.clock.add(time.Second)
	check(t, "minute full", codes(3), "[0 0 200]")
	c.clock.add(58 * time.Second)
	check(t, "second 60", codes(6), "[0 0 0 0 0 199]")
	c.s.SetRate(-1, -1)
	check(t, "no limit", codes(3), "[0 0 0]")

	c = open(t, sandbox.Options{PerSecond: 1, PerMinute: -1, CountRejected: true})
	check(t, "first", codes(2), "[0 199]")
	c.clock.add(700 * time.Millisecond)
	check(t, "rejected", codes(1), "[199]")
	c.clock.add(700 * time.Millisecond)
	check(t, "the rejected call counts", codes(1), "[199]")

	c = open(t, sandbox.Options{PerSecond: 1, PerMinute: -1, FixedWindows: true})
	c.clock.add(900 * time.Millisecond)
	check(t, "end of a second", codes(2), "[0 199]")
	c.clock.add(100 * time.Millisecond)
	check(t, "next second", codes(2), "[0 199]")
	check(t, "msg", c.query("{}").Msg, "调用频次超过限制!请稍后再试")
	c.s.SetTable(sandbox.TableB)
	check(t, "msg of table B", c.query("{}").Msg, "调用太频繁，请稍后再试!")
}

func TestServer_AfterPage(t *testing.T) {
	c := open(t, sandbox.Options{Shops: 6})
	first, all := c.want(0, 2), c.s.Shops()
	c.s.AfterPage(1, func(s *sandbox.Server) { s.Remove(all[0].ID) })
	check(t, "by shop_ids", c.query(fmt.Sprintf(`{"shop_ids":[%d]}`, all[0].ID)).ids(), fmt.Sprint(all[0].ID))
	inject(t, c.s, sandbox.Fault{Kind: sandbox.KindStatus, Page: 1})
	_, _, _ = c.raw(sandbox.PathShops, c.form(`{"page_size":2}`))
	check(t, "after a failed page", len(c.s.Shops()), 6)
	check(t, "page 1", c.query(`{"page_size":2}`).ids(), first)
	check(t, "page 2 misses a row", c.query(`{"page_index":2,"page_size":2}`).ids(), fmt.Sprint(all[3].ID, " ", all[4].ID))
	check(t, "shops", len(c.s.Shops()), 5)
	_ = c.query(`{"page_size":2}`)
	check(t, "shops after a second page 1", len(c.s.Shops()), 5)
}

func TestServer_Concurrent(t *testing.T) {
	c := open(t, sandbox.Options{Shops: 50, PerSecond: -1, PerMinute: -1})
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for j := range 10 {
				_, _, _ = c.raw(sandbox.PathShops, c.form("{}"))
				c.s.Put(int64(i*100+j), map[string]any{"shop_name": "x"})
				c.s.AfterPage(1, func(s *sandbox.Server) { s.Unset(int64(j), "nick") })
				c.s.SetPretty(j%2 == 0)
				_, _ = c.s.Shops(), c.s.Calls()
			}
		})
	}
	wg.Wait()
	check(t, "shops", len(c.s.Shops()), 90)
}

func TestListen(t *testing.T) {
	base, shut, err := sandbox.Listen("127.0.0.1:0", sandbox.New(sandbox.Options{Shops: 3}))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get(base + "/_control/shops")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	check(t, "status", resp.StatusCode, http.StatusOK)
	if err := shut(); err != nil {
		t.Errorf("shut: %v", err)
	}
	if err := shut(); err != nil {
		t.Errorf("shut again: %v", err)
	}
	if _, _, err = sandbox.Listen("127.0.0.1:-1", sandbox.New(sandbox.Options{})); err == nil {
		t.Error("listen on a wrong port: got no error")
	}
	base, shut, err = sandbox.Listen(":0", sandbox.New(sandbox.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	check(t, "reachable base of an unspecified host", strings.HasPrefix(base, "http://127.0.0.1:"), true)
	_ = shut()
}

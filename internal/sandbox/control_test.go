package sandbox_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"jstsync/internal/sandbox"
)

// control calls the control endpoint and gives status and body.
func (c *client) control(method, path, body string) (int, string) {
	c.t.Helper()
	req, err := http.NewRequest(method, c.base+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	out, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	if !json.Valid(out) {
		c.t.Errorf("%s %s: got no JSON: %s", method, path, out)
	}
	return resp.StatusCode, strings.TrimSpace(string(out))
}

func (c *client) ok(method, path, body string) string {
	c.t.Helper()
	status, out := c.control(method, path, body)
	if status != http.StatusOK {
		c.t.Fatalf("%s %s: got %d %s, want 200", method, path, status, out)
	}
	return out
}

func TestControl_Shops(t *testing.T) {
	c := open(t, sandbox.Options{Shops: 4})
	id := c.s.Shops()[1].ID
	c.ok("PUT", fmt.Sprintf("/_control/shops/%d", id), `{"shop_name":"\u65b0 <b>","x":1.0,"nick":null}`)
	shop := c.s.Shops()[1]
	check(t, "members as spelled", string(shop.Members["shop_name"])+string(shop.Members["x"])+string(shop.Members["nick"]), `"\u65b0 <b>"1.0null`)
	c.ok("DELETE", fmt.Sprintf("/_control/shops/%d?members=x,nick", id), "")
	_, ok := c.s.Shops()[1].Members["x"]
	check(t, "member dropped", ok, false)

	var all struct{ Shops []map[string]any }
	if err := json.Unmarshal([]byte(c.ok("GET", "/_control/shops", "")), &all); err != nil {
		t.Fatal(err)
	}
	check(t, "listed", words(len(all.Shops), all.Shops[1]["shop_name"]), "4 新 <b>")

	c.ok("DELETE", fmt.Sprintf("/_control/shops/%d", id), "")
	c.ok("PUT", "/_control/shops/10394000", `{}`)
	c.ok("DELETE", "/_control/shops?keep=2", "")
	check(t, "ids", c.query("{}").ids(), "10394000 10394533")
}

func TestControl_AfterPage(t *testing.T) {
	c := open(t, sandbox.Options{Shops: 5})
	all := c.s.Shops()
	c.ok("POST", "/_control/after-page/1", fmt.Sprintf(
		`{"put":{"7":{"shop_name":"n"},"%d":{"co_id":1}},"unset":{"7":["nick"]},"remove":[%d],"keep":4}`, all[2].ID, all[0].ID))
	check(t, "page 1", c.query(`{"page_size":3}`).ids(), words(all[0].ID, all[1].ID, all[2].ID))
	shops := c.s.Shops()
	_, nick := shops[0].Members["nick"]
	check(t, "after", words(len(shops), shops[0].ID, nick, string(shops[2].Members["co_id"])), "4 7 false 1")
}

func TestControl_Rest(t *testing.T) {
	c := open(t, sandbox.Options{Shops: 1})
	c.query(`{"shop_ids":[1,2]}`)
	var calls struct{ Calls []map[string]any }
	if err := json.Unmarshal([]byte(c.ok("GET", "/_control/calls", "")), &calls); err != nil {
		t.Fatal(err)
	}
	first := calls.Calls[0]
	check(t, "call", words(len(calls.Calls), first["path"], first["page_index"], first["shop_ids"], first["code"], first["at"] != nil), "1 /open/shops/query 1 2 0 true")
	c.ok("DELETE", "/_control/calls", "")
	check(t, "no calls", c.ok("GET", "/_control/calls", ""), `{"calls":[]}`)

	c.ok("PUT", "/_control/options", `{"pretty":true,"table":"B","per_second":1,"per_minute":-1,"faults":[{"kind":"code","code":170,"times":2}]}`)
	check(t, "options", c.ok("GET", "/_control/options", ""),
		`{"pretty":true,"table":"B","per_second":1,"per_minute":-1,"service_provider":false,"ahead":"0s","faults":[{"kind":"code","times":2,"code":170}]}`)
	check(t, "fault by options", c.query("{}").Code, 170)
	check(t, "rate by options", c.query("{}").Msg, "调用太频繁，请稍后再试!")
	c.ok("PUT", "/_control/options", `{"per_second":-1,"faults":[],"service_provider":true}`)
	check(t, "service provider by options", c.initToken("123456").Code, 21024)

	c.ok("POST", "/_control/faults", `{"kind":"bad-key","row":0,"value":null,"delay":"5ms"}`)
	check(t, "faults", c.ok("GET", "/_control/faults", ""), `{"faults":[{"kind":"bad-key","times":1,"value":null,"delay":"5ms"}]}`)
	c.ok("DELETE", "/_control/faults", "")
	check(t, "no faults", c.ok("GET", "/_control/faults", ""), `{"faults":[]}`)

	c.ok("POST", "/_control/expire-token", "")
	check(t, "ended token", c.query("{}").Msg, "access_token超时")
}

func TestControl_Refusals(t *testing.T) {
	c := open(t, sandbox.Options{Shops: 2})
	tests := []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"GET", "/_control/", "", 404, "no control call GET /_control/"},
		{"GET", "/_control", "", 404, "no control call"},
		{"PATCH", "/_control/shops", "", 404, "no control call PATCH"},
		{"DELETE", "/_control/shops", "", 400, "keep"},
		{"DELETE", "/_control/shops?keep=x", "", 400, "keep"},
		{"DELETE", "/_control/shops?keep=1&and=2", "", 400, "keep"},
		{"DELETE", "/_control/shops/1", "", 404, "no shop 1"},
		{"DELETE", "/_control/shops/x", "", 400, "whole number"},
		{"DELETE", "/_control/shops/10394533?member=nick", "", 400, "members"},
		{"PUT", "/_control/shops/x", "{}", 400, "whole number"},
		{"PUT", "/_control/shops/1", "[]", 400, "read body"},
		{"PUT", "/_control/shops/1", "{} {}", 400, "more than one"},
		{"POST", "/_control/after-page/0", "{}", 400, "read page"},
		{"POST", "/_control/after-page/1", `{"delete":[1]}`, 400, `unknown field \"delete\"`},
		{"POST", "/_control/after-page/1", `{"keep":-1}`, 400, "negative"},
		{"PUT", "/_control/options", `{"colour":1}`, 400, `unknown field \"colour\"`},
		{"PUT", "/_control/options", `{"table":"C"}`, 400, "neither A nor B"},
		{"PUT", "/_control/options", `{"faults":[{"kind":"x"}],"pretty":true}`, 400, "unknown kind"},
		{"POST", "/_control/faults", `{"kind":"code","how":1}`, 400, `unknown field \"how\"`},
		{"POST", "/_control/faults", `{"kind":"latency","delay":"1 day"}`, 400, "delay"},
	}
	for _, tt := range tests {
		status, body := c.control(tt.method, tt.path, tt.body)
		check(t, tt.method+" "+tt.path+" status", status, tt.status)
		check(t, tt.method+" "+tt.path+" says "+tt.says+" in "+body, strings.Contains(body, tt.says), true)
	}
	check(t, "shops", len(c.s.Shops()), 2)
	check(t, "control calls recorded", len(c.s.Calls()), 0)
	check(t, "nothing of a refused call is kept", strings.Contains(c.ok("GET", "/_control/options", ""), `"pretty":false`), true)
}

func TestControl_LocalOnly(t *testing.T) {
	s := sandbox.New(sandbox.Options{Shops: 1})
	for _, tt := range []struct {
		peer, site string
		status     int
	}{
		{"127.0.0.1:9", "", 200},
		{"[::1]:9", "", 200},
		{"192.0.2.1:9", "", 403},
		{"[2001:db8::1]:9", "", 403},
		{"", "", 403},
		{"127.0.0.1:9", "cross-site", 403},
	} {
		r := httptest.NewRequest("POST", "/_control/expire-token", nil)
		r.RemoteAddr = tt.peer
		if tt.site != "" {
			r.Header.Set("Sec-Fetch-Site", tt.site)
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		check(t, "peer "+tt.peer+" "+tt.site, w.Code, tt.status)
	}
}

// A clock that is off is told with each answer, and refuses calls.
func TestControl_Ahead(t *testing.T) {
	c := open(t, sandbox.Options{Shops: 1})
	for ahead, code := range map[string]int{"20m": 140, "-20m": 140, "3m": 0} {
		c.ok("PUT", "/_control/options", fmt.Sprintf(`{"ahead":%q}`, ahead))
		by, err := time.ParseDuration(ahead)
		if err != nil {
			t.Fatal(err)
		}
		resp, _, err := c.raw(sandbox.PathShops, c.form("{}"))
		if err != nil {
			t.Fatal(err)
		}
		check(t, ahead+": Date", resp.Header.Get("Date"), c.clock.now().Add(by).UTC().Format(http.TimeFormat))
		check(t, ahead+": code", c.query("{}").Code, code)
	}
	status, _ := c.control("PUT", "/_control/options", `{"ahead":"soon"}`)
	check(t, "a wrong one", status, http.StatusBadRequest)
}

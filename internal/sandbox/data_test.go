package sandbox_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"jstsync/internal/sandbox"
)

func TestServer_DataIsDeterministic(t *testing.T) {
	shops := func(seed uint64, n int) []sandbox.Shop {
		return sandbox.New(sandbox.Options{Seed: seed, Shops: n}).Shops()
	}
	a, b, more, other := shops(7, 40), shops(7, 40), shops(7, 300), shops(8, 40)
	check(t, "same seed equal", reflect.DeepEqual(a, b), true)
	check(t, "prefix of a larger set equal", reflect.DeepEqual(a, more[:40]), true)
	check(t, "other seed equal", reflect.DeepEqual(a, other), false)
	check(t, "first shop_id", a[0].ID, int64(10394533))
	merchant := sandbox.New(sandbox.Options{Seed: 7, Shops: 40, FirstID: 30_000_000}).Shops()
	check(t, "first shop_id of another merchant", merchant[0].ID, int64(30_000_000))
	check(t, "its last", merchant[39].ID, a[39].ID-a[0].ID+30_000_000)
	for i := 1; i < len(more); i++ {
		if more[i].ID <= more[i-1].ID || more[i].ID > 99_999_999 {
			t.Fatalf("shop_id %d: got %d after %d", i, more[i].ID, more[i-1].ID)
		}
	}
	body := func() string {
		c := open(t, sandbox.Options{Seed: 7, Shops: 40})
		_, first, _ := c.raw(sandbox.PathShops, c.form("{}"))
		_, second, _ := c.raw(sandbox.PathShops, c.form("{}"))
		check(t, "member order repeats", bytes.Equal(first, second), false)
		return string(first) + string(second)
	}
	want := body()
	check(t, "answers of the same seed", body(), want)
}

func TestServer_DataHasQuirks(t *testing.T) {
	for seed := range uint64(5) {
		seen := make(map[string]bool)
		see := func(what, text string, exprs ...string) {
			for _, e := range exprs {
				if regexp.MustCompile(e).MatchString(text) {
					seen[what+" "+e] = true
				}
			}
		}
		lists := map[string][]string{
			"created":         {`^"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}"$`, `^"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"$`, `^""$`},
			"session_expired": {`^"------永久授权------"$`, `^"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"$`, `^""$`, `^null$`},
			"shop_url":        {`^"http://.*&.*"$`, `^""$`, `^null$`},
			"nick":            {`^"self_\d{19}"$`, `^"\d+"$`},
			"session_uid":     {`^"\d+"$`, `^""$`, `^null$`},
			"short_name":      {`^""$`, `^".+"$`},
			"group_id":        {`^\d+$`, `^$`},
			"organization":    {`^null$`},
			"co_id":           {`^12252$`},
			"shop_name":       {"\u200D", "[\U00010000-\U0010FFFF]", `\\"`, `\\\\`, "&", "\u0301"},
		}
		for _, shop := range sandbox.New(sandbox.Options{Seed: seed, Shops: 30}).Shops() {
			for name, exprs := range lists {
				see(name, string(shop.Members[name]), exprs...)
			}
			_, id := shop.Members["group_id"]
			_, name := shop.Members["group_name"]
			check(t, "group_id and group_name are there together", id, name)
		}
		for name, exprs := range lists {
			for _, e := range exprs {
				check(t, fmt.Sprintf("seed %d: %s like %s", seed, name, e), seen[name+" "+e], true)
			}
		}
	}
}

func TestServer_Edits(t *testing.T) {
	c := open(t, sandbox.Options{Shops: 3})
	all := c.s.Shops()
	id := all[1].ID
	c.s.Put(id, map[string]any{"shop_name": "<新>&", "co_id": 5, "raw": json.RawMessage(`1.50e1`), "none": nil})
	c.s.Unset(id, "nick", "absent")
	c.s.Unset(1, "nick")
	a := c.query(fmt.Sprintf(`{"shop_ids":[%d]}`, id))
	row := a.Data.Datas[0]
	_, nick := row["nick"]
	check(t, "members", fmt.Sprint(string(row["shop_name"]), string(row["co_id"]), string(row["raw"]), string(row["none"]), nick),
		`"<新>&"51.50e1nullfalse`)

	c.s.Put(10394500, map[string]any{"shop_name": "new"})
	check(t, "generated members of a new shop", len(c.s.Shops()[0].Members) >= 11, true)
	c.s.Remove(all[0].ID, 1)
	check(t, "ids", c.query("{}").ids(), words(10394500, id, all[2].ID))
	c.s.Keep(2)
	check(t, "ids kept", c.query("{}").ids(), words(10394500, id))
	c.s.Shops()[0].Members["shop_name"] = nil
	text, ok := c.s.Shops()[0].Text("shop_name")
	check(t, "Shops gives copies", words(text, ok), "new true")
}

func TestShop_Text(t *testing.T) {
	shop := sandbox.Shop{Members: map[string]json.RawMessage{
		"s": json.RawMessage(`"a\u00e9"`), "n": json.RawMessage(`12`), "b": json.RawMessage(`true`),
		"null": json.RawMessage(`null`), "o": json.RawMessage(`{}`), "bad": json.RawMessage(`"`),
	}}
	for name, want := range map[string]string{
		"s": "aé true", "n": "12 true", "b": "true true", "null": " false", "o": " false", "bad": " false", "absent": " false",
	} {
		text, ok := shop.Text(name)
		check(t, name, fmt.Sprint(text, " ", ok), want)
	}
	check(t, "Null(null)", shop.Null("null"), true)
	check(t, "Null(absent)", shop.Null("absent"), false)
}

func TestServer_SetPretty(t *testing.T) {
	c := open(t, sandbox.Options{Shops: 2})
	_, dense, _ := c.raw(sandbox.PathShops, c.form("{}"))
	c.s.SetPretty(true)
	_, pretty, _ := c.raw(sandbox.PathShops, c.form("{}"))
	check(t, "valid", json.Valid(pretty), true)
	check(t, "white space when dense", strings.ContainsAny(string(dense), "\n\t"), false)
	check(t, "white space when pretty", strings.Contains(string(pretty), "\n\t"), true)
	check(t, "same ids", c.query("{}").ids(), c.want(0, 2))
}

func TestServer_Put_panics(t *testing.T) {
	defer func() { check(t, "panicked", recover() != nil, true) }()
	sandbox.New(sandbox.Options{}).Put(1, map[string]any{"f": func() {}})
}

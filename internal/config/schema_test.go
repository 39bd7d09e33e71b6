package config_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"jstsync/internal/config"
)

// schema gives the schema as parsed JSON.
func schema(t *testing.T) map[string]any {
	t.Helper()
	text, err := config.Schema()
	if err != nil {
		t.Fatal(err)
	}
	var s map[string]any
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func exampleFile(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("testdata/example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The documented example is what holds without it, but for its channel.
func TestLoad_Example(t *testing.T) {
	env := map[string]string{"JST_APP_KEY": "k", "JST_APP_SECRET": "s", "MYSQL_DSN": "d"}
	content := strings.Replace(exampleFile(t), `url: "…"`, `url: "https://h"`, 1)
	got, err := config.Check("", host(env, map[string]string{config.DefaultFile: content}))
	if err != nil {
		t.Fatal(err)
	}
	want := defaults()
	want.File = config.DefaultFile
	want.Source.AppKey, want.Source.AppSecret, want.Target.DSN = "k", "s", "d"
	want.Alerts.Channels = []config.Channel{{Name: "ops", Kind: "dingtalk", URL: "https://h", Secret: "…"}}
	checkSettings(t, got, want)
}

// Every section is closed, every key described, and every key that is shown is in the schema.
func TestSchema_Shape(t *testing.T) {
	s := schema(t)
	if got, want := s["$schema"], "https://json-schema.org/draft/2020-12/schema"; got != want {
		t.Errorf("$schema: got %v, want %v", got, want)
	}
	defs := s["$defs"].(map[string]any)
	known := map[string]bool{}
	for name, def := range defs {
		checkSection(t, name, def.(map[string]any), defs, known)
	}
	checkSection(t, "the root", s, defs, known)
	shown, err := load(t, "sources: {a: {}}\n"+"pipelines: {p: {columns: [{name: shop_id, type: INT}], rules: [{name: a, expr: x}]}}", nil).EffectiveYAML()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(shown)) {
		key, _, ok := strings.Cut(strings.TrimLeft(strings.TrimSpace(line), "- "), ":")
		if ok && key != "p" && key != "a" && !known[key] {
			t.Errorf("the schema has no %q", key)
		}
	}
}

func checkSection(t *testing.T, name string, section, defs map[string]any, known map[string]bool) {
	t.Helper()
	if section["additionalProperties"] != false {
		t.Errorf("%s takes unknown keys", name)
	}
	for key, v := range section["properties"].(map[string]any) {
		property := v.(map[string]any)
		known[key] = true
		if text, _ := property["description"].(string); !strings.HasSuffix(text, ".") {
			t.Errorf("%s.%s: got the description %q, want a sentence", name, key, text)
		}
		ref, isRef := property["$ref"].(string)
		if isRef && defs[strings.TrimPrefix(ref, "#/$defs/")] == nil {
			t.Errorf("%s.%s refers to %s, which is not there", name, key, ref)
		}
		if !isRef && property["type"] == nil && property["anyOf"] == nil {
			t.Errorf("%s.%s takes anything", name, key)
		}
	}
}

func TestSchema_Details(t *testing.T) {
	defs := schema(t)["$defs"].(map[string]any)
	for _, tt := range []struct{ def, key, want string }{
		{"Source", "page_size", `{"default":100,"description":"Records a page.","maximum":100,"minimum":1,"pattern":"\\$\\{","type":["integer","string"]}`},
		{"Rate", "per_second", `{"default":5,"description":"Calls a second.","exclusiveMinimum":0,"pattern":"\\$\\{","type":["number","string"]}`},
		{"Pipeline", "shared", `{"default":false,"description":"Other pipelines own other rows of the table.","pattern":"\\$\\{","type":["boolean","string"]}`},
		{"Pipeline", "key", `{"default":["shop_id"],"description":"Source fields that identify a record.","items":{"minLength":1,"type":["string","number","boolean"]},"minItems":1,"type":["array","null"],"uniqueItems":true}`},
		{"Pipeline", "rules", `{"description":"Data-quality rules.","items":{"$ref":"#/$defs/Rule","type":"object"},"type":["array","null"]}`},
		{"Serve", "language", `{"anyOf":[{"enum":["zh","en"]},{"pattern":"\\$\\{","type":"string"}],"default":"zh","description":"Language of the console and of alerts."}`},
	} {
		property := defs[tt.def].(map[string]any)["properties"].(map[string]any)[tt.key]
		got, err := json.Marshal(property)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != tt.want {
			t.Errorf("%s.%s:\ngot  %s\nwant %s", tt.def, tt.key, got, tt.want)
		}
	}
}

// schemaGood are files that both the schema and Load take, without the environment.
func schemaGood() []string {
	return []string{
		"", "source:\ntarget:\npipelines:\n", sample,
		"lock_timeout: ${T}\nsource: {page_size: \"${P}\", rate: {per_second: '${R:-1}'}}\n",
		"source: {app_key: 123, app_secret_file: /run/s}\ntarget: {dsn_file: d}\n",
		"pipelines: {p: {deletes: '${D:-keep}', shared: '${S:-true}', every: 1d2h, cron: '', table: 5}}",
		"sources: {a: {}, b: {record: {dir: ''}}}\npipelines: {x: {source: a, cron: '0 0 * * sun'}, y: {source: b, table: t}}",
		"pipelines: {p: {columns: [{name: shop_id, type: ' decimal ( 10 , 2 ) ', default: 1.5}, {name: b, type: '${TYPE:-INT}', from: b, expr: ''}]}}",
		"alerts: {channels: [{name: a, kind: webhook, url_file: f, secret: }]}\nserve: {token: , listen: ':1'}",
	}
}

// schemaMistakes are files that both the schema and Load refuse.
func schemaMistakes() []string {
	return []string{
		"stat: x", "lock_timeout: 5", "lock_timeout: 0s", "state: {a: b}", "state: ''", "source: {page_size: 101}", "source: {rate: {per_second: 0}}",
		"source: {app_secret: a, app_secret_file: b}", "source: {base_url: ftp://h}", "source: {}\nsources: {a: {}}", "sources: {'a b': {}}", "pipelines: {}", "pipelines: [shops]",
		"pipelines: {p: {every: 5m, cron: '* * * * *'}}", "pipelines: {p: {cron: '* * * *'}}", "pipelines: {p: {deletes: no}}",
		"pipelines: {p: {guard: {max_deletes: -1}}}", "pipelines: {p: {key: []}}", "pipelines: {p: {key: [a, a]}}", "pipelines: {p: {shared: maybe}}",
		"pipelines: {p: {table: a.b}}", "pipelines: {p: {columns: [{name: shop_id}]}}", "pipelines: {p: {columns: [{name: shop_id, type: BLOB}]}}",
		"pipelines: {p: {columns: [{name: shop_id, type: INT, from: a, expr: b}]}}", "pipelines: {p: {columns: [null]}}",
		"pipelines: {p: {columns: [{name: shop_id, type: INT, clean: [wash]}]}}", "pipelines: {p: {rules: [{name: a, on_fail: warn}]}}",
		"pipelines: {p: {rules: [{name: a, expr: ' '}]}}", "alerts: {channels: [{name: a, kind: wecom}]}", "alerts: {rules: {failed_after: 0}}", "serve: {listen: here}",
	}
}

func TestSchema_CasesAgainstLoad(t *testing.T) {
	for _, content := range schemaGood() {
		load(t, content, map[string]string{"T": "1s", "P": "5"})
	}
	for _, content := range schemaMistakes() {
		if problems(t, content, nil) == "" {
			t.Errorf("%q: want a mistake", content)
		}
	}
}

package config_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"jstsync/internal/config"
)

const sample = `
state: a.db
source: {base_url: "http://localhost:1", app_key: "0123", app_secret: hunter2, rate: {per_second: 0.5}}
target: {dsn: '${NO}'}
pipelines:
  b:
    table: "2024"
    key: [shop_id, co_id]
    cron: "*/5 * * * *"
    deletes: soft
    columns:
    - {name: shop_id, type: bigint, comment: "# 店铺: 'x'"}
    - {name: co_id, type: "decimal(9)", default: "0"}
    - {name: e, type: TEXT, expr: "a\n  ?? b", clean: [trim]}
    rules: [{name: "yes", expr: "true"}]
  a: {every: 36h}
audit: {keep: 1d2h3s}
serve: {token: hunter2}
alerts: {channels: [{name: ops, kind: wecom, url: "https://h/hunter2"}]}
`

// What is shown is a configuration of the same settings, secrets aside.
func TestSettings_Effective(t *testing.T) {
	for _, content := range []string{"", sample, "sources: {a: {timeout: 1500ms}, b: {}}\npipelines: {p: {source: b}}"} {
		want := load(t, content, nil)
		text, err := want.EffectiveYAML()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "hunter2") {
			t.Errorf("shows the secret:\n%s", text)
		}
		readable := strings.NewReplacer("'***'", "hunter2", `"***"`, "hunter2", "***", "hunter2").Replace(string(text))
		var kept []string
		for line := range strings.Lines(readable) {
			if !strings.HasSuffix(line, ": null\n") { // no value
				kept = append(kept, line)
			}
		}
		got := load(t, strings.ReplaceAll(strings.Join(kept, ""), "url: hunter2", "url: https://h/hunter2"), nil)
		checkSettings(t, got, *want)

		line, err := want.EffectiveJSON()
		if err != nil {
			t.Fatal(err)
		}
		var fromJSON, fromYAML any
		if err := json.Unmarshal(line, &fromJSON); err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal(text, &fromYAML); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(fromYAML)
		if err != nil {
			t.Fatal(err)
		}
		fromYAML = nil
		if err := json.Unmarshal(again, &fromYAML); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(fromJSON, fromYAML) {
			t.Errorf("got\n%s\nwant\n%s", line, again)
		}
	}
}

func TestSettings_EffectiveYAML(t *testing.T) {
	text, err := load(t, sample, nil).EffectiveYAML()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"app_secret: '***'\n", "  access_token: null\n", "  dsn: null\n", "    per_second: 0.5\n", "    per_minute: 100\n",
		"    every: 1d12h\n", "keep: 1d2h0m3s\n", "type: DECIMAL(9,0)\n", "      on_fail: warn\n", "url: '***'\n", "time_zone: Asia/Shanghai\n",
	} {
		if !strings.Contains(strings.ReplaceAll(string(text), `"***"`, "'***'"), want) {
			t.Errorf("got\n%s\nwant in it: %s", text, want)
		}
	}
	for _, absent := range []string{"sources:", "hunter2"} {
		if strings.Contains(string(text), absent) {
			t.Errorf("got\n%s\nwant no %q in it", text, absent)
		}
	}
}

func TestTemplate(t *testing.T) {
	env := map[string]string{"JST_APP_KEY": "k", "JST_APP_SECRET": "s", "MYSQL_DSN": "d"}
	files := map[string]string{config.DefaultFile: config.Template}
	got, err := config.Check("", host(env, files))
	if err != nil {
		t.Fatal(err)
	}
	want := defaults()
	want.File = config.DefaultFile
	want.Source.AppKey, want.Source.AppSecret, want.Target.DSN = "k", "s", "d"
	checkSettings(t, got, want)

	want2, err := config.Check("", host(env, nil))
	if err != nil {
		t.Fatal(err)
	}
	shown, err := want2.EffectiveYAML()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(shown)) {
		if key, _, ok := strings.Cut(strings.TrimSpace(line), ":"); ok && !strings.Contains(config.Template, key+":") {
			t.Errorf("the template has no %s", key)
		}
	}

	example := config.Template
	for _, old := range []string{"columns: []", "rules: []                           #", "channels: []"} {
		if !strings.Contains(example, old) {
			t.Fatalf("the template has no %s", old)
		}
		key, _, _ := strings.Cut(old, ":")
		example = strings.Replace(example, old, key+": #", 1)
	}
	example = strings.NewReplacer("    # - {", "    - {", "  # - {", "  - {").Replace(example)
	env["DINGTALK_URL"] = "https://h"
	s, err := config.Check("", host(env, map[string]string{config.DefaultFile: example}))
	if err != nil {
		t.Fatalf("the examples in the template: %v", err)
	}
	if p := s.Pipelines[0]; len(p.Columns) != 3 || len(p.Rules) != 3 || len(s.Alerts.Channels) != 1 {
		t.Errorf("got %+v, %+v, want the examples", p, s.Alerts)
	}
}

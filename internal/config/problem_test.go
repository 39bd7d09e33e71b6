package config_test

import (
	"strings"
	"testing"

	"jstsync/internal/config"
)

func problems(t *testing.T, content string, env map[string]string) string {
	t.Helper()
	_, err := config.Load("", host(env, map[string]string{config.DefaultFile: content}))
	return strings.ReplaceAll(errorText(t, err), config.DefaultFile+":", "")
}

func TestLoad_AllMistakesAtOnce(t *testing.T) {
	const content = `stat: x.db
lock_timeout: 5
source:
  base_url: http://openapi.jushuitan.com
  app_secret: [hunter2]
  page_size: 0
  rate: {per_second: fast, per_minute: -1}
  timeout: 0s
  timeout: 1s
  retry: 3
target:
  dsn: a
  dsn_file: b
pipelines:
  shops:
    tabel: t
    guard: {max_deletes: -1, max_delete_percent: 101, allow_empty: maybe}
  'two words': {}
  café: {}
`
	want := `jstsync.yaml:1:1: unknown key "stat"; did you mean "state"?
jstsync.yaml:2:15: lock_timeout: must be a duration, not "5"; write a number and a unit, such as 30s, 5m or 7d
jstsync.yaml:4:13: source.base_url: must begin with https://; http:// is for a server on this machine only
jstsync.yaml:5:15: source.app_secret: must be one value, not a list; write the value itself
jstsync.yaml:6:14: source.page_size: must be 1 to 100, not "0"
jstsync.yaml:7:22: source.rate.per_second: must be a number, not "fast"; write it like 5 or 0.5
jstsync.yaml:7:40: source.rate.per_minute: must be more than 0, not "-1"
jstsync.yaml:8:12: source.timeout: must be more than 0s, not "0s"
jstsync.yaml:9:3: source: duplicate key "timeout", first on line 8; keep one of them
jstsync.yaml:10:10: source.retry: must be a section of keys, not a single value; write its keys below it, as key: value
jstsync.yaml:13:3: target.dsn: both dsn and dsn_file are given; keep one of them
jstsync.yaml:16:5: pipelines.shops: unknown key "tabel"; did you mean "table"?
jstsync.yaml:17:26: pipelines.shops.guard.max_deletes: must be 0 or more, not "-1"
jstsync.yaml:17:50: pipelines.shops.guard.max_delete_percent: must be 0 to 100, not "101"
jstsync.yaml:17:68: pipelines.shops.guard.allow_empty: must be true or false, not "maybe"
jstsync.yaml:18:3: pipelines: has a name that is not 1 to 64 of A-Z, a-z, 0-9, _ and -; rename it
jstsync.yaml:19:3: pipelines: has a name that is not 1 to 64 of A-Z, a-z, 0-9, _ and -; rename it`
	_, err := config.Load("", host(nil, map[string]string{config.DefaultFile: content}))
	if got := errorText(t, err); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestLoad_Problem(t *testing.T) {
	const unit = `; write a number and a unit, such as 30s, 5m or 7d`
	for _, tt := range []struct{ content, want string }{
		// syntax
		{"a: [1", "1:4: syntax error: sequence end token ']' not found; close the bracket"},
		{"a: b: c", "1:4: syntax error: mapping value is not allowed in this context; put quotes around the value, or begin a new line"},
		{"a:\n\tb: 1", "2:1: syntax error: found character 'TAB' that cannot start any token; indent with spaces"},
		{"source: {app_key: ${X}}", `1:20: syntax error: ',' or '}' must be specified; within { } put quotes around "${NAME}"`},
		{"target: {dsn: |hunter2\n", "1:15: syntax error: invalid header option; correct the YAML there"},
		{"state: \xff", "1:8: is not UTF-8 text; save the file as UTF-8"},
		{"state: 日\n# \xe6\x97", "2:3: is not UTF-8 text; save the file as UTF-8"},
		{"state: a\n---\nstate: b\n", "2:1: a second document begins here; keep one document in the file"},
		{"state: a\n...\nstate: b\n", "3:1: a second document begins here; keep one document in the file"},
		{strings.Repeat("[", 9000), "1:33: is nested too deeply here"},
		{strings.Repeat("- ", 60000), "1:65: is nested too deeply here"},
		{"just text", "1:1: must be a section of keys, not a single value; write its keys below it, as key: value"},
		{"- a", "1:1: must be a section of keys, not a list; write its keys below it, as key: value"},
		// what YAML offers and this file does not
		{"state: &a x", "1:8: state: must be one value, not an anchor (&), which is not supported; write the value itself"},
		{"state: !!str x", "1:8: state: must be one value, not a tag (!), which is not supported; write the value itself"},
		{"<<: {state: x}", "1:1: has a merge key (<<), which is not supported for a key; write the key as plain text"},
		{"? state\n: x", "1:1: has an explicit key (?), which is not supported for a key; write the key as plain text"},
		{"source: &a {page_size: 3}", "1:9: source: must be a section of keys, not an anchor (&), which is not supported; write its keys below it, as key: value"},
		// keys
		{"webhooks: {}", `1:1: unknown key "webhooks"; known here: state, lock_timeout, source, sources, target, pipelines, audit, plan, serve, alerts`},
		{"state_file: x", `1:1: unknown key "state_file"; known here: state, lock_timeout, source, sources, target, pipelines, audit, plan, serve, alerts`},
		{"source: {APP_KEY: x}", `1:10: source: unknown key "APP_KEY"; did you mean "app_key"?`},
		{"source: {app_secretfile: x}", `1:10: source: unknown key "app_secretfile"; did you mean "app_secret_file"?`},
		{"target: {'dsn=hunter2': }", `1:10: target: unknown key; known here: dsn, dsn_file`},
		{"pipelines: {a: {}, a: {}}", `1:20: pipelines: duplicate key "a", first on line 1; keep one of them`},
		{"pipelines: {}", "1:12: pipelines: names nothing; add an entry, or remove the key for the default shops"},
		{"pipelines: [shops]", "1:12: pipelines: must be a section of keys, not a list; write its keys below it, as key: value"},
		{"pipelines: {" + strings.Repeat("x", 65) + ": {}}", "1:13: pipelines: has a name that is not 1 to 64 of A-Z, a-z, 0-9, _ and -; rename it"},
		// values
		{"state:", "1:1: state: is empty; write a value, or remove the key for the default jstsync.db"},
		{"state: ''", "1:8: state: is empty; write a value, or remove the key for the default jstsync.db"},
		{"state: \"a\\nb\"", "1:8: state: contains a line break or another control character; remove it"},
		{"state: {a: b}", "1:8: state: must be one value, not a section of keys; write the value itself"},
		{"state: ${", "1:8: state: has a ${ that is not ${NAME} or ${NAME:-default}; write $$ for a dollar"},
		{"state: ${1}", "1:8: state: has a ${ that is not ${NAME} or ${NAME:-default}; write $$ for a dollar"},
		{"state: ${A:-${B}}", "1:8: state: has a ${ that is not ${NAME} or ${NAME:-default}; write $$ for a dollar"},
		{"lock_timeout: 1h2d", `1:15: lock_timeout: must be a duration, not "1h2d"` + unit},
		{"lock_timeout: 2d-1h", `1:15: lock_timeout: must be a duration, not "2d-1h"` + unit},
		{"lock_timeout: 65535d9999999h", `1:15: lock_timeout: must be a duration, not "65535d9999999h"` + unit},
		{"lock_timeout: 65535d1555555h", `1:15: lock_timeout: must be a duration, not "65535d1555555h"` + unit},
		{"lock_timeout: 0d", `1:15: lock_timeout: must be more than 0s, not "0d"`},
		{"source: {page_size: 1_0}", `1:21: source.page_size: must be a whole number, not "1_0"; write its digits alone`},
		{"source: {page_size: 2.0}", `1:21: source.page_size: must be a whole number, not "2.0"; write its digits alone`},
		{"source: {page_size: '${SECRET}'}", "1:21: source.page_size: must be a whole number; write its digits alone"},
		{"source: {rate: {per_second: .inf}}", `1:29: source.rate.per_second: must be a number, not ".inf"; write it like 5 or 0.5`},
		{"source: {rate: {per_second: inf}}", `1:29: source.rate.per_second: must be a number, not "inf"; write it like 5 or 0.5`},
		{"source: {retry: {max_attempts: 0}}", `1:32: source.retry.max_attempts: must be 1 or more, not "0"`},
		{"pipelines: {shops: {resource: orders}}", "1:31: pipelines.shops.resource: must be shops"},
		{"pipelines: {shops: {table: a.b}}", "1:28: pipelines.shops.table: must be a plain table name without a dot; name the database in target.dsn"},
		{"pipelines: {shops: {table: 'a`b'}}", "1:28: pipelines.shops.table: contains a character that a table name must not have; take the backquote or the emoji out"},
		{"pipelines: {shops: {table: 'a '}}", "1:28: pipelines.shops.table: must not end in a blank; remove it"},
		{"pipelines: {shops: {table: " + strings.Repeat("店", 65) + "}}", "1:28: pipelines.shops.table: must have at most 64 characters; shorten it"},
		{"pipelines: {shops: {table: ''}}", "1:28: pipelines.shops.table: is empty; write a value, or remove the key for the default jst_shops"},
	} {
		t.Run(tt.content, func(t *testing.T) {
			if got := problems(t, tt.content, map[string]string{"SECRET": "hunter2"}); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestLoad_BaseURL(t *testing.T) {
	for value, want := range map[string]string{
		"https://dev-api.jushuitan.com":  "",
		"https://a:8443/x/y":             "",
		"http://localhost:8419":          "",
		"http://127.9.9.9":               "",
		"http://[::1]:1":                 "",
		"http://10.0.0.1":                "must begin with https://; http:// is for a server on this machine only",
		"http://localhost.example.com":   "must begin with https://; http:// is for a server on this machine only",
		"ftp://a":                        "must begin with https://",
		"openapi.jushuitan.com":          "must be a URL; write it as https://host",
		"https:a":                        "must be a URL; write it as https://host",
		"https://":                       "must be a URL; write it as https://host",
		"https://a:99999":                "must be a URL; write it as https://host",
		"https://a:b":                    "must be a URL; write it as https://host",
		"https://user:hunter2@a":         "must not contain a user or a password; use app_key and app_secret",
		"https://a?x=1":                  "must not contain a query or a fragment; end it before the ? or #",
		"https://a/?":                    "must not contain a query or a fragment; end it before the ? or #",
		"https://a/#":                    "must not contain a query or a fragment; end it before the ? or #",
		"https://a b":                    "must be a URL; write it as https://host",
		"https://user:hunter2@a:b/%zz?#": "must be a URL; write it as https://host",
	} {
		t.Run(value, func(t *testing.T) {
			got := problems(t, "source:\n  base_url: '"+value+"'\n", nil)
			fromEnv := problems(t, "", map[string]string{"JST_BASE_URL": value})
			wantFile, wantEnv := want, want
			if want != "" {
				wantFile, wantEnv = "2:13: source.base_url: "+want, "source.base_url: JST_BASE_URL "+want
			}
			if got != wantFile {
				t.Errorf("got  %s\nwant %s", got, wantFile)
			}
			if fromEnv != wantEnv {
				t.Errorf("got  %s\nwant %s", fromEnv, wantEnv)
			}
		})
	}
}

func TestProblem_String(t *testing.T) {
	for _, tt := range []struct {
		problem config.Problem
		want    string
	}{
		{config.Problem{Message: "m"}, "m"},
		{config.Problem{File: "f", Message: "m", Remedy: "r"}, "f: m; r"},
		{config.Problem{File: "f", Line: 7, Column: 3, Path: "a.b", Message: "m"}, "f:7:3: a.b: m"},
		{config.Problem{Path: "a.b", Message: "a.b is not set"}, "a.b is not set"},
	} {
		if got := tt.problem.String(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

package config_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"jstsync/internal/config"
)

// host has the environment given and files that only their owner can read.
func host(env, files map[string]string) config.Host {
	disk := fstest.MapFS{}
	for name, content := range files {
		disk[name] = &fstest.MapFile{Data: []byte(content), Mode: 0o600}
	}
	return config.Host{
		LookupEnv: func(name string) (string, bool) { value, ok := env[name]; return value, ok },
		Open:      disk.Open,
	}
}

// load reads a file of this content.
func load(t *testing.T, content string, env map[string]string) *config.Settings {
	t.Helper()
	s, err := config.Load("", host(env, map[string]string{config.DefaultFile: content}))
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	return s
}

func defaults() config.Settings {
	return config.Settings{
		State:       "jstsync.db",
		LockTimeout: 5 * time.Second,
		Source: config.Source{
			BaseURL:  "https://openapi.jushuitan.com",
			PageSize: 100,
			Rate:     config.Rate{PerSecond: 5, PerMinute: 100},
			Timeout:  30 * time.Second,
			Retry:    config.Retry{MaxAttempts: 6, MaxElapsed: 5 * time.Minute},
			Record:   config.Record{Keep: 7 * 24 * time.Hour},
		},
		Pipelines: []config.Pipeline{pipeline("shops")},
		Audit:     config.Audit{Keep: 400 * 24 * time.Hour},
		Plan:      config.Plan{Valid: 24 * time.Hour},
		Serve:     config.Serve{Listen: "127.0.0.1:8321", TimeZone: "Asia/Shanghai", Language: "zh"},
		Alerts:    config.Alerts{Rules: config.AlertRules{FailedAfter: 3, StaleAfter: 30 * time.Minute, AuthorizationDays: 7, TokenDays: 3}},
	}
}

func pipeline(name string) config.Pipeline {
	return config.Pipeline{
		Name: name, Resource: "shops", Table: "jst_shops", Key: []string{"shop_id"}, Every: 5 * time.Minute, Deletes: config.DeletesHard,
		Guard: config.Guard{MaxDeletes: 5, MaxDeletePercent: 10, MaxUpdates: 20, MaxUpdatePercent: 50},
	}
}

// checkSettings compares the exported fields.
func checkSettings(t *testing.T, got *config.Settings, want config.Settings) {
	t.Helper()
	g, w := reflect.ValueOf(*got), reflect.ValueOf(want)
	for i := range g.NumField() {
		f := g.Type().Field(i)
		if f.IsExported() && !reflect.DeepEqual(g.Field(i).Interface(), w.Field(i).Interface()) {
			t.Errorf("%s: got %+v, want %+v", f.Name, g.Field(i), w.Field(i))
		}
	}
}

func TestLoad_Defaults(t *testing.T) {
	s, err := config.Load("", host(nil, nil))
	if err != nil {
		t.Fatal(err)
	}
	checkSettings(t, s, defaults())
	for _, content := range []string{"", "# nothing\n", "---\n", "\ufeff---\n", "source:\ntarget:\npipelines:\n", "pipelines: {shops: }"} {
		want := defaults()
		want.File = config.DefaultFile
		checkSettings(t, load(t, content, nil), want)
	}
}

func TestLoad_Environment(t *testing.T) {
	env := map[string]string{
		"JST_APP_KEY": "k", "JST_APP_SECRET": "s", "JST_ACCESS_TOKEN": "t", "JST_BASE_URL": "http://127.0.0.1:8419/",
		"MYSQL_DSN": "u:$x${p}@tcp(h)/d", "JSTSYNC_STATE": "x.db",
	}
	want := defaults()
	want.State, want.Target.DSN = "x.db", "u:$x${p}@tcp(h)/d"
	want.Source.BaseURL, want.Source.AppKey, want.Source.AppSecret, want.Source.AccessToken = "http://127.0.0.1:8419", "k", "s", "t"
	s, err := config.Load("", host(env, nil))
	if err != nil {
		t.Fatal(err)
	}
	checkSettings(t, s, want)

	want.File, want.State, want.Source.AppKey = config.DefaultFile, "mine.db", "file"
	checkSettings(t, load(t, "state: mine.db\nsource: {app_key: file}\n", env), want)
}

func TestLoad_EmptyEnvironmentIsUnset(t *testing.T) {
	s, err := config.Load("", host(map[string]string{"JSTSYNC_STATE": "", "JSTSYNC_CONFIG": "", "JST_APP_KEY": ""}, nil))
	if err != nil {
		t.Fatal(err)
	}
	checkSettings(t, s, defaults())
}

func TestLoad_EveryKey(t *testing.T) {
	got := load(t, `
state: a.db
lock_timeout: 1d12h
source:
  base_url: http://[::1]:80/openapi/
  app_key: 0123
  app_secret: 'it''s # $$ecret'
  access_token: "to\u006ben"
  page_size: "7"
  rate: {per_second: 0.5, per_minute: 12.5}
  timeout: 1m30s
  retry:
    max_attempts: 1
    max_elapsed: 2d
  record: {dir: answers, keep: 1h}
target:
  dsn: u:p@tcp(h:3306)/d
pipelines:
  zeta:
    table: 店铺
    cron: "*/5  8-22 1,15 jan-MAR mon"
    columns:
    - {name: 编号, from: shop_id, type: "bigint", nullable: false, comment: "#1", default: -1}
    - name: title
      type: varchar( 20 )
      clean: [trim, nfc]
      default: ""
    - expr: |
        shop_name ??
          "-"
      name: e
      type: decimal(10)
    rules:
    - {name: has a name, expr: shop_name != ""}
    - {name: r2, expr: x, on_fail: fail}
  Alpha-1:
    resource: shops
    table: a b
    key: [co_id, shop_id]
    every: 1h
    deletes: soft
    shared: true
    changes_table: changes
    guard: {max_deletes: 0, max_delete_percent: 0, max_updates: 1, max_update_percent: 100, allow_empty: true}
audit: {keep: 30d, max_runs: 9}
plan: {valid: 1h}
serve: {listen: ":80", token: t, time_zone: UTC, language: en}
alerts:
  channels:
  - {name: ops, kind: dingtalk, url: "https://h/robot?access_token=x", secret: s}
  - {name: hook, kind: webhook, url: "http://127.0.0.1:9"}
  rules: {failed_after: 1, stale_after: 1d, authorization_days: 0, token_days: 1}
`, nil)
	zeta, alpha := pipeline("zeta"), pipeline("Alpha-1")
	zeta.Table, alpha.Table = "店铺", "a b"
	minusOne, nothing := "-1", ""
	zeta.Every, zeta.Cron = 0, "*/5 8-22 1,15 jan-MAR mon"
	zeta.Columns = []config.Column{
		{Name: "编号", From: "shop_id", Type: "BIGINT", Comment: "#1", Default: &minusOne},
		{Name: "title", From: "title", Type: "VARCHAR(20)", Nullable: true, Clean: []string{"trim", "nfc"}, Default: &nothing},
		{Name: "e", Type: "DECIMAL(10,0)", Nullable: true, Expr: "shop_name ??\n  \"-\""},
	}
	zeta.Rules = []config.Rule{{Name: "has a name", Expr: `shop_name != ""`, OnFail: "warn"}, {Name: "r2", Expr: "x", OnFail: "fail"}}
	alpha.Key, alpha.Every, alpha.Deletes, alpha.Shared, alpha.ChangesTable = []string{"co_id", "shop_id"}, time.Hour, "soft", true, "changes"
	alpha.Guard = config.Guard{MaxUpdates: 1, MaxUpdatePercent: 100, AllowEmpty: true}
	checkSettings(t, got, config.Settings{
		File: config.DefaultFile, State: "a.db", LockTimeout: 36 * time.Hour,
		Source: config.Source{
			BaseURL: "http://[::1]:80/openapi", AppKey: "0123", AppSecret: "it's # $ecret", AccessToken: "token",
			PageSize: 7, Rate: config.Rate{PerSecond: 0.5, PerMinute: 12.5}, Timeout: 90 * time.Second,
			Retry:  config.Retry{MaxAttempts: 1, MaxElapsed: 48 * time.Hour},
			Record: config.Record{Dir: "answers", Keep: time.Hour},
		},
		Target:    config.Target{DSN: "u:p@tcp(h:3306)/d"},
		Pipelines: []config.Pipeline{alpha, zeta},
		Audit:     config.Audit{Keep: 30 * 24 * time.Hour, MaxRuns: 9},
		Plan:      config.Plan{Valid: time.Hour},
		Serve:     config.Serve{Listen: ":80", Token: "t", TimeZone: "UTC", Language: "en"},
		Alerts: config.Alerts{
			Channels: []config.Channel{
				{Name: "ops", Kind: "dingtalk", URL: "https://h/robot?access_token=x", Secret: "s"},
				{Name: "hook", Kind: "webhook", URL: "http://127.0.0.1:9"},
			},
			Rules: config.AlertRules{FailedAfter: 1, StaleAfter: 24 * time.Hour, TokenDays: 1},
		},
	})
}

func TestLoad_WhichFile(t *testing.T) {
	files := map[string]string{"jstsync.yaml": "state: default", "env.yaml": "state: env", "flag.yaml": "state: flag"}
	env := map[string]string{"JSTSYNC_CONFIG": "env.yaml"}
	for _, tt := range []struct {
		name, path string
		env, files map[string]string
		want       string
	}{
		{"default", "", nil, files, "default"},
		{"environment", "", env, files, "env"},
		{"flag", "flag.yaml", env, files, "flag"},
		{"absent default", "", nil, nil, "jstsync.db"},
		{"absent environment", "", env, nil, "env.yaml: does not exist; correct --config or JSTSYNC_CONFIG"},
		{"absent flag", "flag.yaml", nil, nil, "flag.yaml: does not exist; correct --config or JSTSYNC_CONFIG"},
		{"absent default, named", "jstsync.yaml", nil, nil, "jstsync.yaml: does not exist; correct --config or JSTSYNC_CONFIG"},
		{"directory", ".", nil, files, ".: cannot be read: invalid argument; correct --config or JSTSYNC_CONFIG"},
		{"too large", "big", nil, map[string]string{"big": strings.Repeat("#", 129<<10)}, "big: is larger than 128 KiB; name a configuration file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := config.Load(tt.path, host(tt.env, tt.files))
			var got string
			if got = errorText(t, err); err == nil {
				got = s.State
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// errorText is empty for no error, and refuses any other type than *Error.
func errorText(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var e *config.Error
	if !errors.As(err, &e) || len(e.Problems) == 0 {
		t.Fatalf("got %T %v, want an *Error with problems", err, err)
	}
	return e.Error()
}

func TestLoad_SecretFiles(t *testing.T) {
	const content = `
source: {app_key_file: key, app_secret_file: "${DIR}/secret", access_token_file: empty}
target: {dsn_file: "gone"}
`
	h := host(map[string]string{"DIR": "run", "MYSQL_DSN": "from the environment"}, map[string]string{
		"jstsync.yaml": content, "key": "k", "run/secret": "${s}$$\r\n", "empty": "\n",
	})
	s, err := config.Load("", h)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := s.Source.AppKey+" "+s.Source.AppSecret.Reveal(), "k ${s}$$"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := s.Target.DSN.Reveal(); got != "" {
		t.Errorf("the environment overrode the file's dsn_file: got %q", got)
	}
	want := `jstsync.yaml:2:82: source.access_token is not set: the file that access_token_file names is empty; put the value into it
jstsync.yaml:3:20: target.dsn is not set: the file that dsn_file names does not exist; create it or correct the path`
	if got := errorText(t, s.Require(config.NeedSource, config.NeedTarget)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestLoad_SecretFileMistakes(t *testing.T) {
	for content, want := range map[string]string{
		"a\nb":                      "jstsync.yaml:1:20: target.dsn: contains a line break or another control character; remove it",
		strings.Repeat("x", 65<<10): "jstsync.yaml:1:20: target.dsn_file: names a file larger than 64 KiB",
	} {
		_, err := config.Load("", host(nil, map[string]string{"jstsync.yaml": "target: {dsn_file: f}", "f": content}))
		if got := errorText(t, err); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestLoad_LiteralSecretMode(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such mode")
	}
	const key, dsn = "source: {app_secret: %s}", "target: {dsn: %s}"
	for _, tt := range []struct {
		form, value string
		mode        fs.FileMode
		refused     bool
	}{
		{key, "abc", 0o644, true},
		{key, "abc", 0o640, true},
		{key, "abc", 0o601, true},
		{key, "abc", 0o600, false},
		{key, "abc", 0o400, false},
		{key, "'${S}'", 0o644, false},
		{key, "'${S}${T}'", 0o644, false},
		{key, "'${S}x'", 0o644, true},
		{key, "'${S:-x}'", 0o644, true},
		{key, "'${S:-}'", 0o644, false},
		{key, "''", 0o644, false},
		{dsn, "u:p@tcp(h)/d", 0o644, true},
		{dsn, "'u:${S}@tcp(h)/d'", 0o644, false},
		{dsn, "'u:p${S}@tcp(h)/d'", 0o644, true},
		{dsn, "'u:p${S}'", 0o644, true},
		{dsn, "'${S}'", 0o644, false},
		{dsn, "u@tcp(h:3306)/d", 0o644, false},
		{dsn, "tcp(h:3306)/d", 0o644, false},
		{dsn, "mysql://u:p@h/d", 0o644, true},
	} {
		content := strings.ReplaceAll(tt.form, "%s", tt.value)
		t.Run(content+" "+tt.mode.String(), func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "c.yaml")
			if err := os.WriteFile(name, []byte(content), tt.mode); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(name, tt.mode); err != nil {
				t.Fatal(err)
			}
			_, err := config.Load(name, config.SystemHost())
			got := errorText(t, err)
			if refused := strings.HasSuffix(got, "; chmod 600 "+name); refused != tt.refused || !refused && got != "" {
				t.Errorf("got %q, want refused = %v", got, tt.refused)
			}
		})
	}
}

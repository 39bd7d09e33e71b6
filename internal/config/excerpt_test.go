package config_test

import (
	"errors"
	"strings"
	"testing"

	"jstsync/internal/config"
)

// excerpts gives the excerpts of all problems, those of settings without a value too.
func excerpts(t *testing.T, content string, env map[string]string) string {
	t.Helper()
	_, err := config.Check("", host(env, map[string]string{config.DefaultFile: content}))
	var e *config.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %T %v, want an *Error", err, err)
	}
	var all []string
	for _, p := range e.Problems {
		if excerpt := p.Excerpt(); excerpt != "" {
			all = append(all, excerpt)
		}
	}
	return strings.Join(all, "\n")
}

func TestProblem_Excerpt(t *testing.T) {
	for _, tt := range []struct{ content, want string }{
		{"\n\nstat: hunter2 # hunter2\r\n", "    3 | stat: ***\n      | ^"},
		{"# hunter2\r\n# b\r\nsource:\r\n  page_size: 0 # hunter2\r\n", "    4 |   page_size: 0\n      |              ^"},
		{"source: {app_secret: [hunter2], page_size: 0}", "    1 | source: {app_secret: [***], page_size: 0}\n      |                      ^\n" +
			"    1 | source: {app_secret: [***], page_size: 0}\n      |                                        ^"},
		{"source: {app_secret: 'hunter2 hunter2', page_size: 0}", "    1 | source: {app_secret: ***, page_size: 0}\n      |                                      ^"},
		{"source: {app_secret: \"${NO}\"}", "    1 | source: {app_secret: \"${NO}\"}\n      |                      ^"},
		{"source: {app_secret: '${NO:-hunter2}', page_size: '${NO}x'}", "    1 | source: {app_secret: ***, page_size: '${NO}x'}\n      |                                      ^"},
		{"source: {base_url: 'https://u:hunter2@h'}", "    1 | source: {base_url: ***}\n      |                    ^"},
		{"source: hunter2", "    1 | source: ***\n      |         ^"},
		{"source:\n  app_secret: |\n    hunter2: x\n  page_size: 0\n", "    2 |   app_secret: |\n      |               ^\n    4 |   page_size: 0\n      |              ^"},
		{"source:\n  app_secret: |hunter2\n  page_size: 0\n", "    2 |   app_secret: ***\n      |               ^"},
		{"state: a: hunter2", "    1 | state: ***: ***\n      |        ^"},
		{"pipelines: {shops: {table: '店铺店铺', guard: {max_deletes: x}}}", "    1 | pipelines: {shops: {table: '店铺店铺', guard: {max_deletes: x}}}\n      |                                                             ^"},
		{"state: \xff", ""},
		{"lock_timeout: '" + strings.Repeat("x", 300) + "'", "    1 | lock_timeout: '" + strings.Repeat("x", 85) + "…\n      |               ^"},
		{"state: '" + strings.Repeat("x", 300) + "'\naudit: {keep: {}, max_runs: 0}", "    2 | audit: {keep: {}, max_runs: 0}\n      |               ^"},
		{"pipelines: {p: {table: '" + strings.Repeat("x", 60) + "', columns: [], changes_table: 'a.b', rules: [], shared: false}}", "    1 | …" + strings.Repeat("x", 35) +
			"', columns: [], changes_table: 'a.b', rules: [], shared: false}}\n      |" + strings.Repeat(" ", 68) + "^"},
	} {
		env := map[string]string{"JST_APP_KEY": "k", "JST_APP_SECRET": "s", "MYSQL_DSN": "d"}
		got := excerpts(t, tt.content, env)
		if strings.Contains(got, "hunter2") {
			t.Errorf("%q: the excerpt shows the secret: %s", tt.content, got)
		}
		if got != tt.want {
			t.Errorf("%q: got\n%s\nwant\n%s", tt.content, got, tt.want)
		}
	}
	if got := (config.Problem{Source: "x", Line: 3, Caret: 9}).Excerpt(); got != "    3 | x\n      |  ^" {
		t.Errorf("a caret behind the line: got %q", got)
	}
}

func TestCheck(t *testing.T) {
	_, err := config.Check("", host(nil, map[string]string{config.DefaultFile: "stat: x\nserve: {token: '${NO}'}"}))
	want := `jstsync.yaml:1:1: unknown key "stat"; did you mean "state"?
jstsync.yaml:2:16: serve.token is not set: the environment has no NO; export NO
source.app_key is not set; put it in jstsync.yaml or export JST_APP_KEY
source.app_secret is not set; put it in jstsync.yaml or export JST_APP_SECRET
target.dsn is not set; put it in jstsync.yaml or export MYSQL_DSN`
	if got := errorText(t, err); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	s, err := config.Check("", host(map[string]string{"JST_APP_KEY": "k", "JST_APP_SECRET": "s", "MYSQL_DSN": "d"}, nil))
	if err != nil || s.File != "" || s.Source.AppKey != "k" {
		t.Errorf("got %v, %v, want the settings of the environment", s, err)
	}
	_, err = config.Check("absent.yaml", host(nil, nil))
	if got, want := errorText(t, err), "absent.yaml: does not exist; correct --config or JSTSYNC_CONFIG"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

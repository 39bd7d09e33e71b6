package config_test

import (
	"errors"
	"strings"
	"testing"

	"jstsync/internal/config"
)

// always finds the same.
func always(found ...config.Finding) config.Examiner {
	return func(*config.Settings) []config.Finding { return found }
}

// checked gives the only problem of a file in which an examiner finds one.
func checked(t *testing.T, content string, f config.Finding, env map[string]string) config.Problem {
	t.Helper()
	if env == nil {
		env = map[string]string{}
	}
	env["JST_APP_KEY"], env["JST_APP_SECRET"] = "k", "s"
	if env["MYSQL_DSN"] == "" {
		env["MYSQL_DSN"] = "d"
	}
	_, err := config.Check("", host(env, map[string]string{config.DefaultFile: content, "dsn": "d"}), always(f))
	e, ok := errors.AsType[*config.Error](err)
	if !ok || len(e.Problems) != 1 {
		t.Fatalf("%q: got %v, want one problem", content, err)
	}
	return e.Problems[0]
}

// A character of an expression is found in the file, however it is written.
func TestCheck_FindingPlace(t *testing.T) {
	const rule = "pipelines: {p: {rules: [{name: 店铺, expr: "
	for _, tt := range []struct {
		content string
		at      int
		want    string // the excerpt
	}{
		{rule + `a = 1}]}}`, 0, "    1 | " + rule + "a = 1}]}}\n      | " + strings.Repeat(" ", 43) + "^"},
		{rule + `a = 1}]}}`, 3, "    1 | " + rule + "a = 1}]}}\n      | " + strings.Repeat(" ", 45) + "^"},
		{"\ufeff" + rule + `'店 = 1'}]}}`, 3, "    1 | " + rule + "'店 = 1'}]}}\n      | " + strings.Repeat(" ", 47) + "^"},
		{rule + `' a''= 1'}]}}`, 3, "    1 | " + rule + "' a''= 1'}]}}\n      | " + strings.Repeat(" ", 48) + "^"},
		{rule + `"\"a\" = 1"}]}}`, 5, "    1 | " + rule + `"\"a\" = 1"}]}}` + "\n      | " + strings.Repeat(" ", 50) + "^"},
		{rule + `"\u0061 = 1"}]}}`, 3, "    1 | " + rule + "***}]}}\n      | " + strings.Repeat(" ", 43) + "^"},
		{"pipelines:\r\n  p:\r\n    rules:\r\n    - name: x\r\n      expr: |\r\n        店 +\r\n          b = 1 # c\r\n", 9, "    7 |           b = 1 # c\n      |             ^"},
		{"pipelines:\n  p:\n    rules:\n    - name: x\n      expr: >-\n        店 = 1\n", 3, "    6 |         店 = 1\n      |            ^"},
		{"pipelines:\n  p:\n    rules:\n    - name: x\n      expr: a\n        = 1\n", 3, "    5 |       expr: ***\n      |             ^"},
		{"pipelines:\n  p:\n    rules:\n    - name: x\n      expr:\ta = 1\n", 3, "    5 |       expr: a = 1\n      |               ^"},
		{rule + `a = 1}]}}`, 99, "    1 | " + rule + "a = 1}]}}\n      | " + strings.Repeat(" ", 43) + "^"},
	} {
		p := checked(t, tt.content, config.Finding{Path: "pipelines.p.rules[0].expr", At: tt.at, Message: "is wrong"}, nil)
		if got := p.Excerpt(); got != tt.want {
			t.Errorf("%q: got %d:%d\n%s\nwant\n%s", tt.content, p.Line, p.Column, got, tt.want)
		}
	}
}

// Who gave a value is named, and what the file does not show is not repeated.
func TestCheck_FindingOrigin(t *testing.T) {
	dsn := config.Finding{Path: "target.dsn", Message: "is odd", Remedy: "mend it"}
	key := config.Finding{Path: "pipelines.p.key[0]", Message: "hunter2", Remedy: "hunter2", Quotes: true}
	for _, tt := range []struct {
		content string
		finding config.Finding
		want    string
	}{
		{"", dsn, "target.dsn: MYSQL_DSN is odd; mend it"},
		{"target: {dsn: d}", dsn, "jstsync.yaml:1:15: target.dsn: is odd; mend it"},
		{"target: {dsn: '${MYSQL_DSN}/${X}'}", dsn, "jstsync.yaml:1:15: target.dsn: is odd (from MYSQL_DSN, X); mend it"},
		{"target: {dsn_file: dsn}", dsn, "jstsync.yaml:1:20: target.dsn: is odd (from the file that dsn_file names); mend it"},
		{"pipelines: {p: {}}", key, "jstsync.yaml:1:13: pipelines.p.key[0]: hunter2; hunter2"},
		{"pipelines: {p: {key: [hunter2]}}", key, "jstsync.yaml:1:23: pipelines.p.key[0]: hunter2; hunter2"},
		{"pipelines: {p: {key: ['${X}']}}", key, "jstsync.yaml:1:23: pipelines.p.key[0]: is not valid (from X); correct what X gives"},
	} {
		p := checked(t, tt.content, tt.finding, map[string]string{"X": "hunter2"})
		if got := p.String(); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.content, got, tt.want)
		}
	}
}

// A finding alone is an error for those whom it concerns; beside any other
// mistake all are told.
func TestLoad_Findings(t *testing.T) {
	examiner := always(
		config.Finding{Path: "pipelines.a.key", Message: "is odd"}, config.Finding{Path: "target.dsn", Message: "is odd"},
		config.Finding{Path: "pipelines.ab.key[0]", Message: "is odd"}, config.Finding{Path: "pipelines.ab.table", Message: "is known"},
	)
	const all = "jstsync.yaml:1:17: pipelines.a.key: is odd\njstsync.yaml:2:4: pipelines.ab.key[0]: is odd\ntarget.dsn: MYSQL_DSN is odd"
	lines := func(content string) (*config.Settings, error) {
		env := map[string]string{"MYSQL_DSN": "d"}
		return config.Load("", host(env, map[string]string{config.DefaultFile: content}), examiner)
	}
	s, err := lines("pipelines: {a: {key: [x]},\n   ab: {table: '${UNSET}'}, c: {table: c}}")
	if err != nil {
		t.Fatal(err)
	}
	text := func(err error) string { return strings.ReplaceAll(err.Error(), "1:22", "1:17") }
	if _, err := s.Pipeline("c"); err != nil || s.Require(config.NeedState) != nil {
		t.Errorf("got %v, want nothing for who is not concerned", err)
	}
	if err := s.Require(config.NeedTarget); err == nil || err.Error() != "target.dsn: MYSQL_DSN is odd" {
		t.Errorf("got %v, want that of the target", err)
	}
	if got := text(s.WithFindings(s.Require(config.NeedTarget))); got != all {
		t.Errorf("got %s, want %s", got, all)
	}
	if _, err := s.Pipeline("a"); err == nil || text(err) != all {
		t.Errorf("got %v, want %s", err, all)
	}
	if s.WithFindings(nil) != nil || !errors.Is(s.WithFindings(errors.ErrUnsupported), errors.ErrUnsupported) {
		t.Error("got another error than that of somebody else")
	}
	_, err = lines("pipelines: {a: {key: [x]},\n   ab: {table: a.b}, c: {table: c}}")
	if want := strings.Replace(all, "jstsync.yaml:2:4: pipelines.ab.key[0]: is odd", "jstsync.yaml:2:4: pipelines.ab.key[0]: is odd\n"+
		"jstsync.yaml:2:16: pipelines.ab.table: must be a plain table name without a dot; name the database in target.dsn", 1); err == nil || text(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

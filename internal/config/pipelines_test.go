package config_test

import (
	"testing"

	"jstsync/internal/config"
)

// sourceOf gives the name and the app key of the source of a pipeline.
func sourceOf(s *config.Settings, i int) string {
	source := s.SourceOf(s.Pipelines[i])
	if source == nil {
		return "none"
	}
	return source.Name + ":" + source.AppKey
}

func TestSettings_SourceOf(t *testing.T) {
	env := map[string]string{"JST_APP_KEY": "env"}
	for _, tt := range []struct{ name, content, want string }{
		{"none configured", "", ":env"},
		{"single", "source: {app_key: k}", ":k"},
		{"one named", "sources: {a: }", "a:env"},
		{"one named, in the pipeline too", "sources: {a: {app_key: k}}\npipelines: {p: {source: a}}", "a:k"},
		{"source is null", "source:\nsources: {a: {app_key: k}}", "a:k"},
		{"sources is null", "source: {app_key: k}\nsources:", ":k"},
		{"several", "sources: {b: {app_key: kb}, a: {app_key: ka}}\npipelines: {p: {source: b}}", "b:kb"},
		{"several are not filled from one variable", "sources: {b: {}, a: {app_key: ka}}\npipelines: {p: {source: b}}", "b:"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := load(t, tt.content, env)
			if got := sourceOf(s, 0); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if len(s.Sources) == 1 && s.Source != s.Sources[0] {
				t.Errorf("Source: got %v, want the only one of Sources", s.Source)
			}
			if len(s.Sources) > 1 && s.Source != (config.Source{}) {
				t.Errorf("Source: got %v, want none where there are several", s.Source)
			}
		})
	}
	if got := load(t, "sources: {a: {}, b: {}}\npipelines: {p: {source: b}}", nil).SourceOf(config.Pipeline{}); got != nil {
		t.Errorf("of a stranger: got %v, want nil", got)
	}
}

func TestSettings_RequireFor(t *testing.T) {
	s := load(t, `
sources:
  a: {app_key: k, app_secret: s, access_token: t}
  b: {app_key: k, base_url: "http://localhost:1"}
pipelines:
  a_shops: {source: a, table: a}
  b_shops: {source: b, table: b}
`, map[string]string{"JST_APP_SECRET": "not shared", "JST_ACCESS_TOKEN": "not shared"})
	a, b := s.Pipelines[:1], s.Pipelines[1:]
	if err := s.RequireFor(a, config.NeedSource, config.NeedState); err != nil {
		t.Errorf("a: got %v, want nil", err)
	}
	const secret, token = "sources.b.app_secret is not set; put it in jstsync.yaml", "sources.b.access_token is not set; put it in jstsync.yaml"
	for _, tt := range []struct {
		err  error
		want string
	}{
		{s.RequireFor(b, config.NeedApp), secret},
		{s.RequireFor(b, config.NeedToken), token},
		{s.RequireFor(b, config.NeedSource), secret + "\n" + token},
		{s.RequireFor(a, config.NeedTarget), "target.dsn is not set; put it in jstsync.yaml or export MYSQL_DSN"},
		{s.Require(config.NeedSource), secret + "\n" + token},
		{s.RequireOf([]string{"b", "a"}, config.NeedApp), secret},
		{s.RequireOf([]string{"a"}, config.NeedSource), ""},
	} {
		if got := errorText(t, tt.err); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestSettings_RequireChannel(t *testing.T) {
	s := load(t, "alerts: {channels: [{name: a, kind: wecom, url: '${NO}', secret: '${NO:-}'}]}\nserve: {token: '${NO}'}", nil)
	want := "jstsync.yaml:1:49: alerts.channels[0].url is not set: the environment has no NO; export NO"
	if got := errorText(t, s.Require(config.NeedAlerts)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	want = "jstsync.yaml:2:16: serve.token is not set: the environment has no NO; export NO"
	if got := errorText(t, s.Require(config.NeedServe, config.NeedState)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLoad_KeyColumns(t *testing.T) {
	s := load(t, "pipelines: {p: {key: [a, b], columns: [{name: x, from: a, type: INT}, {name: y, from: a, type: TEXT}, {name: b, type: INT}]}}", nil)
	for i, want := range []bool{false, true, false} {
		if got := s.Pipelines[0].Columns[i].Nullable; got != want {
			t.Errorf("column %d: got nullable %v, want %v", i, got, want)
		}
	}
}

func TestLoad_SharedTables(t *testing.T) {
	s := load(t, "pipelines: {b: {shared: true, table: t}, a: {shared: true, table: t}, c: {table: T}}", nil)
	if got := len(s.Pipelines); got != 3 {
		t.Errorf("got %d pipelines, want 3", got)
	}
}

func TestLoad_PipelineProblem(t *testing.T) {
	const column = "pipelines: {p: {columns: [{name: shop_id, type: INT}, "
	const at = "1:55: pipelines.p.columns[1]"
	for _, tt := range []struct{ content, want string }{
		// sources
		{"source: {}\nsources: {a: {}}", "2:1: both source and sources are given; keep one of them"},
		{"sources: {a: {}}\nsource: {page_size: 0}", "2:1: both source and sources are given; keep one of them\n2:21: source.page_size: must be 1 to 100, not \"0\""},
		{"sources: {}", "1:10: sources: names nothing; add an entry, or remove the key"},
		{"sources: {a: {}, b: {}}", "1:10: pipelines.shops: does not say which source it reads; add source: a or b"},
		{"pipelines:\n  p:\n    source: a", "3:13: pipelines.p.source: names a source, but the file has no sources; remove it, or put the account under sources"},
		{"sources: {first: {}}\npipelines: {p: {source: frist}}", `2:25: pipelines.p.source: is no source of this file; did you mean "first"? known: "first"`},
		{"sources: {a: {}, b: {}}\npipelines: {p: {source: other}}", `2:25: pipelines.p.source: is no source of this file; known: "a", "b"`},
		{"sources: {'a b': {}, b: {}}\npipelines: {p: {source: a b}}", "1:11: sources: has a name that is not 1 to 64 of A-Z, a-z, 0-9, _ and -; rename it"},
		{"sources: {a: {page: 1}}", `1:15: sources.a: unknown key "page"; did you mean "page_size"?`},
		// key
		{"pipelines: {p: {key: shop_id}}", "1:22: pipelines.p.key: must be a list, not a single value; write it as [ … ]"},
		{"pipelines: {p: {key: []}}", "1:22: pipelines.p.key: is an empty list; add an element, or remove the key for the default [shop_id]"},
		{"pipelines: {p: {key: [a, b, a]}}", "1:29: pipelines.p.key[2]: is in the list twice; remove it"},
		{"pipelines: {p: {key: ['']}}", "1:23: pipelines.p.key[0]: is empty; write a value"},
		{"pipelines: {p: {key: [{a: b}]}}", "1:23: pipelines.p.key[0]: must be one value, not a section of keys; write the value itself"},
		{"pipelines: {p: {key: [a], columns: [{name: b, type: INT}]}}", "1:23: pipelines.p.key[0]: is a source field that no column is mapped from; add a column with from: and this field"},
		{"pipelines: {p: {columns: [{name: b, type: INT}]}}", "1:13: pipelines.p.key[0]: is a source field that no column is mapped from; add a column with from: and this field"},
		{"pipelines: {p: {columns: [{name: shop_id, type: JSON}]}}", "1:49: pipelines.p.columns[0].type: JSON cannot be a column of the key; write VARCHAR(n)"},
		{"pipelines: {p: {columns: [{name: shop_id, type: INT, nullable: true}]}}", "1:64: pipelines.p.columns[0].nullable: must be false for a column of the key; remove it"},
		// when
		{"pipelines: {p: {every: 5m, cron: '* * * * *'}}", "1:28: pipelines.p: both every and cron are given; keep one of them"},
		{"pipelines: {p: {cron: '* * * * *', every: 5}}", "1:36: pipelines.p: both every and cron are given; keep one of them\n" +
			`1:43: pipelines.p.every: must be a duration, not "5"; write a number and a unit, such as 30s, 5m or 7d`},
		{"pipelines: {p: {every: 0s}}", `1:24: pipelines.p.every: must be more than 0s, not "0s"`},
		// tables
		{"pipelines: {p: {table: JSTSYNC_checkpoint}}", "1:24: pipelines.p.table: is the table of jstsync's own checkpoints; name another"},
		{"pipelines: {p: {changes_table: jst_shops}}", `1:32: pipelines.p.changes_table: is the table of pipeline "p"; name another table`},
		{"pipelines: {b: {}, a: {shared: true}}", `1:20: pipelines.a.table: is the table of pipeline "b" as well as of "a"; name another table, or set shared: true in both`},
		{"pipelines: {b: {table: x}, a: {table: x}}", `1:39: pipelines.a.table: is the table of pipeline "b" as well as of "a"; name another table, or set shared: true in both`},
		{"pipelines: {p: {deletes: sofft}}", `1:26: pipelines.p.deletes: must be hard, soft or keep; did you mean "soft"?`},
		{"pipelines: {p: {deletes: soft, columns: [{name: shop_id, type: INT}, {name: Deleted_At, type: DATETIME}]}}", "1:77: pipelines.p.columns[1].name: is the column in which deletes: soft keeps the time of the delete; rename it"},
		// columns
		{"pipelines: {p: {columns: {a: INT}}}", "1:26: pipelines.p.columns: must be a list, not a section of keys; write it as [ … ]"},
		{column + "shop_name]}}", at + ": must be a section of keys, not a single value; write its keys below it, as key: value\n" + at + ": has no name; add name\n" + at + ": has no type; add type"},
		{column + "{}]}}", at + ": has no name; add name\n" + at + ": has no type; add type"},
		{column + "{nam: x, type: INT}]}}", "1:55: pipelines.p.columns[1]: has no name; add name\n" + `1:56: pipelines.p.columns[1]: unknown key "nam"; did you mean "name"?`},
		{column + "{name: SHOP_ID, type: INT, from: x}]}}", "1:62: pipelines.p.columns[1].name: is the name of entry 1 as well; rename one of them"},
		{column + "{name: 'a`b', type: INT}]}}", "1:62: pipelines.p.columns[1].name: contains a character that a column name must not have; take the backquote or the emoji out"},
		{column + "{name: x, type: INT, from: a, expr: b}]}}", "1:85: pipelines.p.columns[1]: both from and expr are given; keep one of them"},
		{column + "{name: x, type: INT, expr: ' '}]}}", "1:82: pipelines.p.columns[1].expr: is blank; write an expression"},
		{column + "{name: x, type: TEXT, default: a}]}}", "1:86: pipelines.p.columns[1].default: TEXT takes no default; remove it"},
		{column + "{name: x, type: TEXT, clean: [trim, uper, trim]}]}}", `1:91: pipelines.p.columns[1].clean[1]: must be trim, collapse_space, empty_to_null, null_to_empty, nfc, upper, lower, zero_date_to_null or truncate; did you mean "upper"?` +
			"\n1:97: pipelines.p.columns[1].clean[2]: is in the list twice; remove it"},
		{column + "{name: x, type: TEXT, clean: [upper, null_to_empty, lower, empty_to_null]}]}}", "1:107: pipelines.p.columns[1].clean[2]: undoes upper; keep one of them\n" +
			"1:114: pipelines.p.columns[1].clean[3]: undoes null_to_empty; keep one of them"},
		// rules
		{"pipelines: {p: {rules: [{name: a, expr: x}, {name: a, expr: '', on_fail: stop}]}}", "1:52: pipelines.p.rules[1].name: is the name of entry 1 as well; rename one of them\n" +
			"1:74: pipelines.p.rules[1].on_fail: must be warn, quarantine or fail"},
		{"pipelines: {p: {rules: [{name: a}]}}", "1:25: pipelines.p.rules[0]: has no condition; add expr, not_null, unique, length, range, regex or one_of"},
		{"pipelines: {p: {rules: [{name: a, expr: ''}]}}", "1:25: pipelines.p.rules[0]: has no condition; add expr, not_null, unique, length, range, regex or one_of"},
		{"pipelines: {p: {rules: [{name: a, expr: x, not_null: b}]}}", "1:25: pipelines.p.rules[0]: has both expr and not_null; make two rules of it"},
		{"pipelines: {p: {rules: [{name: a, range: b}]}}", "1:25: pipelines.p.rules[0]: has range without min or max; add min or max"},
		{"pipelines: {p: {rules: [{name: a, regex: b, min: 1}]}}", "1:25: pipelines.p.rules[0]: has regex without pattern; add pattern\n1:50: pipelines.p.rules[0].min: does not go with regex; remove it"},
		{"pipelines: {p: {rules: [{name: a, one_of: b, values: [x, x]}]}}", "1:58: pipelines.p.rules[0].values[1]: is in the list twice; remove it"},
		// the rest
		{"source: {record: {keep: 0d}}", `1:25: source.record.keep: must be more than 0s, not "0d"`},
		{"audit: {max_runs: -1}", `1:19: audit.max_runs: must be 0 or more, not "-1"`},
		{"plan: {valid: 1}", `1:15: plan.valid: must be a duration, not "1"; write a number and a unit, such as 30s, 5m or 7d`},
		{"serve: {listen: localhost}", "1:17: serve.listen: must be host:port; write it as 127.0.0.1:8321"},
		{"serve: {time_zone: Beijing}", "1:20: serve.time_zone: is no time zone that is known here; write a name such as Asia/Shanghai or UTC"},
		{"serve: {language: cn}", `1:19: serve.language: must be zh or en; did you mean "en"?`},
		{"alerts: {channels: [{name: a, kind: slack, url: 'http://h'}, {name: A, kind: wecom}]}", "1:37: alerts.channels[0].kind: must be dingtalk, wecom, feishu or webhook\n" +
			"1:49: alerts.channels[0].url: must begin with https://; http:// is for a server on this machine only\n" +
			"1:62: alerts.channels[1]: has no url; add url or url_file\n1:69: alerts.channels[1].name: is the name of entry 1 as well; rename one of them"},
		{"alerts: {rules: {failed_after: 0}}", `1:32: alerts.rules.failed_after: must be 1 or more, not "0"`},
	} {
		t.Run(tt.content, func(t *testing.T) {
			if got := problems(t, tt.content, nil); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestLoad_ColumnType(t *testing.T) {
	for text, want := range map[string]string{
		"BIGINT": "BIGINT", "int": "INT", " Text ": "TEXT", "date": "DATE", "bool": "BOOL", "json": "JSON",
		"DECIMAL(65,30)": "DECIMAL(65,30)", "decimal ( 10 , 2 )": "DECIMAL(10,2)", "DECIMAL(5)": "DECIMAL(5,0)", "DECIMAL(1,1)": "DECIMAL(1,1)",
		"VARCHAR(1)": "VARCHAR(1)", "varchar(16383)": "VARCHAR(16383)",
		"DATETIME": "DATETIME", "DATETIME(0)": "DATETIME", "datetime(6)": "DATETIME(6)",
	} {
		s := load(t, "pipelines: {p: {columns: [{name: shop_id, type: INT}, {name: x, type: '"+text+"'}]}}", nil)
		if got := s.Pipelines[0].Columns[1].Type; got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	const decimal = "needs 1 to 65 digits, at most 30 of them and not more than all behind the point; write it like DECIMAL(12,2)"
	const varchar = "needs a length of 1 to 16383; write it like VARCHAR(255), or TEXT for longer texts"
	for text, want := range map[string]string{
		"DECIMAL": decimal, "DECIMAL(66,2)": decimal, "DECIMAL(40,31)": decimal, "DECIMAL(2,3)": decimal, "DECIMAL(0,0)": decimal, "DECIMAL(1,1,1)": decimal,
		"VARCHAR": varchar, "VARCHAR(0)": varchar, "VARCHAR(16384)": varchar,
		"DATETIME(7)": "needs 0 to 6 digits of a second; write it like DATETIME(3)",
		"BIGINT(20)":  "BIGINT takes no size; write BIGINT",
		"VARCHAR(-1)": "has a size that is no number in parentheses; write it like VARCHAR(255) or DECIMAL(12,2)",
		"VARCHAR(9":   `has a ( that is not closed; within { } put quotes around it, as in "DECIMAL(12,2)"`,
		"VARCHAR(9)x": "has a size that is no number in parentheses; write it like VARCHAR(255) or DECIMAL(12,2)",
		"VARCHA(9)":   "is no column type; did you mean VARCHAR? known: BIGINT, INT, DECIMAL(p,s), VARCHAR(n), TEXT, DATETIME(0) to DATETIME(6), DATE, BOOL and JSON",
		"GEOMETRY":    "is no column type; known: BIGINT, INT, DECIMAL(p,s), VARCHAR(n), TEXT, DATETIME(0) to DATETIME(6), DATE, BOOL and JSON",
	} {
		got := problems(t, "pipelines:\n  p:\n    columns:\n    - {name: shop_id, type: INT}\n    - {name: x, type: '"+text+"'}", nil)
		if want := "5:23: pipelines.p.columns[1].type: " + want; got != want {
			t.Errorf("%q:\ngot  %s\nwant %s", text, got, want)
		}
	}
}

func TestLoad_ColumnDefault(t *testing.T) {
	for _, tt := range []struct {
		kind string
		good []string
		bad  []string
	}{
		{"BIGINT", []string{"0", "-9223372036854775808"}, []string{"", "x", "1.0", "9223372036854775808"}},
		{"INT", []string{"2147483647"}, []string{"2147483648"}},
		{"DECIMAL(3,1)", []string{"0", "-99.9", "1.50"}, []string{"", "100", "1.25", "1e1", "1/2"}},
		{"VARCHAR(2)", []string{"", "店铺"}, []string{"abc"}},
		{"BOOL", []string{"true", "0"}, []string{"yes"}},
		{"DATE", []string{"2024-02-29"}, []string{"2023-02-29"}},
		{"DATETIME(3)", []string{"2024-02-29 01:02:03", "2024-02-29 01:02:03.5"}, []string{"2024-02-29"}},
		{"JSON", nil, []string{"{}"}},
	} {
		for i, text := range append(tt.good, tt.bad...) {
			content := "pipelines: {p: {columns: [{name: shop_id, type: INT}, {name: x, type: '" + tt.kind + "', default: '" + text + "'}]}}"
			got := problems(t, content, nil)
			if good := i < len(tt.good); good != (got == "") {
				t.Errorf("%s default %q: got %q, want good = %v", tt.kind, text, got, good)
			}
		}
	}
}

func TestLoad_Cron(t *testing.T) {
	for text, good := range map[string]bool{
		"* * * * *": true, "*/5 8-22 * * *": true, "0,30 0 1,15 JAN-dec sun": true, "0-30/10 * * * 0-6": true, "59 23 31 12 6": true, " 0  0 1 1 0 ": true,
		"":        true, // none
		"* * * *": false, "* * * * * *": false, "60 * * * *": false, "* 24 * * *": false, "* * 0 * *": false, "* * 32 * *": false, "* * * 13 *": false,
		"* * * * 7": false, "*/0 * * * *": false, "*/60 * * * *": false, "5/10 * * * *": false, "9-5 * * * *": false, "1, * * * *": false, "-1 * * * *": false,
		"@daily": false, "a * * * *": false, "* * * sun *": false, "*-5 * * * *": false, "? * * * *": false, "+5 * * * *": false,
	} {
		if got := problems(t, "pipelines: {p: {cron: '"+text+"'}}", nil); good != (got == "") {
			t.Errorf("%q: got %q, want good = %v", text, got, good)
		}
	}
	if got, want := problems(t, "pipelines: {p: {cron: '*/5 8-25 * * *'}}", nil),
		"1:23: pipelines.p.cron: the hour is not *, a number of 0 to 23, a range or a step; write it like *, 5, 1-5, */5 or 0-30/10"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

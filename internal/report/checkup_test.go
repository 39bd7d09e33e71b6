package report_test

import (
	"strings"
	"testing"

	"jstsync/diff"
	"jstsync/internal/lang"
	"jstsync/internal/report"
)

func findings() []diff.Finding {
	return []diff.Finding{
		{Severity: diff.SeverityOK, ID: "state.file", Subject: "jstsync.db", Evidence: diff.Say("does not exist yet")},
		{
			Severity: diff.SeverityError, ID: "mysql.grants", Pipeline: "shops", Subject: "jst_shops", Evidence: diff.Say("%s may not %s", "'u'@'%'", "UPDATE"),
			Remedy: diff.Say("GRANT UPDATE ON `a_database_with_a_long_name`.`jst_shops` TO 'somebody'@'10.0.0.%'"),
		},
		{Severity: diff.SeverityWarning, ID: "api.rate", Source: "north", Subject: "host", Evidence: diff.Say("100 % \x1b[31m <used>")},
	}
}

func checkup(t *testing.T, text report.Text) string {
	t.Helper()
	var b strings.Builder
	c := text.Checkup(&b)
	for _, f := range findings() {
		if err := c.Add(&f); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.End(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Grouped, aligned, in 80 columns where nothing says how many there are.
func TestText_Checkup(t *testing.T) {
	const english = `state file
  ok       jstsync.db: does not exist yet [state.file]

pipeline shops
  error    jst_shops: 'u'@'%' may not UPDATE [mysql.grants]
           remedy: GRANT UPDATE ON ` + "`a_database_with_a_long_name`.`jst_shops`" + ` TO
           'somebody'@'10.0.0.%'

source north
  warning  host: 100 % \u001b[31m <used> [api.rate]

error 1 · warning 1 · note 0 · ok 1
`
	if got := checkup(t, report.Text{Width: -1}); got != english {
		t.Errorf("got\n%s\nwant\n%s", got, english)
	}
	const chinese = `状态文件
  正常  jstsync.db 尚不存在 [state.file]

管道 shops
  错误  jst_shops 'u'@'%' 缺少权限 UPDATE [mysql.grants]
        处理办法：GRANT UPDATE ON ` + "`a_database_with_a_long_name`.`jst_shops`" + ` TO
        'somebody'@'10.0.0.%'

数据源 north
  警告  host 100 % \u001b[31m <used> [api.rate]

错误 1 · 警告 1 · 提示 0 · 正常 1
`
	if got := checkup(t, report.Text{Width: -1, Lang: lang.Chinese}); got != chinese {
		t.Errorf("got\n%s\nwant\n%s", got, chinese)
	}
	colored := checkup(t, report.Text{Width: 120, Color: true})
	for _, want := range []string{"\x1b[31m  error    \x1b[0mjst_shops", "\x1b[32m  ok       \x1b[0m", "\x1b[33m  warning  \x1b[0m", "\x1b[31merror 1\x1b[0m · \x1b[33mwarning 1\x1b[0m · note 0"} {
		if !strings.Contains(colored, want) {
			t.Errorf("got\n%q\nwant in it %q", colored, want)
		}
	}
}

// One object a line, in English, with nothing escaped that need not be.
func TestFindingJSON(t *testing.T) {
	var b strings.Builder
	for _, f := range findings()[1:] {
		if err := report.FindingJSON(&b, &f); err != nil {
			t.Fatal(err)
		}
	}
	const want = `{"format":1,"pipeline":"shops","severity":"error","id":"mysql.grants","subject":"jst_shops","evidence":"'u'@'%' may not UPDATE",` +
		`"remedy":"GRANT UPDATE ON ` + "`a_database_with_a_long_name`.`jst_shops`" + ` TO 'somebody'@'10.0.0.%'"}
{"format":1,"pipeline":"","source":"north","severity":"warning","id":"api.rate","subject":"host","evidence":"100 % \u001b[31m <used>","remedy":""}
`
	if got := b.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

package report_test

import (
	"bytes"
	"html"
	"regexp"
	"strings"
	"testing"

	"github.com/rivo/uniseg"

	"jstsync/diff"
	"jstsync/internal/lang"
	"jstsync/internal/report"
)

// commented is the table of shops with the vendor's labels.
func commented() *diff.Table {
	table := shops()
	for i, comment := range []string{"店铺编号", "店铺名称", "创建时间", "店铺网址", ""} {
		table.Columns[i].Comment = comment
	}
	return table
}

// inChinese renders everything that there is of reports for people.
func inChinese(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	text := report.Text{Lang: lang.Chinese, Width: 100}
	write := func(name string, write func(b *bytes.Buffer) error) {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		out[name] = b.String()
	}
	everything := full(t)
	everything.Table = commented()
	everything.NewFields, everything.Remapped = []string{"外部店铺"}, true
	everything.Rules = []diff.RuleTally{{Rule: "有名", OnFail: diff.Warn, Count: 12, Keys: []string{"10394533", "10394534"}}}
	failed := &diff.Plan{
		Pipeline: "shops", Status: diff.Failed, Scan: diff.ScanInfo{Verdict: diff.Partial}, Changes: diff.NewChangeSet(nil),
		Err: &diff.Error{Message: "page 3: no answer from openapi.jushuitan.com", Remedy: "check source.base_url, the network and any proxy on the way"},
	}
	for name, p := range map[string]*diff.Plan{"full": everything, "held": held(t), "unchanged": planOf(t, commented()), "failed": failed} {
		if name != "failed" {
			write(name+".txt", func(b *bytes.Buffer) error { return text.Plan(b, p) })
		}
		write(name+".md", func(b *bytes.Buffer) error { return report.Markdown{Lang: lang.Chinese}.Plan(b, p) })
		write(name+".sql", func(b *bytes.Buffer) error { return report.SQL{Lang: lang.Chinese}.Plan(b, p) })
		write(name+".html", func(b *bytes.Buffer) error {
			page := report.NewHTML(b, printed)
			page.Lang = lang.Chinese
			return page.Plan(p)
		})
	}
	write("runs.txt", func(b *bytes.Buffer) error { return text.Runs(b, runs()) })
	write("sums.txt", func(b *bytes.Buffer) error { return text.Sums(b, report.Summarize(runs())) })
	write("run.txt", func(b *bytes.Buffer) error {
		r := runs()[0]
		r.Quarantine[1].Reason = `member created: "x" is not a date (column created DATETIME(3))`
		r.Rules = everything.Rules
		r.Calls = []diff.Call{{Path: "/open/shops/query", Params: `{"page_index":1}`, Page: 1, Attempt: 2, Status: 200, Code: 199, Err: "code 199: 太频繁"}}
		r.CallStats.Calls, r.Error, r.ErrorCode = 14, "run 7 of pipeline shops is unfinished", diff.CodeUnfinished
		return text.RunDetail(b, &r)
	})
	write("verify.txt", func(b *bytes.Buffer) error {
		p := planOf(t, commented(), [2]diff.Row{shop(1, "旧", "-", "-", 1), shop(1, "新", "-", "-", 1)})
		p.Status, p.Run, p.Summary.Foreign = diff.Committed, 9, 1
		return text.Verification(b, &report.Verification{Plan: p, Foreign: []diff.Key{keyOf(t, 5)}, Behind: true, Left: 2, Source: planOf(t, commented())})
	})
	write("quarantine.txt", func(b *bytes.Buffer) error {
		return text.Quarantine(b, []diff.SetAside{
			{Quarantined: diff.Quarantined{Key: "7", Reason: "rule 有名: shop_name is null or missing; rule 够长: shop_name has 1 characters, fewer than 2"}, Run: 9, Since: printed},
			{Quarantined: diff.Quarantined{Reason: "unreadable key: member shop_id came more than once"}, Run: 3, Since: printed, AtLeast: true},
		})
	})
	write("audit.txt", func(b *bytes.Buffer) error { return auditInChinese(t, b, text) })
	return out
}

func auditInChinese(t *testing.T, b *bytes.Buffer, text report.Text) error {
	a := report.NewAudit(b, "text", report.AuditOptions{Pipeline: "shops", Text: text, Table: commented()})
	columns := append(commented().Names(), "gone")
	row := append(shop(1, "旧", "2026-11-22 18:00:00.000", "-", 1), diff.TextValue("x"))
	commit := &diff.Commit{Run: 12, Kind: diff.KindSync, At: printed, Columns: columns}
	taken := &diff.Commit{Run: 11, Kind: diff.KindRebuild, At: printed, Columns: columns}
	for _, v := range []diff.Version{
		{Commit: taken, Change: diff.Change{Op: diff.Insert, Key: keyOf(t, 1), After: row}},
		{Commit: commit, Change: diff.Change{Op: diff.Insert, Key: keyOf(t, 1), After: row}},
	} {
		if err := a.Version(v); err != nil {
			return err
		}
	}
	if err := a.Row(columns, row); err != nil {
		return err
	}
	if err := a.Blame(keyOf(t, 1), report.Blame{Field: "shop_name", Value: row[1], Commit: commit, Op: "update"}); err != nil {
		return err
	}
	return a.Close()
}

func TestChinese(t *testing.T) {
	for name, got := range inChinese(t) {
		t.Run(name, func(t *testing.T) { golden(t, "zh-"+name, []byte(got)) })
	}
}

// Nothing is left in English but names, values and commands.
func TestChinese_complete(t *testing.T) {
	allowed := regexp.MustCompile(`(?i)"[^"]*"|` + "`[^`]*`" + `|\\u[0-9a-f]{4}|\S*[_/.=<>:\\]\S*|--[a-z-]+|\b(jstsync|plan|apply|sync|show|file|out|shops|null|sql|utc|http|json|say|hi|x|gone|soft|deletes|set|names|update|insert|delete|from|into|values|where|and|concat|unfinished|created|bigint|datetime|alert|script|abc|amp|gt|lt)\b`)
	words := regexp.MustCompile(`[A-Za-z]{2,}`)
	for name, text := range inChinese(t) {
		if strings.HasSuffix(name, ".html") {
			_, text, _ = strings.Cut(text, "<body>")
			text = regexp.MustCompile(`<script[^>]*>`).ReplaceAllString(text, " ")
			text = regexp.MustCompile(`<[^>]*>`).ReplaceAllString(text, " ")
			text = html.UnescapeString(text)
		}
		for line := range strings.Lines(text) {
			if strings.HasSuffix(name, ".sql") && !strings.HasPrefix(line, "--") {
				continue
			}
			if left := words.FindString(allowed.ReplaceAllString(line, " ")); left != "" {
				t.Errorf("%s: %q is left in %s", name, left, line)
			}
		}
	}
}

// What stands in columns lines up on a terminal, where a Chinese character
// takes two.
func TestChinese_width(t *testing.T) {
	for name, text := range inChinese(t) {
		if strings.HasSuffix(name, ".txt") && name != "runs.txt" && name != "run.txt" && name != "audit.txt" && name != "quarantine.txt" {
			checkWidth(t, text, 100)
		}
	}
	arrow := -1
	for line := range strings.Lines(inChinese(t)["full.txt"]) {
		before, _, ok := strings.Cut(line, `  "`)
		if !ok || !strings.HasPrefix(line, "      ") {
			arrow = -1
			continue
		}
		if at := uniseg.StringWidth(before); arrow >= 0 && at != arrow {
			t.Errorf("values begin at column %d and %d: %s", arrow, at, line)
		} else {
			arrow = at
		}
	}
}

package report_test

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
	"pgregory.net/rapid"

	"jstsync/diff"
	"jstsync/internal/lang"
	"jstsync/internal/report"
)

func planText(t testing.TB, text report.Text, p *diff.Plan) string {
	t.Helper()
	var b bytes.Buffer
	if err := text.Plan(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestText_Plan(t *testing.T) {
	withheld := planOf(t, shops())
	withheld.Withheld = diff.Withheld{Keys: []diff.Key{"\x01\x80\x00\x00\x00\x00\x00\x00\x01"}, Reason: "the answer did not hold the control record 10394533, which the pages had shown"}
	quarantined := planOf(t, shops(), [2]diff.Row{nil, shop(1, "a", "-", "-", 1)})
	for n := range 12 {
		q := diff.Quarantined{Key: fmt.Sprint(10394533 + n), Reason: `member created: "2024-02-30" is not a date (column created DATETIME(3))`}
		if n == 0 {
			q = diff.Quarantined{Reason: "unreadable key: member shop_id: \"\u202eabc\" is not an integer (column shop_id BIGINT)"}
		}
		quarantined.Quarantine = append(quarantined.Quarantine, q)
	}
	quarantined.Summary.Quarantined = 12
	var inserts [][2]diff.Row
	for n := range int64(1500) {
		inserts = append(inserts, [2]diff.Row{nil, shop(10394540+n, fmt.Sprintf("店铺 %d", n), "-", "-", 1)})
	}
	many := planOf(t, shops(), inserts...)
	many.Summary.Read, many.Summary.Unchanged = 1500, 0
	everything := mixed(t)
	everything.Pipeline = "a-pipeline-with-a-name-as-long-as-the-checkpoint-table-lets-it-be"
	everything.Summary.Kept, everything.Summary.Foreign, everything.Summary.Quarantined = 12345678, 7, 3
	everything.Withheld = withheld.Withheld
	empty := held(t)
	empty.Guard = diff.Guard{}.Check(1204, 0, 1204, 0)
	empty.Summary = diff.Summary{Pages: 1, Calls: 1, Delete: 1204}
	unstable := mixed(t)
	unstable.Scan = diff.ScanInfo{Pages: 13, Verdict: diff.Unstable, Note: "2 keys came twice, the first 10394540"}
	failed := mixed(t)
	failed.Status, failed.Err = diff.Failed, errors.New("unreachable")
	for _, tt := range []struct {
		name string
		text report.Text
		plan *diff.Plan
	}{
		{"unchanged", report.Text{}, planOf(t, shops())},
		{"mixed", report.Text{Width: 80}, mixed(t)},
		{"mixed-120", report.Text{Width: 120}, mixed(t)},
		{"mixed-color", report.Text{Color: true}, mixed(t)},
		{"many", report.Text{}, many},
		{"limit", report.Text{Limit: 2}, mixed(t)},
		{"held", report.Text{}, held(t)},
		{"held-color", report.Text{Color: true}, held(t)},
		{"empty", report.Text{}, empty},
		{"withheld", report.Text{}, withheld},
		{"quarantined", report.Text{}, quarantined},
		{"everything", report.Text{}, everything},
		{"unstable", report.Text{}, unstable},
		{"failed", report.Text{}, failed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := planText(t, tt.text, tt.plan)
			golden(t, tt.name+".txt", []byte(got))
			checkWidth(t, got, max(tt.text.Width, 80))
		})
	}
}

// The example of design/1-product.md, which the README shows too.
func TestText_Plan_Example(t *testing.T) {
	at := "2026-11-22 18:00:00.000"
	p := planOf(t, shops(),
		[2]diff.Row{shop(10394999, "旧店铺", at, "-", 1), nil},
		[2]diff.Row{nil, shop(10394540, "新店铺", at, "-", 1)},
		[2]diff.Row{shop(10394533, "旧", at, "-", 1), shop(10394533, "新", at, "-", 1)})
	p.Summary.Insert, p.Summary.Update, p.Summary.Unchanged = 3, 5, 1195
	want := `shops  1,204 read in 13 pages · 3 insert · 5 update · 1 delete · 1,195 unchanged
  ~ 10394533  新
      shop_name  "旧" → "新"
  + 10394540  新店铺
  - 10394999  旧店铺
`
	if got := planText(t, report.Text{}, p); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

var colors = regexp.MustCompile("\x1b\\[(3[123]|0)m")

func checkWidth(t interface{ Errorf(string, ...any) }, text string, width int) {
	for line := range strings.Lines(colors.ReplaceAllString(text, "")) {
		if got := uniseg.StringWidth(strings.TrimSuffix(line, "\n")); got > width {
			t.Errorf("%d columns wide, want at most %d: %s", got, width, line)
		}
	}
}

// Colours are put around words, and change nothing else.
func TestText_Plan_Color(t *testing.T) {
	for name, p := range map[string]*diff.Plan{"mixed": mixed(t), "held": held(t)} {
		colored := planText(t, report.Text{Color: true}, p)
		if got, want := colors.ReplaceAllString(colored, ""), planText(t, report.Text{}, p); got != want || got == colored {
			t.Errorf("%s: without its colours\n%s\nwant\n%s", name, got, want)
		}
	}
}

// Where two long values differ only in their middles, the middles are shown.
func TestText_Plan_HiddenDifference(t *testing.T) {
	url := func(s string) diff.Row {
		return shop(1, "a", "-", "https://shop.example.com/"+strings.Repeat("路径/", 30)+s+strings.Repeat("/path", 30), 1)
	}
	got := planText(t, report.Text{}, planOf(t, shops(), [2]diff.Row{url("旧"), url("新的")}))
	_, got, _ = strings.Cut(got, "1  a\n")
	if want := "      shop_url  …/路径/路径/旧/path/path/p… → …/路径/路径/新的/path/path/p…\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	checkWidth(t, got, 80)
}

// Redirected, nothing is cut and no line is broken.
func TestText_Plan_Endless(t *testing.T) {
	long := strings.Repeat("旗舰店", 500)
	p := planOf(t, shops(), [2]diff.Row{shop(1, long, "-", "-", 1), shop(1, long+"新", "-", "-", 1)})
	p.Withheld = diff.Withheld{Keys: []diff.Key{"\x01\x80\x00\x00\x00\x00\x00\x00\x01"}, Reason: strings.Repeat("a reason ", 50)}
	got := planText(t, report.Text{Width: -1}, p)
	if !strings.Contains(got, long+`" → "`+long+`新"`+"\n") || !strings.Contains(got, strings.TrimSpace(p.Withheld.Reason)) {
		t.Errorf("got\n%s", got)
	}
}

const (
	esc  = "\x1b"
	rlo  = "\u202e"
	csi  = "\u009b"
	ls   = "\u2028"
	hard = esc + "[2J" + rlo + "abc" + csi + "1A\r\n\t\x00\x7f" + ls + `"\` + "\xff"
)

func TestText_Plan_Escapes(t *testing.T) {
	table := shops()
	table.Key = []int{0, 3}
	p := planOf(t, table, [2]diff.Row{shop(1, "旧", "-", hard, 1), shop(1, hard, "-", hard, 1)})
	p.Quarantine = []diff.Quarantined{{Key: hard, Reason: hard}}
	p.Withheld = diff.Withheld{Keys: []diff.Key{"x"}, Reason: hard}
	p.Pipeline = "p" + esc + "[2J"
	p.Guard = diff.GuardVerdict{Tripped: true, Kind: "update", Count: 1, Rows: 1}
	shown := `\u001b[2J\u202eabc\u009b1A\u000d\n\t\u0000\u007f\u2028`
	got := planText(t, report.Text{Width: 300}, p)
	want := `p\u001b[2J  1,204 read in 13 pages · 0 insert · 1 update · 0 delete · 1,203 unchanged · 1 withheld
  ~ 1/` + shown + `"\� ` + ` ` + shown + `"\�
      shop_name  "旧" → "` + shown + `\"\\�"
  held: 1 of 1 rows to update is over the limit of 0 and of 0 %; nothing was written
        first keys: 1/` + shown + `"\�
        if it is right: jstsync plan p\u001b[2J --out FILE, read it with jstsync show FILE, then jstsync apply --override-guard FILE
  withheld: 1 delete not made: ` + shown + `"\�
        keys: %!key("x")
  quarantined: ` + shown + `"\�  ` + shown + `"\�
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// The name beside the key is the first text that is not part of the key.
func TestText_Plan_Label(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(*diff.Table)
		want string
	}{
		{"first text", func(*diff.Table) {}, "  + 1  name\n"},
		{"not of the key", func(t *diff.Table) { t.Key = []int{1} }, "  + name  url\n"},
		{"none", func(t *diff.Table) { t.Key = []int{0, 1, 3} }, "  + 1/name/url\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			table := shops()
			tt.edit(table)
			got := planText(t, report.Text{}, planOf(t, table, [2]diff.Row{nil, shop(1, "name", "-", "url", 1)}))
			if _, got, _ := strings.Cut(got, "\n"); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// Whatever is in a record: no line is wider than asked for, none is broken, and
// nothing is written that moves the cursor.
func TestText_Plan_Property(t *testing.T) {
	texts := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.OneOf(
			rapid.SampledFrom([]string{family, "店铺", "🇨🇳", "é", "\u0301", "\u200d", " ", "word ", hard, esc, rlo, "…", "→", "กำ", "ﷺ", "\ufeff"}),
			rapid.StringN(0, 20, -1),
		), 0, 30).Draw(t, "parts"), "")
	})
	rapid.Check(t, func(t *rapid.T) {
		columns := rapid.SliceOfNDistinct(rapid.OneOf(rapid.StringMatching("[a-z_]{1,64}"), rapid.StringMatching("[店铺名称编号]{1,64}")), 4, 4, rapid.ID).Draw(t, "columns")
		table := shops()
		for i, name := range columns {
			table.Columns[i+1].Name = name
		}
		one, two := texts.Draw(t, "one"), texts.Draw(t, "two")
		before, after := shop(1, one, two, one, 1), shop(1, two, one, texts.Draw(t, "three"), rapid.Int64().Draw(t, "group"))
		p := &diff.Plan{Pipeline: texts.Draw(t, "pipeline"), Table: table, Status: diff.Held, Changes: diff.NewChangeSet(table.Names())}
		key, err := table.KeyOf(after)
		if err != nil {
			t.Fatal(err)
		}
		p.Changes.Add(diff.Change{Op: diff.Update, Key: key, Before: before, After: after}, 1)
		p.Quarantine = []diff.Quarantined{{Key: one, Reason: two}, {Reason: one}}
		p.Withheld = diff.Withheld{Keys: []diff.Key{key}, Reason: two}
		p.Guard = diff.GuardVerdict{Tripped: true, Kind: "update", Count: 1 << 40, Rows: 1 << 50}
		p.Summary = diff.Summary{Read: 1 << 30, Pages: 1 << 24, Update: 1 << 40, Kept: 1, Foreign: 1, Quarantined: 2}

		text := report.Text{Width: rapid.IntRange(0, 200).Draw(t, "width"), Lang: rapid.SampledFrom([]lang.Language{lang.English, lang.Chinese}).Draw(t, "lang")}
		table.Columns[1].Comment = texts.Draw(t, "comment")
		var b bytes.Buffer
		if err := text.Plan(&b, p); err != nil {
			t.Fatal(err)
		}
		if !utf8.ValidString(b.String()) {
			t.Fatalf("not UTF-8: %q", b.String())
		}
		for _, r := range b.String() {
			if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
				t.Fatalf("%U is not escaped: %q", r, b.String())
			}
		}
		checkWidth(t, b.String(), max(text.Width, 80))
	})
}

func TestGuardReason(t *testing.T) {
	for _, tt := range []struct {
		verdict diff.GuardVerdict
		want    string
	}{
		{diff.Guard{}.Check(1204, 0, 0, 0), "the source answered no records, the snapshot holds 1,204; nothing was written"},
		{diff.Guard{MaxDeletes: 5, MaxDeletePercent: 10}.Check(1204, 1074, 1130, 0), "1,130 of 1,204 rows to delete is over the limit of 5 and of 10 %; nothing was written"},
		{diff.Guard{MaxUpdatePercent: 0.5}.Check(100, 100, 0, 80), "80 of 100 rows to update is over the limit of 0 and of 0.5 %; nothing was written"},
	} {
		if got := report.GuardReason(lang.English, tt.verdict); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

// A writer's error comes back from every report.
func TestReports_WriteErrors(t *testing.T) {
	p, r := mixed(t), runs()
	for format, write := range formats() {
		if write(brokenWriter{}, p) == nil {
			t.Errorf("%s: got no error", format)
		}
	}
	for name, err := range map[string]error{
		"Text.Plan": report.Text{}.Plan(brokenWriter{}, p), "PlanJSON": report.PlanJSON(brokenWriter{}, p),
		"Text.Runs": report.Text{}.Runs(brokenWriter{}, r), "Text.RunDetail": report.Text{}.RunDetail(brokenWriter{}, &r[0]),
		"RunsJSON": report.RunsJSON(brokenWriter{}, r), "RunsCSV": report.RunsCSV(brokenWriter{}, r, false), "RunsCSV for Excel": report.RunsCSV(brokenWriter{}, r, true),
	} {
		if err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

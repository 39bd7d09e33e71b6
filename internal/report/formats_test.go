package report_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"io"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"jstsync/diff"
	"jstsync/internal/report"
)

var printed = time.Date(2026, 11, 22, 18, 0, 0, 0, time.FixedZone("", 8*60*60))

// formats are the ways to render a plan that hold it to be read elsewhere.
func formats() map[string]func(io.Writer, *diff.Plan) error {
	return map[string]func(io.Writer, *diff.Plan) error{
		"json": report.PlanJSON,
		"md":   report.Markdown{}.Plan,
		"sql":  report.SQL{}.Plan,
		"html": func(w io.Writer, p *diff.Plan) error { return report.NewHTML(w, printed).Plan(p) },
	}
}

func render(t testing.TB, format string, p *diff.Plan) string {
	t.Helper()
	var b bytes.Buffer
	if err := formats()[format](&b, p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// full is a plan with everything that a report may have to show.
func full(t testing.TB) *diff.Plan {
	table := shops()
	for i, comment := range []string{"店铺编号", "店铺名称", "创建时间", "店铺网址", "分组|编号"} {
		table.Columns[i].Comment = comment
	}
	p := mixed(t)
	p.Table = table
	p.Changes.Add(diff.Change{Op: diff.Insert, Key: keyOf(t, 10400001), After: shop(10400001, "<script>alert(`1`)</script>|'\\", "-", hard[:len(hard)-1], 1)}, 1)
	p.Summary.Insert++
	p.Summary.Quarantined, p.Summary.Foreign, p.Summary.Kept = 2, 1, 4
	p.Scan = diff.ScanInfo{Pages: 13, Verdict: diff.Unstable, Note: "2 keys came twice, the first 10394540"}
	p.Withheld = diff.Withheld{Keys: []diff.Key{keyOf(t, 10394777)}, Reason: "the answer did not hold the control record 10394533, which the pages had shown"}
	p.Quarantine = []diff.Quarantined{
		{Key: "10394810", Reason: `member created: "2024-02-30" is not a date (column created DATETIME(3))`},
		{Reason: "unreadable key: member shop_id: \"\u202eabc\" is not an integer (column shop_id BIGINT)"},
	}
	return p
}

func keyOf(t testing.TB, id int64) diff.Key {
	t.Helper()
	key, err := diff.NewKey(diff.IntValue(id))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestFormats(t *testing.T) {
	empty := held(t)
	empty.Guard = diff.Guard{}.Check(1204, 0, 1204, 0)
	committed := mixed(t)
	committed.Status, committed.Run, committed.CommittedAt = diff.Committed, 13, printed
	for name, p := range map[string]*diff.Plan{
		"full": full(t), "held": held(t), "empty": empty, "unchanged": planOf(t, shops()), "committed": committed,
		"failed": { // before there was a table
			Pipeline: "shops", Status: diff.Failed, Scan: diff.ScanInfo{Verdict: diff.Partial}, Changes: diff.NewChangeSet(nil),
			Err: fmt.Errorf("page 3: %w", &diff.Error{Code: diff.CodeUnreachable, Message: "no answer from\n<openapi.jushuitan.com>", Remedy: "run it again; `nothing` is half-done"}),
		},
	} {
		for format := range formats() {
			t.Run(name+"."+format, func(t *testing.T) {
				golden(t, name+"."+format, []byte(render(t, format, p)))
			})
		}
	}
}

// A message that a chat cuts is no use: Markdown ends in time and says so, and
// some changes are seen even where there is a lot to remark.
func TestMarkdown_Bounded(t *testing.T) {
	p := full(t)
	for n := range 200 {
		p.Quarantine = append(p.Quarantine, diff.Quarantined{Key: fmt.Sprint(n), Reason: strings.Repeat("理由", 500)})
		one := shop(20000000+int64(n), strings.Repeat("e\u0301\u0302\u0303", 50), "-", family, 1)
		p.Changes.Add(diff.Change{Op: diff.Update, Key: keyOf(t, 20000000+int64(n)), Before: shop(20000000+int64(n), strings.Repeat("长", 900), "-", "-", 1), After: one}, 1)
	}
	for _, limit := range []int{0, 4096} {
		var b bytes.Buffer
		if err := (report.Markdown{MaxBytes: limit}).Plan(&b, p); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		if got, want := len(text), max(limit, 18_000*(1-min(limit, 1))); got > want {
			t.Errorf("got %d bytes, want at most %d", got, want)
		}
		listed := strings.Count(text, "- **update**") + strings.Count(text, "- **insert**") + strings.Count(text, "- **delete**")
		if want := fmt.Sprintf("- … and %d more\n", p.Changes.Len()-listed); !strings.HasSuffix(text, want) || listed == 0 {
			t.Errorf("of %d changes %d are listed, and it ends in %q", p.Changes.Len(), listed, text[len(text)-60:])
		}
	}
}

// Whatever is in a record, it stays inside its code and its line.
func TestMarkdown_Property(t *testing.T) {
	spans := regexp.MustCompile("`[^`]*`")
	texts := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.OneOf(
			rapid.SampledFrom([]string{"`", "``", "|", "<at id=all></at>", "<b>", "\n", "\n\n# ", "[x](https://e.example)", "**", "_", "\\", "\\`", " ", "@all", "- ", family, hard}),
			rapid.StringN(0, 20, -1),
		), 0, 12).Draw(t, "parts"), "")
	})
	rapid.Check(t, func(t *rapid.T) {
		table := shops()
		table.Columns[1].Comment = texts.Draw(t, "comment")
		p := &diff.Plan{Pipeline: texts.Draw(t, "pipeline"), Table: table, Status: diff.Held, Changes: diff.NewChangeSet(table.Names())}
		key, _ := table.KeyOf(shop(1, "", "", "", 1))
		p.Changes.Add(diff.Change{Op: diff.Update, Key: key, Before: shop(1, texts.Draw(t, "before"), "-", "-", 1), After: shop(1, texts.Draw(t, "after"), "-", "x", 1)}, 1)
		p.Guard = diff.GuardVerdict{Tripped: true, Kind: "update", Count: 1, Rows: 1}
		p.Withheld = diff.Withheld{Keys: []diff.Key{key}, Reason: texts.Draw(t, "reason")}
		p.Quarantine = []diff.Quarantined{{Key: texts.Draw(t, "key"), Reason: texts.Draw(t, "why")}}
		p.Err = errors.New(texts.Draw(t, "error"))
		var b bytes.Buffer
		if err := (report.Markdown{}).Plan(&b, p); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			bare := spans.ReplaceAllString(strings.TrimSuffix(line, "\n"), "")
			if strings.ContainsAny(line, "<|") || strings.ContainsAny(bare, "`[]\\@_") || strings.Count(bare, "**")%2 != 0 {
				t.Fatalf("got line %q", line)
			}
		}
	})
}

// The page's policy names the very style and script that it holds.
func TestHTML_Policy(t *testing.T) {
	text := render(t, "html", full(t))
	policy := html.UnescapeString(cut(t, text, `Content-Security-Policy" content="`, `"`))
	for kind, body := range map[string]string{
		"style-src":  cut(t, text, "<style>", "</style>"),
		"script-src": cut(t, text, `<script type="module">`, "</script>"),
	} {
		sum := sha256.Sum256([]byte(body))
		if want := kind + " 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(policy, want) {
			t.Errorf("got policy %s, want it to say %s", policy, want)
		}
	}
	if strings.Contains(policy, "unsafe") || !strings.HasPrefix(policy, "default-src 'none';") {
		t.Errorf("got policy %s", policy)
	}
}

func cut(t testing.TB, text, before, after string) string {
	t.Helper()
	_, text, ok := strings.Cut(text, before)
	text, _, ok2 := strings.Cut(text, after)
	if !ok || !ok2 {
		t.Fatalf("there is no %s … %s", before, after)
	}
	return text
}

// Whatever is in a record, the page has the elements it would have without, and
// nothing turns the writing direction of what is around it.
func TestHTML_Property(t *testing.T) {
	tags := regexp.MustCompile(`<(/?[a-zA-Z!][a-zA-Z0-9]*)`)
	texts := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.OneOf(
			rapid.SampledFrom([]string{"<script>", "</bdi>", "-->", `"`, "'", "&lt;", "<!--", "{{.}}", family, hard, "\u2066", "\x00"}), rapid.StringN(0, 10, -1),
		), 1, 8).Draw(t, "parts"), "")
	})
	rapid.Check(t, func(t *rapid.T) {
		text := texts.Draw(t, "text")
		row := func(s string) diff.Row { return shop(1, s, s, s, 1) }
		p := &diff.Plan{Pipeline: text, Table: shops(), Status: diff.Planned, Changes: diff.NewChangeSet(shops().Names())}
		p.Table.Columns[1].Comment = text
		key, _ := diff.NewKey(diff.TextValue(text))
		p.Changes.Add(diff.Change{Op: diff.Insert, Key: key, After: row(text)}, 1)
		p.Quarantine = []diff.Quarantined{{Key: text, Reason: text}}
		var b bytes.Buffer
		if err := report.NewHTML(&b, printed).Plan(p); err != nil {
			t.Fatal(err)
		}
		_, body, _ := strings.Cut(b.String(), "<body>")
		known := "main header p span bdi h1 strong dl div dt dd section h2 details summary form label input fieldset legend b output article h3 ins i em"
		for _, tag := range tags.FindAllStringSubmatch(body, -1) {
			if !strings.Contains(" "+known+" ", " "+strings.TrimPrefix(tag[1], "/")+" ") {
				t.Fatalf("got <%s in %s", tag[1], body)
			}
		}
		if at := strings.IndexFunc(body, func(r rune) bool {
			return r != '\n' && r < ' ' || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
		}); at >= 0 {
			t.Fatalf("%q is not escaped", body[at:min(len(body), at+20)])
		}
	})
}

func TestHTML_Marks(t *testing.T) {
	plain := regexp.MustCompile(`<(del|ins)><bdi>(.*?)</bdi>`)
	for _, tt := range []struct{ before, after, want string }{
		{"旧店铺", "新店铺", "<mark>旧</mark>店铺 → <mark>新</mark>店铺"},
		{"店铺", "店铺2", "店铺 → 店铺<mark>2</mark>"},
		{"aXbcdefYg", "aZbcdefWg", "a<mark>X</mark>bcdef<mark>Y</mark>g → a<mark>Z</mark>bcdef<mark>W</mark>g"},
		{"four a five", "xxxx a yyyy", "<mark>four a five</mark> → <mark>xxxx a yyyy</mark>"}, // agreement by chance
		{"aa", "aaa", "aa → aa<mark>a</mark>"},
		{family, "👨‍👩‍👧", "<mark>" + family + "</mark> → <mark>👨‍👩‍👧</mark>"}, // an emoji is one character
		{"e", "e\u0301", "<mark>e</mark> → <mark>e\u0301</mark>"},
		{"a\tb", "a b", "a<mark><i>\\t</i></mark>b → a<mark> </mark>b"},
		{strings.Repeat("a", 2000) + "x", strings.Repeat("b", 2000) + "x", "<mark>" + strings.Repeat("a", 2000) + "</mark>x → <mark>" + strings.Repeat("b", 2000) + "</mark>x"},
	} {
		page := render(t, "html", planOf(t, shops(), [2]diff.Row{shop(1, tt.before, "-", "-", 1), shop(1, tt.after, "-", "-", 1)}))
		found := plain.FindAllStringSubmatch(page, -1)
		if len(found) != 2 || found[0][2]+" → "+found[1][2] != tt.want {
			t.Errorf("%q to %q: got %q, want %q", tt.before, tt.after, found, tt.want)
		}
	}
}

// Without its marks, each side of a comparison is the value it stands for.
func TestHTML_MarksProperty(t *testing.T) {
	sides := regexp.MustCompile(`<(?:del|ins)><bdi>(.*?)</bdi>`)
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.StringOfN(rapid.SampledFrom([]rune("abc店铺\u0301👨\u200d👩")), 1, 60, -1)
		before, after := texts.Draw(t, "before"), texts.Draw(t, "after")
		if before == after {
			return
		}
		p := &diff.Plan{Table: shops(), Changes: diff.NewChangeSet(shops().Names())}
		key, _ := diff.NewKey(diff.IntValue(1))
		p.Changes.Add(diff.Change{Op: diff.Update, Key: key, Before: shop(1, before, "-", "-", 1), After: shop(1, after, "-", "-", 1)}, 1)
		var b bytes.Buffer
		if err := report.NewHTML(&b, printed).Plan(p); err != nil {
			t.Fatal(err)
		}
		found := sides.FindAllStringSubmatch(b.String(), -1)
		for i, want := range []string{before, after} {
			if got := strings.NewReplacer("<mark>", "", "</mark>", "").Replace(found[i][1]); got != want {
				t.Fatalf("%q to %q: got %q, want %q", before, after, got, want)
			}
		}
	})
}

// A plan of many changes is written as it is read: what a report allocates at
// once does not grow with it.
func TestFormats_Stream(t *testing.T) {
	for format, write := range formats() {
		t.Run(format, func(t *testing.T) {
			if few, many := peak(t, write, 500), peak(t, write, 20_000); many > few+4<<20 {
				t.Errorf("writing 20,000 changes held %d KiB, 500 held %d KiB", many>>10, few>>10)
			}
		})
	}
}

// peak returns how many bytes more than before were live at any of the points
// where a report of n changes was written out.
func peak(t *testing.T, write func(io.Writer, *diff.Plan) error, n int64) (bytes uint64) {
	var pairs [][2]diff.Row
	for id := range n {
		pairs = append(pairs, [2]diff.Row{nil, shop(id, "店铺", "2026-11-22 18:00:00.000", strings.Repeat("x", 200), 1)})
	}
	p := planOf(t, shops(), pairs...)
	live := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := live()
	written, next := int64(0), int64(0)
	err := write(writerFunc(func(b []byte) (int, error) {
		if written += int64(len(b)); written >= next {
			next = written + 1<<20
			bytes = max(bytes, live()-min(before, live()))
		}
		return len(b), nil
	}), p)
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

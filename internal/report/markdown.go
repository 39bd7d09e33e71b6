package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"strings"

	"jstsync/diff"
	"jstsync/internal/lang"
)

// Markdown renders plans for merge requests and chat groups. It keeps to what
// DingTalk, Feishu, WeCom and every Git host have in common: headings, bold,
// lists and code. There are no tables and no HTML, which the chats do not know.
//
// All that comes from a source stands in code, where nobody is mentioned,
// linked or set in italics by it; what could leave the code is escaped.
type Markdown struct {
	MaxBytes int // of one plan; 0 means 18,000, which a DingTalk message holds (WeCom holds 4,096)
	Lang     lang.Language
}

// The bounds of one value, in columns, and of the remarks together.
const (
	markdownBytes   = 18_000
	markdownColumns = 60
	markdownRemark  = 240
)

// Plan writes the plan, as much of it as there is room for.
func (m Markdown) Plan(out io.Writer, p *diff.Plan) error {
	room := m.MaxBytes
	if room == 0 {
		room = markdownBytes
	}
	b := bufio.NewWriter(out) // keeps its first error until Flush
	write := func(text string) {
		_, _ = b.WriteString(text)
		room -= len(text)
	}
	write(m.head(p))
	share := room * 3 / 4 // the remarks' part, so that some changes are always seen
	for _, r := range m.remarks(p) {
		if len(r) < share {
			share -= len(r)
			write(r + "\n")
		}
	}
	listed := 0
	for c, err := range p.Changes.All() {
		if err != nil {
			return err
		}
		item := m.change(p, &c)
		more := "- " + m.Lang.Sprintf("… and %s more", thousands(p.Changes.Len()-listed)) + "\n"
		if len(item)+len(more) > room {
			write(more)
			break
		}
		write(item)
		listed++
	}
	return b.Flush()
}

func (m Markdown) head(p *diff.Plan) string {
	s, l := p.Summary, m.Lang
	counts := append([]string{
		l.Sprintf("%s read in %s, %s scan", thousands(s.Read), plural(l, s.Pages, "page"), l.Text(string(p.Scan.Verdict))),
		l.Sprintf("%s unchanged", thousands(s.Unchanged)),
	}, otherCounts(l, p)...)
	return l.Sprintf("### jstsync %s: %s", code(p.Pipeline, markdownColumns), l.Text(string(p.Status))) + "\n\n" +
		l.Sprintf("**%s insert · %s update · %s delete**", thousands(s.Insert), thousands(s.Update), thousands(s.Delete)) + "\n\n" +
		strings.Join(counts, " · ") + "\n\n"
}

// remarks are the paragraphs and lists between the counts and the changes.
func (m Markdown) remarks(p *diff.Plan) []string {
	l := m.Lang
	var list []string
	say := func(format string, args ...any) { list = append(list, l.Sprintf(format, args...)+"\n") }
	if p.Err != nil {
		say("**Failed:** %s", code(l.Sentence(p.Err.Error()), markdownRemark))
		if e := describe(p.Err); e.Remedy != "" {
			say("What to do: %s", code(l.Sentence(e.Remedy), markdownRemark))
		}
	}
	if p.Scan.Verdict == diff.Unstable {
		say("**Unstable scan:** %s", code(l.Sentence(cmp.Or(p.Scan.Note, "rows moved between pages")), markdownRemark))
	}
	if p.Remapped {
		say("**Mapping changed:** %s", remapped(l, p))
	}
	if len(p.NewFields) > 0 {
		say("**New in the source, mapped to no column:** %s", code(strings.Join(p.NewFields, ", "), markdownRemark))
	}
	if p.Guard.Tripped {
		list = append(list, m.held(p)...)
	}
	if n := len(p.Withheld.Keys); n > 0 {
		say("**Withheld:** %s not made: %s", plural(l, n, "delete"), code(l.Sentence(p.Withheld.Reason), markdownRemark))
		list = append(list, m.keys("Keys: ", p.Withheld.Keys, n))
	}
	for _, r := range p.Rules {
		if r.OnFail == diff.Warn {
			say("**Warning:** %s", code(ruleTally(l, r), markdownRemark))
		}
	}
	if n := len(p.Quarantine); n > 0 {
		say("**Quarantined:** %s set aside; their rows stay as they are", plural(l, n, "record"))
		list = append(list, m.quarantined(p.Quarantine))
	}
	if p.Changes.Len() > 0 {
		say("**Changes**")
	}
	return list
}

// held says why a plan is held, and how it gets past the guard.
func (m Markdown) held(p *diff.Plan) []string {
	l := m.Lang
	list := []string{l.Sprintf("**Held:** %s.", GuardReason(l, p.Guard)) + "\n", m.keys("First keys: ", firstKeys(p), p.Guard.Count)}
	if p.Guard.Kind == "empty" {
		return append(list, l.Sprintf("%s.", GuardRemedy(l, p))+"\n")
	}
	return append(list, l.Text("If it is right:")+"\n\n"+
		"- "+code("jstsync plan "+p.Pipeline+" --out FILE", markdownRemark)+"\n"+
		"- "+l.Text("read it: `jstsync show FILE`")+"\n- `jstsync apply --override-guard FILE`\n")
}

// quarantined lists records that were set aside.
func (m Markdown) quarantined(list []diff.Quarantined) string {
	items := ""
	for i, q := range list {
		if i == remarkLimit {
			return items + "- " + m.Lang.Sprintf("… and %s more", thousands(len(list)-i)) + "\n"
		}
		items += "- " + code(cmp.Or(q.Key, m.Lang.Text("(no key)")), markdownColumns) + " " + code(m.Lang.Sentence(q.Reason), markdownRemark) + "\n"
	}
	return items
}

// keys names the first keys of so many.
func (m Markdown) keys(label string, keys []diff.Key, of int) string {
	names := make([]string, min(len(keys), remarkLimit))
	for i := range names {
		names[i] = code(keys[i].String(), markdownColumns)
	}
	list := m.Lang.Text(label) + strings.Join(names, ", ")
	if more := of - len(names); more > 0 {
		list += " " + m.Lang.Sprintf("… and %s more", thousands(more))
	}
	return list + "\n"
}

func (m Markdown) change(p *diff.Plan, c *diff.Change) string {
	row := c.After
	if c.Op == diff.Delete {
		row = c.Before
	}
	var b strings.Builder
	fmt.Fprintf(&b, "- **%s** %s", m.Lang.Text(c.Op.String()), code(c.Key.String(), markdownColumns))
	if label := labelColumn(p.Table); label >= 0 && row[label].Text() != "" {
		b.WriteString(" " + code(row[label].Text(), markdownColumns))
	}
	b.WriteString("\n")
	for _, f := range c.Fields() {
		before, after := elidePair(display(f.Before), display(f.After), markdownColumns)
		first, second := inOrder(m.Lang, &p.Table.Columns[f.Column])
		fmt.Fprintf(&b, "  - %s", code(first, markdownColumns))
		if second != "" {
			b.WriteString(" " + code(second, markdownColumns))
		}
		fmt.Fprintf(&b, ": %s → %s\n", span(before), span(after))
	}
	return b.String()
}

// code sets a source's text as code, in at most so many columns.
func code(s string, columns int) string { return span(elide(plain(s), columns)) }

// span sets a printable text as code. A backtick would end it, and a chat takes
// an angle bracket for the beginning of its own markup wherever it stands.
func span(s string) string {
	s = strings.NewReplacer("`", `\u0060`, "<", `\u003c`, "|", `\u007c`).Replace(s)
	if s == "" || strings.Trim(s, " ") != s {
		s = `"` + s + `"` // blanks at the ends are not kept
	}
	return "`" + s + "`"
}

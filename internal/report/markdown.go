package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"strings"

	"jstsync/diff"
)

// Markdown renders plans for merge requests and chat groups. It keeps to what
// DingTalk, Feishu, WeCom and every Git host have in common: headings, bold,
// lists and code. There are no tables and no HTML, which the chats do not know.
//
// All that comes from a source stands in code, where nobody is mentioned,
// linked or set in italics by it; what could leave the code is escaped.
type Markdown struct {
	MaxBytes int // of one plan; 0 means 18,000, which a DingTalk message holds (WeCom holds 4,096)
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
	write(markdownHead(p))
	share := room * 3 / 4 // the remarks' part, so that some changes are always seen
	for _, r := range markdownRemarks(p) {
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
		item := markdownChange(p, &c)
		more := fmt.Sprintf("- … and %s more\n", thousands(p.Changes.Len()-listed))
		if len(item)+len(more) > room {
			write(more)
			break
		}
		write(item)
		listed++
	}
	return b.Flush()
}

func markdownHead(p *diff.Plan) string {
	var b strings.Builder
	s := p.Summary
	fmt.Fprintf(&b, "### jstsync %s: %s\n\n", code(p.Pipeline, markdownColumns), p.Status)
	fmt.Fprintf(&b, "**%s insert · %s update · %s delete**\n\n", thousands(s.Insert), thousands(s.Update), thousands(s.Delete))
	fmt.Fprintf(&b, "%s read in %s, %s scan · %s unchanged", thousands(s.Read), plural(s.Pages, "page"), p.Scan.Verdict, thousands(s.Unchanged))
	for _, n := range []struct {
		n    int
		what string
	}{{s.Kept, "kept"}, {s.Foreign, "foreign"}, {s.Quarantined, "quarantined"}, {len(p.Withheld.Keys), "withheld"}} {
		if n.n > 0 {
			fmt.Fprintf(&b, " · %s %s", thousands(n.n), n.what)
		}
	}
	return b.String() + "\n\n"
}

// markdownRemarks are the paragraphs and lists between the counts and the
// changes.
func markdownRemarks(p *diff.Plan) []string {
	var list []string
	if p.Err != nil {
		e := describe(p.Err)
		list = append(list, "**Failed:** "+code(p.Err.Error(), markdownRemark)+"\n")
		if e.Remedy != "" {
			list = append(list, "What to do: "+code(e.Remedy, markdownRemark)+"\n")
		}
	}
	if p.Scan.Verdict == diff.Unstable {
		list = append(list, "**Unstable scan:** "+code(cmp.Or(p.Scan.Note, "rows moved between pages"), markdownRemark)+"\n")
	}
	if p.Remapped {
		list = append(list, "**Mapping changed:** "+remapped(p)+"\n")
	}
	if len(p.NewFields) > 0 {
		list = append(list, "**New in the source, mapped to no column:** "+code(strings.Join(p.NewFields, ", "), markdownRemark)+"\n")
	}
	if p.Guard.Tripped {
		list = append(list, "**Held:** "+GuardReason(p.Guard)+".\n", markdownKeys("First keys: ", firstKeys(p), p.Guard.Count))
		if p.Guard.Kind == "empty" {
			list = append(list, GuardRemedy(p)+".\n")
		} else {
			list = append(list, "If it is right:\n\n"+
				"- "+code("jstsync plan "+p.Pipeline+" --out FILE", markdownRemark)+"\n"+
				"- read it: `jstsync show FILE`\n- `jstsync apply --override-guard FILE`\n")
		}
	}
	if n := len(p.Withheld.Keys); n > 0 {
		list = append(list, fmt.Sprintf("**Withheld:** %s not made: %s\n", plural(n, "delete"), code(p.Withheld.Reason, markdownRemark)),
			markdownKeys("Keys: ", p.Withheld.Keys, n))
	}
	for _, r := range p.Rules {
		if r.OnFail == diff.Warn {
			list = append(list, "**Warning:** "+code(ruleTally(r), markdownRemark)+"\n")
		}
	}
	if n := len(p.Quarantine); n > 0 {
		list = append(list, fmt.Sprintf("**Quarantined:** %s set aside; their rows stay as they are\n", plural(n, "record")))
		items := ""
		for i, q := range p.Quarantine {
			if i == remarkLimit {
				items += fmt.Sprintf("- … and %s more\n", thousands(n-i))
				break
			}
			items += "- " + code(cmp.Or(q.Key, "(no key)"), markdownColumns) + " " + code(q.Reason, markdownRemark) + "\n"
		}
		list = append(list, items)
	}
	if p.Changes.Len() > 0 {
		list = append(list, "**Changes**\n")
	}
	return list
}

// markdownKeys names the first keys of so many.
func markdownKeys(label string, keys []diff.Key, of int) string {
	names := make([]string, min(len(keys), remarkLimit))
	for i := range names {
		names[i] = code(keys[i].String(), markdownColumns)
	}
	list := label + strings.Join(names, ", ")
	if more := of - len(names); more > 0 {
		list += " … and " + thousands(more) + " more"
	}
	return list + "\n"
}

func markdownChange(p *diff.Plan, c *diff.Change) string {
	row := c.After
	if c.Op == diff.Delete {
		row = c.Before
	}
	var b strings.Builder
	fmt.Fprintf(&b, "- **%s** %s", c.Op, code(c.Key.String(), markdownColumns))
	if label := labelColumn(p.Table); label >= 0 && row[label].Text() != "" {
		b.WriteString(" " + code(row[label].Text(), markdownColumns))
	}
	b.WriteString("\n")
	for _, f := range c.Fields() {
		before, after := elidePair(display(f.Before), display(f.After), markdownColumns)
		column := p.Table.Columns[f.Column]
		fmt.Fprintf(&b, "  - %s", code(column.Name, markdownColumns))
		if column.Comment != "" {
			b.WriteString(" " + code(column.Comment, markdownColumns))
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

package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"jstsync/diff"
)

// Text renders for people.
type Text struct {
	Width int  // columns; 80 when it is less
	Color bool // ANSI colours
	Limit int  // changes listed of one plan; 0 means 20
}

const (
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	red    = "\x1b[31m"
	reset  = "\x1b[0m"
)

func (t Text) paint(color, s string) string {
	if !t.Color {
		return s
	}
	return color + s + reset
}

func (t Text) width() int { return max(t.Width, 80) }

// Plan writes the plan, or the run it became. A failed one writes nothing: its
// error goes elsewhere.
func (t Text) Plan(out io.Writer, p *diff.Plan) error {
	if p.Status == diff.Failed {
		return nil
	}
	var b strings.Builder
	t.summary(&b, p)
	if err := t.changes(&b, p); err != nil {
		return err
	}
	t.remarks(&b, p)
	_, err := io.WriteString(out, b.String())
	return err
}

func (t Text) summary(b *strings.Builder, p *diff.Plan) {
	s := p.Summary
	parts := []string{fmt.Sprintf("%s  %s read in %s", elide(plain(p.Pipeline), 40), thousands(s.Read), plural(s.Pages, "page"))}
	count := func(n int, what string) {
		if n > 0 {
			parts = append(parts, thousands(n)+" "+what)
		}
	}
	if p.Changes.Len() == 0 {
		parts = append(parts, "unchanged")
	} else {
		for _, n := range []struct {
			n    int
			what string
		}{{s.Insert, "insert"}, {s.Update, "update"}, {s.Delete, "delete"}, {s.Unchanged, "unchanged"}} {
			parts = append(parts, thousands(n.n)+" "+n.what)
		}
	}
	count(s.Kept, "kept")
	count(s.Foreign, "foreign")
	count(s.Quarantined, "quarantined")
	count(len(p.Withheld.Keys), "withheld")
	column := 0
	for i, part := range parts {
		switch w := width(part) + 3; {
		case i > 0 && column+w > t.width():
			b.WriteString("\n  · ")
			column = 1 + w
		case i > 0:
			b.WriteString(" · ")
			column += w
		default:
			column = width(part)
		}
		b.WriteString(part)
	}
	b.WriteString("\n")
}

func (t Text) changes(b *strings.Builder, p *diff.Plan) error {
	limit := t.Limit
	if limit == 0 {
		limit = 20
	}
	label := labelColumn(p.Table)
	listed := 0
	for c, err := range p.Changes.All() {
		if err != nil {
			return err
		}
		if listed == limit {
			fmt.Fprintf(b, "  … and %s more\n", thousands(p.Changes.Len()-listed))
			return nil
		}
		t.change(b, &c, p.Changes.Columns(), label)
		listed++
	}
	return nil
}

// labelColumn returns the first text column outside the key, which people
// know a record by, or -1.
func labelColumn(table *diff.Table) int {
	for i := range table.Columns {
		if table.Columns[i].Type.Base == diff.VarChar && !slices.Contains(table.Key, i) {
			return i
		}
	}
	return -1
}

func (t Text) change(b *strings.Builder, c *diff.Change, columns []string, label int) {
	mark, color, row := "+", green, c.After
	switch c.Op {
	case diff.Update:
		mark, color = "~", yellow
	case diff.Delete:
		mark, color, row = "-", red, c.Before
	}
	line := mark + " " + plain(c.Key.String())
	if label >= 0 && !row[label].IsNull() {
		line += "  " + plain(row[label].Text())
	}
	b.WriteString("  " + t.paint(color, elide(line, t.width()-2)) + "\n")
	fields := c.Fields()
	names := 0
	for _, f := range fields {
		names = min(max(names, width(columns[f.Column])), t.width()/3)
	}
	for _, f := range fields {
		room := (t.width() - 6 - names - 2 - 3) / 2
		fmt.Fprintf(b, "      %s  %s → %s\n", pad(elide(columns[f.Column], names), names),
			elide(display(f.Before), room), elide(display(f.After), room))
	}
}

// display shows a value: NULL, digits, or the text in quotes.
func display(v diff.Value) string {
	if v.Kind() == diff.Text {
		return quote(v.Text())
	}
	return v.String()
}

func (t Text) remarks(b *strings.Builder, p *diff.Plan) {
	if p.Remapped {
		t.remark(b, yellow, "mapping changed:", fmt.Sprintf("every row was compared by value; %s differ", thousands(p.Summary.Update)))
	}
	if len(p.NewFields) > 0 {
		t.remark(b, yellow, "new in the source, mapped to no column:", plain(strings.Join(p.NewFields, ", ")))
	}
	if p.Guard.Tripped && p.Status == diff.Committed {
		t.remark(b, yellow, "guard overridden:", strings.TrimSuffix(GuardReason(p.Guard), "; nothing was written"))
	} else if p.Guard.Tripped {
		t.remark(b, red, "held:", GuardReason(p.Guard))
		keys := firstKeys(p, 10)
		names := make([]string, len(keys))
		for i, k := range keys {
			names[i] = plain(k.String())
		}
		if len(names) > 0 {
			text := wrap("first keys: "+strings.Join(names, ", "), t.width()-8)
			b.WriteString("        " + strings.Join(text, "\n        ") + "\n")
		}
	}
	if n := len(p.Withheld.Keys); n > 0 {
		t.remark(b, yellow, "withheld:", fmt.Sprintf("%s not made: %s", plural(n, "delete"), plain(p.Withheld.Reason)))
	}
	for i, q := range p.Quarantine {
		if i == 10 {
			fmt.Fprintf(b, "  … and %s more quarantined\n", thousands(len(p.Quarantine)-i))
			break
		}
		t.remark(b, yellow, "quarantined:", setAside(q))
	}
}

// remark writes a coloured label and a text, in as many lines as it takes.
func (t Text) remark(b *strings.Builder, color, label, text string) {
	lines := wrap(label+" "+text, t.width()-8)
	lines[0] = t.paint(color, label) + strings.TrimPrefix(lines[0], label)
	b.WriteString("  " + strings.Join(lines, "\n        ") + "\n")
}

// setAside says which record was quarantined and why.
func setAside(q diff.Quarantined) string {
	return plain(cmp.Or(q.Key, "(no key)") + "  " + q.Reason)
}

// GuardReason says in a sentence why the guard tripped.
func GuardReason(g diff.GuardVerdict) string {
	if g.Kind == "empty" {
		return fmt.Sprintf("the source answered no records, the snapshot holds %s; nothing was written", thousands(g.Rows))
	}
	return fmt.Sprintf("%s of %s rows to %s is over the limit of %d and of %s %%; nothing was written",
		thousands(g.Count), thousands(g.Rows), g.Kind, g.Limit, strconv.FormatFloat(g.Percent, 'f', -1, 64))
}

// thousands writes a count with its thousands apart.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return thousands(n) + " " + what + "s"
}

package report

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"time"

	"jstsync/diff"
	"jstsync/internal/lang"
)

// Text renders for people.
type Text struct {
	Width int            // columns, at least 80; negative for lines as long as they need
	Color bool           // ANSI colours
	Limit int            // changes listed of one plan; 0 means 20
	Zone  *time.Location // of times; nil is UTC
	Lang  lang.Language
}

// moment writes a time, or nothing for none.
func (t Text) moment(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	zone := t.Zone
	if zone == nil {
		zone = time.UTC
	}
	return at.In(zone).Format("2006-01-02 15:04:05 MST")
}

// endless is the width of lines that nothing cuts.
const endless = 1 << 30

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

func (t Text) width() int {
	if t.Width < 0 {
		return endless
	}
	return max(t.Width, 80)
}

// Plan writes the plan, or the run it became. A failed one writes nothing: its
// error goes elsewhere.
func (t Text) Plan(out io.Writer, p *diff.Plan) error {
	if p.Status == diff.Failed {
		return nil
	}
	b := bufio.NewWriter(out) // keeps its first error until Flush
	t.summary(b, p)
	if err := t.changes(b, p); err != nil {
		return err
	}
	t.remarks(b, p)
	return b.Flush()
}

func (t Text) summary(b *bufio.Writer, p *diff.Plan) {
	column := 0
	for i, part := range append([]string{readCount(t.Lang, p)}, changeCounts(t.Lang, p)...) {
		switch w := width(part) + 3; {
		case i > 0 && column+w > t.width():
			_, _ = b.WriteString("\n  · ")
			column = 1 + w
		case i > 0:
			_, _ = b.WriteString(" · ")
			column += w
		default:
			column = width(part)
		}
		_, _ = b.WriteString(part)
	}
	_, _ = b.WriteString("\n")
}

// readCount says what was read.
func readCount(l lang.Language, p *diff.Plan) string {
	return l.Sprintf("%s  %s read in %s", elide(plain(p.Pipeline), 40), thousands(p.Summary.Read), plural(l, p.Summary.Pages, "page"))
}

// changeCounts says what became of it: each kind of change, and what else there
// is any of.
func changeCounts(l lang.Language, p *diff.Plan) []string {
	s := p.Summary
	parts := []string{l.Text("unchanged")}
	switch {
	case p.Status == diff.Failed:
		return []string{l.Text("failed")}
	case p.Changes.Len() > 0:
		parts = []string{
			l.Sprintf("%s insert", thousands(s.Insert)), l.Sprintf("%s update", thousands(s.Update)),
			l.Sprintf("%s delete", thousands(s.Delete)), l.Sprintf("%s unchanged", thousands(s.Unchanged)),
		}
	}
	return append(parts, otherCounts(l, p)...)
}

// otherCounts says what else there is any of.
func otherCounts(l lang.Language, p *diff.Plan) []string {
	var parts []string
	count := func(n int, format string) {
		if n > 0 {
			parts = append(parts, l.Sprintf(format, thousands(n)))
		}
	}
	count(p.Summary.Kept, "%s kept")
	count(p.Summary.Foreign, "%s foreign")
	count(p.Summary.Quarantined, "%s quarantined")
	count(len(p.Withheld.Keys), "%s withheld")
	return parts
}

func (t Text) changes(b *bufio.Writer, p *diff.Plan) error {
	limit := t.Limit
	if limit == 0 {
		limit = 20
	}
	label, names := labelColumn(p.Table), captions(t.Lang, p.Changes.Columns(), p.Table)
	listed := 0
	for c, err := range p.Changes.All() {
		if err != nil {
			return err
		}
		if listed == limit {
			fmt.Fprintf(b, "  %s\n", t.Lang.Sprintf("… and %s more", thousands(p.Changes.Len()-listed)))
			return nil
		}
		t.change(b, &c, names, label)
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

// change writes one change; its fields are called by their captions.
func (t Text) change(b *bufio.Writer, c *diff.Change, captions []string, label int) {
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
	fmt.Fprintf(b, "  %s\n", t.paint(color, elide(line, t.width()-2)))
	fields := c.Fields()
	names := 0
	for _, f := range fields {
		names = min(max(names, width(captions[f.Column])), t.captionRoom())
	}
	for _, f := range fields {
		room := (t.width() - 6 - names - 2 - 3) / 2
		before, after := elidePair(display(f.Before), display(f.After), room)
		fmt.Fprintf(b, "      %s  %s → %s\n", pad(elide(captions[f.Column], names), names), before, after)
	}
}

// display shows a value: NULL, digits, or the text in quotes.
func display(v diff.Value) string {
	if v.Kind() == diff.Text {
		return quote(v.Text())
	}
	return v.String()
}

package console

import (
	"slices"
	"unicode/utf8"

	"jstsync/diff"
)

// valueRunes is how much of a value is shown in a list.
const valueRunes = 4000

// change is what happened to a record, as it is shown.
type change struct {
	Op       string // insert, update, delete, rebuild or trimmed
	Pipeline string
	Key      string
	KeyText  []Piece
	Label    []Piece
	Run      uint64
	At       moment
	Fields   []field
	Nulls    []string // columns of a whole row that hold nothing
}

// Class is the letter that stands for the operation.
func (c change) Class() string { return c.Op[:1] }

// field is an update's two values of a column, or the only one.
type field struct {
	Name, Comment string
	Before, After *value
	Only          *value
}

// value is a value, or a word that stands for one.
type value struct {
	Null, Empty bool
	Pieces      []Piece
	More        int // characters that are not shown
}

// writer shows the changes of a pipeline's table.
type writer struct {
	Writing
	page     *page
	pipeline *Pipeline
}

func (c *Console) writer(p *page, pl *Pipeline) writer { return writer{c.o.Writing, p, pl} }

// comment returns what the table says of a column.
func (w writer) comment(column string) string {
	if w.pipeline.Table == nil {
		return ""
	}
	for i := range w.pipeline.Table.Columns {
		if c := &w.pipeline.Table.Columns[i]; c.Name == column {
			return c.Comment
		}
	}
	return ""
}

// labelOf returns the value that a person knows the record by: that of the first
// text column outside the key.
func labelOf(table *diff.Table, columns []string, row diff.Row) string {
	if table == nil {
		return ""
	}
	for i := range table.Columns {
		if table.Columns[i].Type.Base != diff.VarChar || slices.Contains(table.Key, i) {
			continue
		}
		at := slices.Index(columns, table.Columns[i].Name)
		if at < 0 || at >= len(row) {
			return ""
		}
		text, _ := cut(row[at].Text())
		return text
	}
	return ""
}

// version shows what a run did to a record.
func (w writer) version(v *diff.Version) change {
	c := w.change(v.Commit.Columns, &v.Change)
	c.Run, c.At = v.Commit.Run, w.page.at(v.Commit.At)
	switch {
	case v.Commit.Trimmed:
		c.Op = "trimmed"
	case v.Commit.Kind == diff.KindRebuild:
		c.Op = diff.KindRebuild
	}
	return c
}

func (w writer) change(columns []string, d *diff.Change) change {
	row := d.After
	if d.Op == diff.Delete {
		row = d.Before
	}
	key := d.Key.String()
	c := change{Op: d.Op.String(), Pipeline: w.pipeline.Name, Key: key, KeyText: w.Shown(key)}
	if label := labelOf(w.pipeline.Table, columns, row); label != "" {
		c.Label = w.Shown(label)
	}
	if d.Op == diff.Update {
		for _, f := range d.Fields() {
			name := nameOf(columns, f.Column)
			old, now := w.pair(f.Before, f.After)
			c.Fields = append(c.Fields, field{Name: name, Comment: w.comment(name), Before: old, After: now})
		}
		return c
	}
	c.Fields, c.Nulls = w.row(columns, row)
	return c
}

// row shows the values of a row, and names the columns that hold nothing.
func (w writer) row(columns []string, row diff.Row) (fields []field, nulls []string) {
	for i, v := range row {
		name := nameOf(columns, i)
		if v.IsNull() {
			nulls = append(nulls, name)
			continue
		}
		fields = append(fields, field{Name: name, Comment: w.comment(name), Only: w.value(v)})
	}
	return fields, nulls
}

func nameOf(columns []string, i int) string {
	if i < len(columns) {
		return columns[i]
	}
	return "?"
}

// value shows one value.
func (w writer) value(v diff.Value) *value {
	if is := wordOf(v); is != nil {
		return is
	}
	text, more := cut(v.String())
	return &value{Pieces: w.Shown(text), More: more}
}

// pair shows two values with their differences marked.
func (w writer) pair(before, after diff.Value) (old, now *value) {
	if wordOf(before) != nil || wordOf(after) != nil {
		return w.value(before), w.value(after)
	}
	x, moreX := cut(before.String())
	y, moreY := cut(after.String())
	one, two := w.Compared(x, y)
	return &value{Pieces: one, More: moreX}, &value{Pieces: two, More: moreY}
}

// wordOf is what stands for a value of which there is nothing to see.
func wordOf(v diff.Value) *value {
	switch {
	case v.IsNull():
		return &value{Null: true}
	case v.Kind() == diff.Text && v.Text() == "":
		return &value{Empty: true}
	default:
		return nil
	}
}

// cut bounds a text, and says how many characters it had beyond that.
func cut(text string) (head string, more int) {
	if len(text) <= valueRunes {
		return text, 0
	}
	n := 0
	for i := range text {
		if n == valueRunes {
			return text[:i], utf8.RuneCountInString(text[i:])
		}
		n++
	}
	return text, 0
}

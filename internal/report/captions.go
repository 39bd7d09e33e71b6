package report

import (
	"jstsync/diff"
	"jstsync/internal/lang"
)

// caption is what a field is called: its name, and in Chinese what its column's
// comment calls it with the name behind, by which it is found everywhere else.
func caption(l lang.Language, c *diff.Column) string {
	if l != lang.Chinese || c.Comment == "" || c.Comment == c.Name {
		return c.Name
	}
	return plain(c.Comment) + " (" + c.Name + ")"
}

// captions returns what columns are called. The table tells their comments; one
// that it does not have, or that has none, is called by its name.
func captions(l lang.Language, columns []string, table *diff.Table) []string {
	if l != lang.Chinese || table == nil {
		return columns
	}
	called := make(map[string]string, len(table.Columns))
	for i := range table.Columns {
		called[table.Columns[i].Name] = caption(l, &table.Columns[i])
	}
	names := make([]string, len(columns))
	for i, name := range columns {
		if names[i] = called[name]; names[i] == "" {
			names[i] = name
		}
	}
	return names
}

// captionRoom is how many columns a caption takes at most.
func (t Text) captionRoom() int {
	if t.Lang == lang.Chinese { // there is a comment in it
		return t.width() / 2
	}
	return t.width() / 3
}

// inOrder returns a column's name and comment, the one first that heads it.
func inOrder(l lang.Language, c *diff.Column) (first, second string) {
	if l == lang.Chinese && c.Comment != "" {
		return plain(c.Comment), plain(c.Name)
	}
	return plain(c.Name), plain(c.Comment)
}

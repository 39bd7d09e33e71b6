package diff

import (
	"fmt"
	"strconv"
	"strings"
)

// Column is one mapped column of a target table.
type Column struct {
	Name    string
	Type    Type
	NotNull bool
	Comment string
	Default *string // what a missing or null member becomes, as it was given; nil is none
}

// Table is the part of a target table that a pipeline writes: its mapped
// columns and the positions of the key among them.
type Table struct {
	Name    string
	Columns []Column
	Key     []int
}

// Names returns the column names in order.
func (t *Table) Names() []string {
	names := make([]string, len(t.Columns))
	for i := range t.Columns {
		names[i] = t.Columns[i].Name
	}
	return names
}

// KeyOf returns the key of a row of this table.
func (t *Table) KeyOf(row Row) (Key, error) {
	parts := make([]Value, len(t.Key))
	for i, col := range t.Key {
		parts[i] = row[col]
	}
	return NewKey(parts...)
}

// KeyKinds returns the kinds of the key's parts, as [ParseKey] takes them.
func (t *Table) KeyKinds() []Kind {
	kinds := make([]Kind, len(t.Key))
	for i, col := range t.Key {
		kinds[i] = t.Columns[col].Type.Kind()
	}
	return kinds
}

// Shape returns a text that differs whenever two tables would store a row
// differently: part of the fingerprint under which hashes are comparable.
func (t *Table) Shape() string {
	var b strings.Builder
	for i := range t.Columns {
		c := &t.Columns[i]
		fmt.Fprintf(&b, "%q %s %t\n", c.Name, c.Type, c.NotNull)
	}
	for _, k := range t.Key {
		b.WriteString(" key " + strconv.Itoa(k))
	}
	return b.String()
}

// Package mapping turns source records into typed rows: which member goes into
// which column, as which type.
//
// [Mapper] is made once from [Column] specifications and is safe for
// concurrent use. A value is brought to exactly what its column stores, the
// fraction of a second included, before anybody hashes or compares it, so that
// a row read back from the server equals the row that was sent.
//
// Guarantees: nothing is rounded, shifted between time zones or cut short in
// silence; a value that its column cannot hold is an error naming field, value
// and column.
package mapping

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"jstsync/diff"
)

// Column says where a target column's value comes from.
type Column struct {
	diff.Column
	From string // the source member

	// DateOrNull makes NULL of a text that is no date, instead of an error.
	DateOrNull bool
}

// Mapper maps the records of one resource to rows of one table.
type Mapper struct {
	table   *diff.Table
	columns []Column
	members map[string]bool
}

// New returns a mapper into the named table. key lists the source members that
// identify a record, at least one; each must be mapped to a column.
func New(table string, columns []Column, key []string) (*Mapper, error) {
	if len(key) == 0 {
		return nil, fmt.Errorf("key of table %s: no member is named", table)
	}
	m := &Mapper{table: &diff.Table{Name: table}, columns: columns, members: map[string]bool{}}
	for i := range columns {
		m.table.Columns = append(m.table.Columns, columns[i].Column)
		m.members[columns[i].From] = true
	}
	for _, member := range key {
		i := slices.IndexFunc(columns, func(c Column) bool { return c.From == member })
		if i < 0 {
			return nil, fmt.Errorf("key %s: no column is mapped from it", member)
		}
		m.table.Key = append(m.table.Key, i)
	}
	return m, nil
}

// Table returns the shape of the rows.
func (m *Mapper) Table() *diff.Table { return m.table }

// Fingerprint identifies the mapping and the definition of the hash: source
// hashes made under different fingerprints say nothing about each other.
func (m *Mapper) Fingerprint() string {
	var b strings.Builder
	fmt.Fprintf(&b, "hash %d\n%s\n", diff.HashVersion, m.table.Shape())
	for i := range m.columns {
		fmt.Fprintf(&b, "%q %t\n", m.columns[i].From, m.columns[i].DateOrNull)
	}
	return fmt.Sprintf("%x", sha256.Sum256([]byte(b.String())))[:32]
}

// Hash returns the record's source hash over its mapped members.
func (m *Mapper) Hash(r *diff.Record) diff.SourceHash {
	var h diff.SourceHash
	for i := range r.Members {
		if m.members[r.Members[i].Name] {
			h = h.Add(r.Members[i].Name, r.Members[i].Raw)
		}
	}
	return h
}

// Key returns the record's key. The error wraps [diff.ErrKey].
func (m *Mapper) Key(r *diff.Record) (diff.Key, error) {
	parts := make([]diff.Value, len(m.table.Key))
	for i, col := range m.table.Key {
		c := &m.columns[col]
		v, err := c.value(r.Member(c.From))
		if err == nil && r.Err != nil && r.Count(c.From) > 1 {
			err = fmt.Errorf("member %s came more than once", c.From)
		}
		if err != nil {
			return "", fmt.Errorf("%w: %w", diff.ErrKey, err)
		}
		parts[i] = v
	}
	key, err := diff.NewKey(parts...)
	if err != nil {
		return "", fmt.Errorf("member %s: %w", m.columns[m.table.Key[0]].From, err)
	}
	return key, nil
}

// Row returns the record's row, or why it cannot be stored exactly.
func (m *Mapper) Row(r *diff.Record) (diff.Row, error) {
	if r.Err != nil {
		return nil, r.Err
	}
	row := make(diff.Row, len(m.columns))
	for i := range m.columns {
		c := &m.columns[i]
		v, err := c.value(r.Member(c.From))
		if err != nil {
			return nil, err
		}
		row[i] = v
	}
	return row, nil
}

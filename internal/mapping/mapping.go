// Package mapping turns source records into typed rows: which member, or what
// expression over the record, goes into which column, cleaned how and as which
// type.
//
// [Compile] makes [Column]s of what people write ([Spec]) and finds their
// mistakes. [Mapper] is made once from columns and is safe for concurrent use.
// A value is brought to exactly what its column stores, the fraction of a
// second, the scale of a decimal and the spelling of JSON included, before
// anybody hashes or compares it, so that a row read back from the server equals
// the row that was sent.
//
// Guarantees: nothing is rounded, shifted between time zones or cut short in
// silence, but for a second's fraction that a DATETIME has no digits for; a
// value that its column cannot hold is an error naming field, value and column.
// The same record gives the same row, always. Blanks at the end of a text stay;
// that a collation may compare without them is the target's matter.
package mapping

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"jstsync/diff"
)

// Column says where a target column's value comes from. The value is cleaned,
// then brought to the column's type; NULL then becomes the default, when there
// is one.
type Column struct {
	diff.Column
	From  string // the source member
	Expr  *Expr  // instead of From, when it is not nil
	Clean []Step // in this order

	// DateOrNull makes NULL of a text that is no date, instead of an error.
	DateOrNull bool
}

// Mapper maps the records of one resource to rows of one table.
type Mapper struct {
	table    *diff.Table
	columns  []Column
	defaults []diff.Value // NULL where there is none
	rules    []*Rule
	uniques  []diff.UniqueRule
	members  map[string]bool
	id       int // the column that holds the record's id, or -1

	places []atomic.Int32 // by column, where its member stood in the record before
}

// New returns a mapper into the named table. key lists the source members that
// identify a record, at least one; each must be mapped to a column, as it is.
// What the rules read counts as mapped: a record is looked at again when it
// changes. Whether they hold is for the caller to ask; what a unique rule
// compares must be mapped to a column.
func New(table string, columns []Column, key []string, rules ...*Rule) (*Mapper, error) {
	if len(key) == 0 {
		return nil, fmt.Errorf("key of table %s: no member is named", table)
	}
	m := &Mapper{
		table: &diff.Table{Name: table}, columns: slices.Clone(columns), defaults: make([]diff.Value, len(columns)),
		rules: slices.Clone(rules), members: map[string]bool{}, id: -1,
		places: make([]atomic.Int32, len(columns)),
	}
	for i := range m.columns {
		c := &m.columns[i]
		c.Clean = slices.Clone(c.Clean)
		var err error
		if m.defaults[i], err = c.fallback(); err != nil {
			return nil, fmt.Errorf("column %s: default: %w", c.Name, err)
		}
		m.table.Columns = append(m.table.Columns, c.Column)
		if c.Expr == nil {
			m.members[c.From] = true
		} else {
			m.read(c.Expr)
		}
	}
	if err := m.judgeBy(rules); err != nil {
		return nil, err
	}
	if err := m.identify(key); err != nil {
		return nil, err
	}
	m.id = slices.IndexFunc(m.columns, Column.holdsID)
	return m, nil
}

func (m *Mapper) read(e *Expr) {
	for _, member := range e.members {
		m.members[member] = true
	}
}

// judgeBy takes up the rules.
func (m *Mapper) judgeBy(rules []*Rule) error {
	for _, r := range rules {
		if errs := CheckUnique(m.columns, r); errs != nil {
			return errors.Join(errs...)
		}
		for _, member := range r.members {
			m.members[member] = true
		}
		if len(r.unique) == 0 {
			continue
		}
		u := diff.UniqueRule{Rule: r.Name, OnFail: r.OnFail}
		for _, member := range r.unique {
			u.Columns = append(u.Columns, columnOf(m.columns, member))
		}
		m.uniques = append(m.uniques, u)
	}
	return nil
}

// Broken returns the rules that the record breaks. Rules that compare rows are
// [Mapper.Uniques].
func (m *Mapper) Broken(r *diff.Record) []diff.BrokenRule {
	var broken []diff.BrokenRule
	for _, rule := range m.rules {
		if why := rule.Broken(r); why != "" {
			broken = append(broken, diff.BrokenRule{Rule: rule.Name, OnFail: rule.OnFail, Reason: why})
		}
	}
	return broken
}

// Uniques returns the rules that compare rows with each other.
func (m *Mapper) Uniques() []diff.UniqueRule { return m.uniques }

// identify settles the key's columns.
func (m *Mapper) identify(key []string) error {
	for _, member := range key {
		i, wrong := keyColumn(m.columns, member)
		if wrong != nil {
			return fmt.Errorf("key %s: %w", member, wrong.Err)
		}
		m.table.Key = append(m.table.Key, i)
	}
	return nil
}

// Table returns the shape of the rows.
func (m *Mapper) Table() *diff.Table { return m.table }

// Fingerprint identifies the mapping, with types, cleaning, defaults,
// expressions and rules, and the definition of the hash: source
// hashes made under different fingerprints say nothing about each other.
func (m *Mapper) Fingerprint() string {
	var b strings.Builder
	fmt.Fprintf(&b, "hash %d\n%s\n", diff.HashVersion, m.table.Shape())
	for i := range m.columns {
		c := &m.columns[i]
		fmt.Fprintf(&b, "%q %t", c.From, c.DateOrNull)
		if len(c.Clean) > 0 {
			fmt.Fprintf(&b, " clean %q", c.Clean)
		}
		if c.Default != nil {
			fmt.Fprintf(&b, " default %q", m.defaults[i])
		}
		if c.Expr != nil {
			fmt.Fprintf(&b, " expr %q", c.Expr)
		}
		b.WriteByte('\n')
	}
	for _, r := range m.rules {
		fmt.Fprintf(&b, "rule %q %s %q\n", r.Name, r.OnFail, r.text)
	}
	return fmt.Sprintf("%x", sha256.Sum256([]byte(b.String())))[:32]
}

// Key returns the record's key. The error wraps [diff.ErrKey].
func (m *Mapper) Key(r *diff.Record) (diff.Key, error) {
	var room [1]diff.Value
	parts := room[:0]
	for _, col := range m.table.Key {
		c := &m.columns[col]
		v, err := m.value(col, r)
		if err == nil && r.Err != nil && r.Count(c.From) > 1 {
			err = fmt.Errorf("member %s came more than once", c.From)
		}
		if err != nil {
			return "", fmt.Errorf("%w: %w", diff.ErrKey, err)
		}
		parts = append(parts, v)
	}
	key, err := diff.NewKey(parts...)
	if err != nil {
		return "", fmt.Errorf("member %s: %w", m.columns[m.table.Key[0]].From, err)
	}
	return key, nil
}

// IDColumn returns the name of the column that holds the id by which the source
// is asked for a record, "" when no column does.
func (m *Mapper) IDColumn() string {
	if m.id < 0 {
		return ""
	}
	return m.columns[m.id].Name
}

// KeyIsID reports whether the key is the id and nothing else.
func (m *Mapper) KeyIsID() bool {
	return len(m.table.Key) == 1 && m.table.Key[0] == m.id && m.columns[m.id].Type.Kind() == diff.Int
}

// ID returns the id by which the source is asked for the record, as a key of
// one integer. The error wraps [diff.ErrKey].
func (m *Mapper) ID(r *diff.Record) (diff.Key, error) {
	if m.KeyIsID() {
		return m.Key(r)
	}
	if m.id < 0 {
		return "", fmt.Errorf("%w: no column is mapped from %s", diff.ErrKey, ShopID)
	}
	v, err := m.value(m.id, r)
	if err != nil {
		return "", fmt.Errorf("%w: %w", diff.ErrKey, err)
	}
	return m.StoredID(v)
}

// StoredID returns the id that is stored as the value in the [Mapper.IDColumn].
// The error wraps [diff.ErrKey].
func (m *Mapper) StoredID(v diff.Value) (diff.Key, error) {
	if v.Kind() == diff.Text {
		n, err := strconv.ParseInt(v.Text(), 10, 64)
		if err != nil {
			return "", fmt.Errorf("%w: %s is %q, which is not an integer", diff.ErrKey, ShopID, v.Text())
		}
		v = diff.IntValue(n)
	}
	return diff.NewKey(v)
}

// ColumnOf returns the first column that is mapped from the member as it is, or
// -1.
func (m *Mapper) ColumnOf(member string) int { return columnOf(m.columns, member) }

// Maps reports whether the rows, or the rules, depend on the named member.
func (m *Mapper) Maps(member string) bool { return m.members[member] }

// Row returns the record's row, or why it cannot be stored exactly.
func (m *Mapper) Row(r *diff.Record) (diff.Row, error) {
	if r.Err != nil {
		return nil, r.Err
	}
	row := make(diff.Row, len(m.columns))
	for i := range m.columns {
		v, err := m.value(i, r)
		if err != nil {
			return nil, err
		}
		row[i] = v
	}
	return row, nil
}

// Stored returns what a column makes of a value that was stored before its type
// changed; false where only the server can tell, which rounds and cuts. A value
// of the column's own type stays as it is.
func (m *Mapper) Stored(column int, v diff.Value) (diff.Value, bool) {
	c := &m.columns[column]
	if v.IsNull() {
		return v, true
	}
	d := datum{isText, v.String()}
	if c.Type.Base == diff.JSON {
		d = read([]byte(d.text))
	}
	now, err := c.convert(d)
	rest, cut := strings.CutPrefix(d.text, now.String()) // as a second's fraction is
	return now, err == nil && !now.IsNull() && (!cut || strings.Trim(rest, ".0") == "")
}

// Default returns what NULL becomes in a column, NULL when it stays.
func (m *Mapper) Default(column int) diff.Value { return m.defaults[column] }

// value returns the record's value in one column.
func (m *Mapper) value(col int, r *diff.Record) (diff.Value, error) {
	c := &m.columns[col]
	raw := m.member(col, r)
	if n, ok := c.plain(raw); ok {
		return diff.IntValue(n), nil
	}
	d := read(raw)
	if c.Expr != nil {
		var err error
		if d, err = c.Expr.datum(r); err != nil {
			return diff.Value{}, fmt.Errorf("%s %w (column %s %s)", c.source(), err, c.Name, c.Type)
		}
		raw = d.quoted()
	}
	v, err := c.convert(c.clean(d))
	if err == nil && v.IsNull() {
		if v = m.defaults[col]; v.IsNull() && c.NotNull {
			err = errNull
		}
	}
	if err != nil {
		return diff.Value{}, fmt.Errorf("%s %s %w (column %s %s)", c.source(), excerpt(raw), err, c.Name, c.Type)
	}
	return v, nil
}

// source says where a column's value is from.
func (c *Column) source() string {
	if c.Expr != nil {
		return "expression:"
	}
	return "member " + c.From + ":"
}

// member returns the raw value of the member that a column is mapped from, nil
// when it is missing. As a rule it stands where it stood in the record before.
func (m *Mapper) member(col int, r *diff.Record) []byte {
	name := m.columns[col].From
	if i := int(m.places[col].Load()); r.Err == nil && i < len(r.Members) && r.Members[i].Name == name {
		return r.Members[i].Raw
	}
	for i := range r.Members {
		if r.Members[i].Name == name {
			m.places[col].Store(int32(i))
			return r.Members[i].Raw
		}
	}
	return nil
}

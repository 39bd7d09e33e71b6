package load

import (
	"fmt"
	"slices"
	"strings"

	"jstsync/diff"
	"jstsync/internal/fault"
)

// Bounds of one statement. A client-side interpolated statement must stay
// below the server's packet limit; an UPDATE joins one SELECT a row, which
// servers parse less fast than a list of values.
const (
	maxStatementBytes = 4 << 20
	maxStatementRows  = 1000
	maxUpdateRows     = 200
	maxPlaceholders   = 65_535
)

// statements builds the SQL of change batches for one table.
type statements struct {
	table    string
	columns  []string // quoted
	key      []int
	compare  []string // for each part of the key, the value to compare the column with, written around a %s
	soft     bool
	maxBytes int
}

func newStatements(t *diff.Table, packet int64) *statements {
	s := &statements{
		table: quote(t.Name), columns: quoteAll(t.Names()), key: t.Key, compare: make([]string, len(t.Key)),
		maxBytes: int(min(packet/2, maxStatementBytes)),
	}
	for i := range s.compare {
		s.compare[i] = "%s"
	}
	return s
}

// statements returns the builder for the session's table.
func (s *Session) statements() *statements {
	b := newStatements(s.target.table, s.packet)
	b.soft = s.target.soft()
	if s.keyTypes != nil {
		b.compare = s.keyTypes
	}
	return b
}

// keyTypes returns how a value is written that is to equal a key column
// exactly as the column's own index has it: a text in the column's collation,
// and no DECIMAL or DATETIME compared as a floating-point number.
func keyTypes(t *diff.Table, st *structure) []string {
	types := make([]string, len(t.Key))
	for i, k := range t.Key {
		c := st.columns[strings.ToLower(t.Columns[k].Name)]
		switch {
		case c.dataType == "decimal":
			types[i] = fmt.Sprintf("CAST(%%s AS DECIMAL(%d,%d))", c.precision.Int64, c.scale.Int64)
		case c.dataType == "datetime":
			types[i] = fmt.Sprintf("CAST(%%s AS DATETIME(%d))", c.fraction.Int64)
		case c.dataType == "date":
			types[i] = "CAST(%s AS DATE)"
		case !c.isBinary():
			types[i] = "%s COLLATE " + c.collation
		default:
			types[i] = "%s"
		}
	}
	return types
}

// size is an upper bound of a change's share of a statement, in bytes: every
// character escaped, and punctuation.
func (s *statements) size(c *diff.Change) int {
	row := c.After
	if c.Op == diff.Delete {
		row = c.Before
	}
	n := 16
	for i := range row {
		n += 2*len(row[i].Text()) + 32
	}
	for _, around := range s.compare {
		n += len(around)
	}
	return n
}

func (s *statements) maxRows(op diff.Op) int {
	rows := maxStatementRows
	if op == diff.Update {
		rows = maxUpdateRows
	}
	return min(fault.Limit("batch", rows), maxPlaceholders/len(s.columns))
}

// build returns the statement that applies the batch, whose changes are all of
// the one kind.
func (s *statements) build(op diff.Op, batch []diff.Change) (query string, args []any) {
	switch op {
	case diff.Delete:
		return s.remove(batch)
	case diff.Update:
		return s.update(batch)
	default:
		return s.insert(batch)
	}
}

func (s *statements) insert(batch []diff.Change) (query string, args []any) {
	return s.inserting(len(batch)), s.values(batch)
}

// inserting returns the statement that inserts so many rows.
func (s *statements) inserting(rows int) string {
	row := "(" + strings.Repeat("?, ", len(s.columns)-1) + "?)"
	return "INSERT INTO " + s.table + " (" + strings.Join(s.columns, ", ") + ") VALUES " + row + strings.Repeat(", "+row, rows-1)
}

// values returns the batch's rows, value by value.
func (s *statements) values(batch []diff.Change) []any {
	args := make([]any, 0, len(batch)*len(s.columns))
	for i := range batch {
		args = appendRow(args, batch[i].After)
	}
	return args
}

// update changes rows; with soft deletes, only such as live.
func (s *statements) update(batch []diff.Change) (query string, args []any) {
	on, set := s.assignments()
	if s.soft {
		on = append(on, "t."+DeletedAt+" IS NULL")
	}
	return s.join(batch, on, set)
}

// revive brings rows back that were deleted softly.
func (s *statements) revive(batch []diff.Change) (query string, args []any) {
	on, set := s.assignments()
	return s.join(batch, append(on, "t."+DeletedAt+" IS NOT NULL"), append(set, "t."+DeletedAt+" = NULL"))
}

// assignments returns the conditions that find a row t by the key of v, and
// those that make it v.
func (s *statements) assignments() (on, set []string) {
	for i, c := range s.columns {
		if k := slices.Index(s.key, i); k >= 0 {
			on = append(on, "t."+c+" = "+fmt.Sprintf(s.compare[k], "v."+c))
		} else {
			set = append(set, "t."+c+" = v."+c)
		}
	}
	return on, set
}

// join updates from a derived table of the new rows, so that one statement
// carries many rows and its matched rows can be counted.
func (s *statements) join(batch []diff.Change, on, set []string) (query string, args []any) {
	first := "SELECT ? AS " + strings.Join(s.columns, ", ? AS ")
	other := " UNION ALL SELECT " + strings.Repeat("?, ", len(s.columns)-1) + "?"
	return "UPDATE " + s.table + " t JOIN (" + first + strings.Repeat(other, len(batch)-1) + ") v ON " +
		strings.Join(on, " AND ") + " SET " + strings.Join(set, ", "), s.values(batch)
}

func (s *statements) remove(batch []diff.Change) (query string, args []any) {
	where, args := s.where(batch)
	return "DELETE FROM " + s.table + " WHERE " + where, args
}

// bury deletes rows softly, at the given wall time.
func (s *statements) bury(batch []diff.Change, at string) (query string, args []any) {
	where, keys := s.where(batch)
	return "UPDATE " + s.table + " SET " + DeletedAt + " = ? WHERE " + where + " AND " + DeletedAt + " IS NULL",
		append([]any{at}, keys...)
}

// buried reads, and locks, the keys of the batch's rows that were deleted
// softly.
func (s *statements) buried(batch []diff.Change) (query string, args []any) {
	where, args := s.where(batch)
	return "SELECT " + strings.Join(s.keyColumns(), ", ") + " FROM " + s.table + " WHERE " + where +
		" AND " + DeletedAt + " IS NOT NULL FOR UPDATE", args
}

func (s *statements) keyColumns() []string {
	names := make([]string, len(s.key))
	for i, k := range s.key {
		names[i] = s.columns[k]
	}
	return names
}

// where returns the condition that finds the rows of the batch's keys.
func (s *statements) where(batch []diff.Change) (condition string, args []any) {
	parts := make([]string, len(s.compare))
	for i, around := range s.compare {
		parts[i] = fmt.Sprintf(around, "?")
	}
	one := "(" + strings.Join(parts, ", ") + ")"
	for i := range batch {
		row := batch[i].After
		if batch[i].Op == diff.Delete {
			row = batch[i].Before
		}
		for _, k := range s.key {
			args = append(args, argument(row[k]))
		}
	}
	return "(" + strings.Join(s.keyColumns(), ", ") + ") IN (" + one + strings.Repeat(", "+one, len(batch)-1) + ")", args
}

func appendRow(args []any, row diff.Row) []any {
	for _, v := range row {
		args = append(args, argument(v))
	}
	return args
}

func argument(v diff.Value) any {
	switch v.Kind() {
	case diff.Int:
		return v.Int()
	case diff.Text:
		return v.Text()
	default:
		return nil
	}
}

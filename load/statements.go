package load

import (
	"strings"

	"jstsync/diff"
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
	maxBytes int
}

func newStatements(t *diff.Table, packet int64) *statements {
	return &statements{
		table: quote(t.Name), columns: quoteAll(t.Names()), key: t.Key,
		maxBytes: int(min(packet/2, maxStatementBytes)),
	}
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
	return n
}

func (s *statements) maxRows(op diff.Op) int {
	rows := maxStatementRows
	if op == diff.Update {
		rows = maxUpdateRows
	}
	return min(rows, maxPlaceholders/len(s.columns))
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
	row := "(" + strings.Repeat("?, ", len(s.columns)-1) + "?)"
	for i := range batch {
		args = appendRow(args, batch[i].After)
	}
	return "INSERT INTO " + s.table + " (" + strings.Join(s.columns, ", ") + ") VALUES " +
		row + strings.Repeat(", "+row, len(batch)-1), args
}

// update joins a derived table of the new rows, so that one statement carries
// many rows and its matched rows can be counted.
func (s *statements) update(batch []diff.Change) (query string, args []any) {
	var on, set []string
	for i, c := range s.columns {
		if s.isKey(i) {
			on = append(on, "t."+c+" = v."+c)
		} else {
			set = append(set, "t."+c+" = v."+c)
		}
	}
	for i := range batch {
		args = appendRow(args, batch[i].After)
	}
	first := "SELECT ? AS " + strings.Join(s.columns, ", ? AS ")
	other := " UNION ALL SELECT " + strings.Repeat("?, ", len(s.columns)-1) + "?"
	return "UPDATE " + s.table + " t JOIN (" + first + strings.Repeat(other, len(batch)-1) + ") v ON " +
		strings.Join(on, " AND ") + " SET " + strings.Join(set, ", "), args
}

func (s *statements) isKey(column int) bool {
	for _, k := range s.key {
		if k == column {
			return true
		}
	}
	return false
}

func (s *statements) remove(batch []diff.Change) (query string, args []any) {
	names := make([]string, len(s.key))
	for i, k := range s.key {
		names[i] = s.columns[k]
	}
	one := "(" + strings.Repeat("?, ", len(names)-1) + "?)"
	for i := range batch {
		for _, k := range s.key {
			args = append(args, argument(batch[i].Before[k]))
		}
	}
	return "DELETE FROM " + s.table + " WHERE (" + strings.Join(names, ", ") + ") IN (" +
		one + strings.Repeat(", "+one, len(batch)-1) + ")", args
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

package diff

import "fmt"

// Op says what a change does to its record.
type Op uint8

// The operations. Their order is the order in which a run applies them.
const (
	Delete Op = iota + 1
	Update
	Insert
)

// String returns insert, update or delete.
func (o Op) String() string {
	switch o {
	case Insert:
		return "insert"
	case Update:
		return "update"
	case Delete:
		return "delete"
	default:
		return fmt.Sprintf("op(%d)", uint8(o))
	}
}

// Change is what happened to one record between two commits. Before is nil
// for an insert, After for a delete; both have the table's columns.
type Change struct {
	Op     Op
	Key    Key
	Before Row
	After  Row
}

// Field is one changed column of an update.
type Field struct {
	Column        int
	Before, After Value
}

// Fields returns the columns whose values differ, in column order. For an
// insert or a delete there are none.
func (c *Change) Fields() []Field {
	if c.Op != Update {
		return nil
	}
	var fields []Field
	for i := range c.After {
		if c.Before[i] != c.After[i] {
			fields = append(fields, Field{i, c.Before[i], c.After[i]})
		}
	}
	return fields
}

// Compare returns the change that turns the stored row into the new one; nil
// stands for no row. It reports false when there is nothing to do.
func Compare(key Key, before, after Row) (Change, bool) {
	c := Change{Key: key, Before: before, After: after}
	switch {
	case before == nil && after == nil:
		return Change{}, false
	case before == nil:
		c.Op = Insert
	case after == nil:
		c.Op = Delete
	default:
		c.Op = Update
		return c, c.Fields() != nil
	}
	return c, true
}

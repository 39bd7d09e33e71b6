package load

import (
	"time"

	"jstsync/diff"
)

// SetDoubtLimit makes Resolve give up earlier.
func (t *Target) SetDoubtLimit(d time.Duration) { t.doubt = d }

// Statements builds a table's statements.
type Statements = statements

// NewStatements returns the builder for a server's packet limit.
func NewStatements(t *diff.Table, packet int64) *Statements { return newStatements(t, packet) }

// What a test asks of the builder.
var (
	Build   = (*statements).build
	Size    = (*statements).size
	MaxRows = (*statements).maxRows
)

// MaxBytes returns the bound of a statement's bytes.
func MaxBytes(s *Statements) int { return s.maxBytes }

// CreateTable is the DDL of a target table.
func CreateTable(t *diff.Table, keyCollation string) string {
	return createTable(t, t.Columns, keyCollation)
}

// What a test asks of values.
var (
	DecimalText  = decimalText
	DateTimeText = dateTimeText
	IsOn         = isOn
)

// MaxUpdateRows is how many rows one UPDATE carries.
const MaxUpdateRows = maxUpdateRows

package load

import (
	"context"
	"iter"
	"time"

	"jstsync/diff"
)

// SetDoubtLimit makes Resolve give up earlier.
func (t *Target) SetDoubtLimit(d time.Duration) { t.doubt = d }

// SetPatience makes COMMIT's answer late earlier.
func (t *Target) SetPatience(d time.Duration) { t.patience = d }

// SetResending replaces what a test wants otherwise: no attempts, limit or
// functions leave it as it is.
func (t *Target) SetResending(attempts int, limit time.Duration, random func() float64, sleep func(context.Context, time.Duration) error) {
	r := &t.resend
	if attempts > 0 {
		r.attempts = attempts
	}
	if limit > 0 {
		r.limit = limit
	}
	if random != nil {
		r.random = random
	}
	if sleep != nil {
		r.sleep = sleep
	}
}

// What a test asks of sending again.
var (
	Retryable = retryable
	Sleep     = sleep
)

// CommitError is what an error of COMMIT becomes.
func CommitError(err error) error { return &commitError{err} }

// Pause waits before an attempt.
func (t *Target) Pause(ctx context.Context, attempt int) error { return t.resend.pause(ctx, attempt) }

// Verify looks at the variables of a session.
func (t *Target) Verify(vars map[string]string) error {
	s := &Session{target: t}
	return s.verify(vars)
}

// Length is what the server receives for a change alone, in bytes.
func Length(t *diff.Table, c *diff.Change) int64 { return newStatements(t, 1<<20).length(c) }

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

// CreateChanges is the DDL of a changes table.
func CreateChanges(name string) string { return createChanges(name) }

// Ahead is ahead.
func Ahead(seq iter.Seq2[int, error]) iter.Seq2[int, error] { return ahead(seq) }

// Literals is literals.
func Literals(query string, args []any) (string, []any) { return literals(query, args) }

// JudgeServer is what ExamineServer says of a server's global variables.
func JudgeServer(t *Target, global map[string]string) []diff.Finding {
	v := &survey{Session: &Session{target: t}}
	v.version(global["version"], global["version_comment"])
	v.cluster(global)
	return v.found
}

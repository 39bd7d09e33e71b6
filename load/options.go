package load

import (
	"fmt"
	"strings"

	"jstsync/diff"
)

// Deletes says what becomes of the row of a record that is gone.
type Deletes string

// The ways to delete.
const (
	DeleteHard Deletes = "hard" // the row goes
	DeleteSoft Deletes = "soft" // the row stays, marked in [DeletedAt]
	DeleteKeep Deletes = "keep" // the row stays as it is
)

// DeletedAt is the column that marks rows deleted softly: DATETIME(3), the
// Beijing wall time of the commit that deleted the row, NULL while it lives.
const DeletedAt = "deleted_at"

// Option changes what a [Target] does.
type Option func(*Target)

// WithDeletes says how rows are deleted; the default is [DeleteHard].
func WithDeletes(how Deletes) Option { return func(t *Target) { t.deletes = how } }

// Shared says whether other pipelines own other rows of the same table; the
// default is that none does. All pipelines of a table must say the same.
func Shared(shared bool) Option { return func(t *Target) { t.shared = shared } }

// WithJSON gives the function that spells a JSON value as the mapping does, to
// be used on what a JSON column holds. Without it such a value is read as the
// text it is; MySQL spells values its own way.
func WithJSON(canonical func(raw []byte) (string, error)) Option {
	return func(t *Target) { t.json = canonical }
}

// WithCommits gives the function that tells whether a run is on the state
// file's list of commits of the pipeline, of any instance. It tells a target
// that was restored from one that a copy of the file has written; its error
// becomes that of the method which asked. Without it, a smaller run number
// under the file's own instance counts as one of its commits.
func WithCommits(contains func(runID diff.ID) (bool, error)) Option {
	return func(t *Target) { t.commits = contains }
}

// WithProgress gives the function that is told how many rows of how many were
// sent.
func WithProgress(tell func(done, total int)) Option { return func(t *Target) { t.progress = tell } }

// check refuses options that cannot be meant.
func (t *Target) check() error {
	if t.changes != "" && (strings.EqualFold(t.changes, checkpointTable) || strings.EqualFold(t.changes, t.table.Name)) {
		return &diff.Error{
			Code:    diff.CodeConfig,
			Message: fmt.Sprintf("changes_table of pipeline %s is %s, which holds something else", t.pipeline, t.changes), Remedy: "name another table",
		}
	}
	switch t.deletes {
	case DeleteHard, DeleteKeep:
		return nil
	case DeleteSoft:
	default:
		return &diff.Error{
			Code:    diff.CodeConfig,
			Message: fmt.Sprintf("deletes is %q in pipeline %s", t.deletes, t.pipeline), Remedy: "write hard, soft or keep",
		}
	}
	for i := range t.table.Columns {
		if strings.EqualFold(t.table.Columns[i].Name, DeletedAt) {
			return &diff.Error{
				Code:    diff.CodeConfig,
				Message: fmt.Sprintf("pipeline %s maps column %s, which marks the rows that deletes: soft deletes", t.pipeline, DeletedAt),
				Remedy:  "map the source's field to a column of another name",
			}
		}
	}
	return nil
}

func (t *Target) soft() bool { return t.deletes == DeleteSoft }

// columns returns the columns that the table must have: the mapped ones, and
// the mark of soft deletes.
func (t *Target) columns() []diff.Column {
	if !t.soft() {
		return t.table.Columns
	}
	mark := diff.Column{Name: DeletedAt, Type: diff.Type{Base: diff.DateTime, Size: 3}}
	return append(t.table.Columns[:len(t.table.Columns):len(t.table.Columns)], mark)
}

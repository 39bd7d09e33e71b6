package load

import (
	"context"
	"database/sql"

	"jstsync/diff"
)

// bulk is the INSERT of a whole batch, prepared by the server, which takes the
// values of one batch after the other without reading the statement again: that
// is two fifths of its work.
type bulk struct {
	rows      int
	statement *sql.Stmt // closed with the connection
}

// newBulk prepares the INSERT, outside of the transaction. It returns nil where
// fewer than two batches are to be inserted, where the server would not have it,
// and for a transaction that is sent again, since a server, or what stands before
// it, may have failed over it: everything is sent as text then.
func (s *Session) newBulk(ctx context.Context, stmts *statements, inserts int) (*bulk, error) {
	rows := stmts.maxRows(diff.Insert)
	if s.again || inserts < 2*rows {
		return nil, nil
	}
	query := stmts.inserting(rows)
	if len(query) > stmts.maxBytes {
		return nil, nil
	}
	statement, err := s.statement(ctx, query)
	if err != nil && number(err) == 0 {
		return nil, err
	}
	if err != nil {
		s.target.log.Debug("inserts are sent as text", "err", err)
		return nil, nil
	}
	return &bulk{rows, statement}, nil
}

// insert makes a batch of inserts with its statement.
func (w *writer) insert(changes []diff.Change) batch {
	b := batch{changes: changes}
	if w.bulk != nil && len(changes) == w.bulk.rows {
		b.bulk, b.args = true, w.stmts.values(changes)
	} else {
		b.query, b.args = literals(w.stmts.build(diff.Insert, changes))
	}
	return b
}

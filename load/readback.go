package load

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"jstsync/diff"
)

// maxUnfit is how many rows that do not fit are shown.
const maxUnfit = 5

// ReadTable reads the pipeline's checkpoint row, nil when there is none, and
// then passes every row of the table to visit, in key order, all of them as of
// one moment. Values have the spelling that a mapping gives them; with soft
// deletes, rows that are marked deleted are passed over.
//
// A value that the mapped type could not hold is passed on as the text it is,
// and logged. A row without a readable key (NULL, too long, the key of another
// row as the mapping spells it) cannot be passed on: when all others were, the
// error, of [diff.CodeTargetSchema], names such rows. A table that cannot be
// written as it is is an error of the same code; one that is absent has no
// rows. It reads only.
func (s *Session) ReadTable(ctx context.Context, visit func(diff.Key, diff.Row) error) (*diff.Checkpoint, error) {
	r := &tableReader{session: s, rows: newRowReader(s.target.table.Columns, s.target.json), visit: visit}
	cp, err := r.readAll(ctx)
	if err != nil {
		return nil, errors.Join(s.target.failure("read table "+s.target.table.Name, err), s.Close())
	}
	return cp, r.report()
}

// tableReader passes a table's rows on.
type tableReader struct {
	session  *Session
	rows     *rowReader
	visit    func(diff.Key, diff.Row) error
	previous diff.Key

	unfit   unfit // rows passed on with values that do not fit
	keyless unfit // rows not passed on
}

// unfit counts rows and keeps what is wrong with the first of them.
type unfit struct {
	rows  int
	first []string
}

func (u *unfit) add(what string) {
	if u.rows++; len(u.first) < maxUnfit {
		u.first = append(u.first, what)
	}
}

func (r *tableReader) readAll(ctx context.Context) (*diff.Checkpoint, error) {
	s := r.session
	x, err := s.requireTarget(ctx)
	if err != nil {
		return nil, err
	}
	if x.st == nil {
		s.target.warn(fmt.Sprintf("table %s does not exist", s.target.table.Name))
	}
	absent, err := s.checkpointDDL(ctx)
	if err != nil {
		return nil, err
	}
	for _, q := range []string{
		"SET SESSION net_write_timeout = 600", // visit may pause to write
		"START TRANSACTION WITH CONSISTENT SNAPSHOT",
	} {
		if _, err := s.exec(ctx, q); err != nil {
			return nil, err
		}
	}
	var cp *diff.Checkpoint
	if absent == "" {
		if cp, err = s.readCheckpoint(ctx, ""); err != nil {
			return nil, err
		}
	}
	if x.st != nil {
		err = s.each(ctx, r.read, s.selectRows(x.st))
	}
	if err == nil {
		_, err = s.exec(ctx, "ROLLBACK")
	}
	return cp, err
}

// selectRows returns the query for all rows that are not marked deleted, in
// key order.
func (s *Session) selectRows(st *structure) string {
	b := s.statements()
	query := "SELECT " + strings.Join(b.columns, ", ") + " FROM " + b.table
	if b.soft {
		query += " WHERE " + DeletedAt + " IS NULL"
	}
	return query + " ORDER BY " + strings.Join(keyOrder(s.target.table, st), ", ")
}

// keyOrder returns what sorts rows by their keys as [diff.Key] has it: numbers
// by value, all else by the bytes of its text.
func keyOrder(t *diff.Table, st *structure) []string {
	order := keyNames(t)
	for i, k := range t.Key {
		c := st.columns[strings.ToLower(t.Columns[k].Name)]
		switch {
		case t.Columns[k].Type.Base == diff.Decimal:
			order[i] = "CAST(CAST(" + order[i] + " AS CHAR) AS BINARY)"
		case c.merges():
			order[i] = "CAST(" + order[i] + " AS BINARY)"
		}
	}
	return order
}

func (r *tableReader) read(scan func(...any) error) error {
	row, problems, err := r.rows.read(scan)
	if err != nil {
		return err
	}
	key, problem := keyOf(r.session.target.table.KeyOf(row))
	switch {
	case problem != "":
		r.keyless.add(r.describe(row) + ": " + problem)
		return nil
	case key == r.previous:
		r.keyless.add(r.describe(row) + ": has the key of the row before it, as the mapping spells keys")
		return nil
	case key < r.previous:
		return fmt.Errorf("row %s comes after %s: the server's order is not the keys'", key, r.previous)
	}
	r.previous = key
	if problems != nil {
		r.unfit.add(key.String() + ": " + strings.Join(problems, ", "))
	}
	return r.visit(key, row)
}

// describe names a row that has no key by the values of its key's columns.
func (r *tableReader) describe(row diff.Row) string {
	parts := make([]string, 0, len(row))
	for _, k := range r.session.target.table.Key {
		parts = append(parts, fmt.Sprintf("%s = %.60s", r.session.target.table.Columns[k].Name, row[k]))
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

// report tells what was wrong with the rows.
func (r *tableReader) report() error {
	t := r.session.target
	if r.unfit.rows > 0 {
		t.warn(fmt.Sprintf("table %s holds %d rows with values that the mapping would not write; the first: %s",
			t.table.Name, r.unfit.rows, strings.Join(r.unfit.first, "; ")))
	}
	if r.keyless.rows == 0 {
		return nil
	}
	return &diff.Error{
		Code: diff.CodeTargetSchema,
		Message: fmt.Sprintf("table %s holds %d rows that cannot be told by the pipeline's key; the first: %s",
			t.table.Name, r.keyless.rows, strings.Join(r.keyless.first, "; ")),
		Remedy: fmt.Sprintf("delete these rows or give them keys, so that (%s) names each", strings.ReplaceAll(strings.Join(keyNames(t.table), ", "), "`", "")),
	}
}

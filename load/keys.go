package load

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"jstsync/diff"
)

// keysTable is a temporary table of the keys that a run would insert.
const keysTable = "jstsync_keys"

// maxNamed is how many pairs of keys an error names.
const maxNamed = 3

// CheckKeys makes sure that the table tells the keys of the run's inserts
// apart, from one another and from those of the rows that are there. Columns
// of collations that do not tell all texts apart are the reason to ask: the
// server itself compares. Two keys that it takes for one are an error of
// [diff.CodeTargetSchema] that names both. Nothing is written but a temporary
// table; where that may not be made, the insert itself fails on such keys.
// A change that is too long for any statement is an error of
// [diff.CodeTarget] that names its key.
// It is called between [Session.Begin] and the transaction.
func (s *Session) CheckKeys(ctx context.Context, changes *diff.ChangeSet) error {
	if s.checked == changes {
		return nil
	}
	if err := s.checkLengths(changes); err != nil {
		return err
	}
	var st *structure
	var err error
	if changes.Count(diff.Insert) > 0 {
		st, err = s.inspectMerging(ctx)
	}
	if err == nil && st != nil {
		err = s.compareKeys(ctx, st, changes)
	}
	switch {
	case number(err) == erDBAccess:
		s.target.warn(fmt.Sprintf("keys that table %s takes for one cannot be named beforehand: GRANT CREATE TEMPORARY TABLES to the user of target.dsn", s.target.table.Name))
		if err := s.connect(ctx); err != nil {
			return err
		}
	case err != nil:
		return s.target.failure("compare keys with table "+s.target.table.Name, err)
	}
	s.checked = changes
	return nil
}

// inspectMerging returns the table's structure when a column of its key takes
// different texts for one, else nil.
func (s *Session) inspectMerging(ctx context.Context) (*structure, error) {
	if !slices.ContainsFunc(s.keyTypes, func(how string) bool {
		_, collation, ok := strings.Cut(how, " COLLATE ")
		return ok && (&column{charset: "utf8mb4", collation: collation}).merges()
	}) {
		return nil, nil //nolint:nilnil // documented
	}
	return s.inspect(ctx)
}

func (s *Session) compareKeys(ctx context.Context, st *structure, changes *diff.ChangeSet) (err error) {
	t := s.target.table
	lines := []string{"record_key VARBINARY(255) NOT NULL"}
	var parts []string
	for i, k := range t.Key {
		c := st.columns[strings.ToLower(t.Columns[k].Name)]
		parts = append(parts, fmt.Sprint("k", i))
		lines = append(lines, fmt.Sprintf("k%d %s NOT NULL", i, c.ownType()))
	}
	if _, err := s.exec(ctx, "CREATE TEMPORARY TABLE "+keysTable+" ("+strings.Join(lines, ", ")+") ENGINE=InnoDB"); err != nil {
		return err
	}
	defer func() {
		if s.err == nil { // else the connection is closed, and the table gone with it
			_, dropErr := s.exec(context.WithoutCancel(ctx), "DROP TEMPORARY TABLE "+keysTable)
			err = errors.Join(err, dropErr)
		}
	}()
	if err := s.fillKeys(ctx, changes); err != nil {
		return err
	}
	pairs, err := s.pairsOfRun(ctx, parts)
	if err != nil {
		return err
	}
	if len(pairs) == 0 {
		if pairs, err = s.pairsWithTable(ctx, parts, changes); err != nil {
			return err
		}
	}
	if len(pairs) == 0 {
		return nil
	}
	collation, err := s.keyCollation(ctx)
	if err != nil {
		return err
	}
	return s.merged(&examiner{target: s.target, same: s.same, st: st, keyCollation: collation}, pairs)
}

// fillKeys writes the keys of the inserts to the temporary table.
func (s *Session) fillKeys(ctx context.Context, changes *diff.ChangeSet) error {
	const bytesOfKey = 5 * diff.MaxKeyText // with everything escaped, twice
	b := s.statements()
	rows := max(1, min(maxStatementRows, b.maxBytes/bytesOfKey))
	one := "(?" + strings.Repeat(", ?", len(b.key)) + ")"
	var args []any
	n := 0
	flush := func() error {
		if n == 0 {
			return nil
		}
		_, err := s.exec(ctx, "INSERT INTO "+keysTable+" VALUES "+one+strings.Repeat(", "+one, n-1), args...)
		args, n = args[:0], 0
		return err
	}
	for c, err := range changes.Only(diff.Insert) {
		if err != nil {
			return err
		}
		args = append(args, c.Key.String())
		for _, k := range b.key {
			args = append(args, argument(c.After[k]))
		}
		if n++; n == rows {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// pairsOfRun returns keys of the run that the server takes for one.
func (s *Session) pairsOfRun(ctx context.Context, parts []string) (pairs []string, err error) {
	err = s.each(ctx, func(scan func(...any) error) error {
		var a, b string
		err := scan(&a, &b)
		pairs = append(pairs, fmt.Sprintf("%q and %q", a, b))
		return err
	}, fmt.Sprintf("SELECT MIN(record_key), MAX(record_key) FROM %s GROUP BY %s HAVING COUNT(*) > 1 ORDER BY 1 LIMIT %d",
		keysTable, strings.Join(parts, ", "), maxNamed))
	return pairs, err
}

// pairsWithTable returns keys of the run that the server takes for the key of
// a row that is there and that the run does not delete.
func (s *Session) pairsWithTable(ctx context.Context, parts []string, changes *diff.ChangeSet) (pairs []string, err error) {
	going := map[string]bool{}
	if s.target.deletes == DeleteHard {
		for c, err := range changes.Only(diff.Delete) {
			if err != nil {
				return nil, err
			}
			going[c.Key.String()] = true
		}
	}
	b := s.statements()
	on := make([]string, len(parts))
	read := []string{"v.record_key"}
	for i, name := range b.keyColumns() {
		on[i] = "t." + name + " = v." + parts[i]
		read = append(read, "t."+name)
	}
	keys := newKeyReader(s.target.table)
	err = s.each(ctx, func(scan func(...any) error) error {
		var ours string
		key, problem, err := keys.read(func(into ...any) error { return scan(append([]any{&ours}, into...)...) })
		if err != nil || problem != "" || len(pairs) == maxNamed {
			return err
		}
		if theirs := key.String(); theirs != ours && !going[theirs] {
			pairs = append(pairs, fmt.Sprintf("%q and %q, which the table holds", ours, theirs))
		}
		return nil
	}, "SELECT "+strings.Join(read, ", ")+" FROM "+keysTable+" v JOIN "+b.table+" t ON "+strings.Join(on, " AND "))
	return pairs, err
}

// merged says which keys the table takes for one, and how to mend it.
func (s *Session) merged(x *examiner, pairs []string) error {
	var columns, remedies []string
	for _, k := range s.target.table.Key {
		want := &s.target.table.Columns[k]
		if c := x.st.columns[strings.ToLower(want.Name)]; c.merges() {
			columns = append(columns, c.name+" "+c.collation)
			remedies = append(remedies, x.alter(c.mended(x.typeOf(want, c, true, false, true), false)))
		}
	}
	return &diff.Error{
		Code: diff.CodeTargetSchema,
		Message: fmt.Sprintf("table %s takes different keys of pipeline %s for one, by the collation of its key (%s): %s",
			s.target.table.Name, s.target.pipeline, strings.Join(columns, ", "), strings.Join(pairs, "; ")),
		Remedy: strings.Join(remedies, "; "),
	}
}

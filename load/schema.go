package load

import (
	"context"
	"fmt"
	"strings"

	"jstsync/internal/fault"
)

// checkpointTable holds one row a pipeline: the commit that the target's rows
// are at.
const checkpointTable = "jstsync_checkpoint"

// SchemaPlan returns the statements that the target needs before a run can
// write it, and what else there is to say about it. The statements only add:
// tables and columns. A table that is absent would be created by the first run
// as well; a column is only added by [Session.SchemaApply].
func (s *Session) SchemaPlan(ctx context.Context) (ddl []string, findings []Finding, err error) {
	absent, err := s.checkpointDDL(ctx)
	if err != nil {
		return nil, nil, err
	}
	if absent != "" {
		ddl = append(ddl, absent)
	}
	if absent, err = s.changesDDL(ctx); err != nil {
		return nil, nil, err
	}
	if absent != "" {
		ddl = append(ddl, absent)
	}
	x, err := s.examine(ctx)
	if err != nil {
		return nil, nil, err
	}
	if x.st == nil {
		return append(ddl, createTable(s.target.table, s.target.columns(), x.keyCollation)), nil, nil
	}
	clauses := make([]string, len(x.missing))
	added := map[string]bool{}
	for i := range x.missing {
		clauses[i] = addDDL(&x.missing[i])
		added[x.missing[i].Name] = true
	}
	if len(clauses) > 0 {
		ddl = append(ddl, x.alter(strings.Join(clauses, ", ")))
	}
	for _, f := range x.findings {
		if f.Column == "" || !added[f.Column] {
			findings = append(findings, f)
		}
	}
	return ddl, findings, nil
}

// SchemaApply runs the statements of [Session.SchemaPlan] and returns those
// that it ran, and what then there is still to say.
func (s *Session) SchemaApply(ctx context.Context) (done []string, findings []Finding, err error) {
	ddl, _, err := s.SchemaPlan(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, q := range ddl {
		if _, err := s.exec(ctx, q); err != nil {
			return done, nil, s.target.failure("alter table "+s.target.table.Name, err)
		}
		done = append(done, q)
	}
	_, findings, err = s.SchemaPlan(ctx)
	return done, findings, err
}

// examine inspects the target table. The examiner's structure is nil when
// there is no such table.
func (s *Session) examine(ctx context.Context) (*examiner, error) {
	st, err := s.inspect(ctx)
	if err != nil {
		return nil, s.target.failure("inspect table "+s.target.table.Name, err)
	}
	x := &examiner{target: s.target, same: s.same, st: st}
	if x.keyCollation, err = s.keyCollation(ctx); err != nil {
		return nil, s.target.failure("read the server's collations", err)
	}
	if st != nil {
		x.examine()
	}
	return x, nil
}

// keyCollation returns the server's collation of utf8mb4 that tells all texts
// apart, trailing spaces included; "" when it has none, or no key is text.
func (s *Session) keyCollation(ctx context.Context) (name string, err error) {
	text := false
	for _, k := range s.target.table.Key {
		text = text || isText(&s.target.table.Columns[k])
	}
	if !text {
		return "", nil
	}
	_, err = s.one(ctx, []any{&name}, "SELECT COALESCE(MAX(COLLATION_NAME), '') FROM information_schema.COLLATIONS"+
		" WHERE COLLATION_NAME IN ('utf8mb4_0900_bin', 'utf8mb4_nopad_bin')")
	return name, err
}

// checkpointDDL returns the statement that creates the table of checkpoints,
// or "" when there is one that can be used.
func (s *Session) checkpointDDL(ctx context.Context) (string, error) {
	kinds, err := s.kinds(ctx, checkpointTable)
	if err != nil {
		return "", s.target.failure("look for table "+checkpointTable, err)
	}
	st, ok := kinds[checkpointTable]
	switch {
	case !ok:
		return createCheckpoint, nil
	case !strings.EqualFold(st.engine, "InnoDB"):
		return "", schemaError(checkpointTable, []Finding{{
			ID: "engine", Severity: SeverityError, Message: fmt.Sprintf("has engine %q, which cannot roll back", st.engine),
			Remedy: fmt.Sprintf("ALTER TABLE %s ENGINE=InnoDB", quote(checkpointTable)),
		}})
	}
	return "", nil
}

// tables says which of the two tables there are.
type tables struct {
	noCheckpoint, noTarget bool
	keyCollation           string // for a target to be created; see [Session.keyCollation]
}

// look finds out which tables there are, and checks those. What is wrong with
// the target is one error, a [SchemaError]; what may become wrong is logged
// once.
func (s *Session) look(ctx context.Context) (tables, error) {
	absent, err := s.checkpointDDL(ctx)
	if err != nil {
		return tables{}, err
	}
	x, err := s.requireTarget(ctx)
	if err != nil {
		return tables{}, err
	}
	return tables{noCheckpoint: absent != "", noTarget: x.st == nil, keyCollation: x.keyCollation}, nil
}

// create creates the tables that are absent.
func (s *Session) create(ctx context.Context, absent tables) error {
	if absent.noCheckpoint {
		if _, err := s.exec(ctx, createCheckpoint); err != nil {
			return s.target.failure("create table "+checkpointTable, err)
		}
	}
	if !absent.noTarget {
		return nil
	}
	table := s.target.table
	if _, err := s.exec(ctx, createTable(table, s.target.columns(), absent.keyCollation)); err != nil {
		return s.target.failure("create table "+table.Name, err)
	}
	err := fault.Hit(fault.TablesCreated)
	if err == nil {
		s.keyTypes, err = s.typesOfKey(ctx)
	}
	return err
}

// ensureTables creates the two tables where they are absent and checks them
// where they are not.
func (s *Session) ensureTables(ctx context.Context) error {
	found, err := s.look(ctx)
	if err != nil {
		return err
	}
	return s.create(ctx, found)
}

// typesOfKey reads the key's types of a table just created.
func (s *Session) typesOfKey(ctx context.Context) ([]string, error) {
	x, err := s.examine(ctx)
	if err != nil || x.st == nil {
		return nil, err
	}
	return keyTypes(s.target.table, x.st), nil
}

// requireTarget inspects the target table, which may be absent but not unfit.
func (s *Session) requireTarget(ctx context.Context) (*examiner, error) {
	x, err := s.examine(ctx)
	if err != nil || x.st == nil {
		return x, err
	}
	if err := schemaError(s.target.table.Name, x.findings); err != nil {
		return nil, err
	}
	for _, f := range x.findings {
		s.target.warn(fmt.Sprintf("table %s %s; remedy: %s", s.target.table.Name, f.Message, f.Remedy))
	}
	s.keyTypes = keyTypes(s.target.table, x.st)
	return x, nil
}

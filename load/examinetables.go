package load

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"jstsync/diff"
)

// ExamineTables says what there is to say of the pipeline's tables, and of what
// the user may do with them, to somebody who wants to know whether runs can
// work. It writes nothing: rights are found out by statements that the server
// prepares and that are never executed.
func (s *Session) ExamineTables(ctx context.Context) ([]diff.Finding, error) {
	x, err := s.examine(ctx)
	if err != nil {
		return nil, err
	}
	v := &survey{Session: s}
	mayNot, err := v.grants(ctx, x)
	if err != nil {
		return nil, s.target.failure("ask what the user may do", err)
	}
	v.table(x, mayNot)
	for _, beside := range []struct {
		name string
		ddl  func(context.Context) (string, error)
	}{{checkpointTable, s.checkpointDDL}, {s.target.changes, s.changesDDL}} {
		if err := v.beside(ctx, beside.name, beside.ddl); err != nil {
			return nil, err
		}
	}
	return v.found, nil
}

// table tells of the target table. mayNot says that rights are lacking: then a
// column may be there and not be seen.
func (s *survey) table(x *examiner, mayNot bool) {
	name := s.target.table.Name
	if x.st == nil {
		if !mayNot {
			s.absent(name)
		}
		return
	}
	unfit := false
	for _, f := range x.findings {
		if mayNot && f.ID == "column" {
			continue
		}
		unfit = true
		s.add(f.Severity, f.ID, name, diff.Say(f.Message), diff.Say(f.Remedy))
	}
	if !unfit && !mayNot {
		s.add(diff.SeverityOK, "table", name, diff.Say("InnoDB; has every mapped column, in a type that holds its values, and a key that tells records apart"), diff.Phrase{})
	}
}

func (s *survey) absent(table string) {
	s.add(diff.SeverityNote, "table", table, diff.Say("does not exist yet"), diff.Say("the first run creates it, as jstsync schema apply does"))
}

// beside tells of a table beside the target, which ddl looks at.
func (s *survey) beside(ctx context.Context, name string, ddl func(context.Context) (string, error)) error {
	if name == "" {
		return nil
	}
	absent, err := ddl(ctx)
	if unfit, ok := errors.AsType[*SchemaError](err); ok {
		for _, f := range unfit.Findings {
			s.add(f.Severity, f.ID, name, diff.Say(f.Message), diff.Say(f.Remedy))
		}
		return nil
	}
	if err == nil && absent != "" && !slices.ContainsFunc(s.found, func(f diff.Finding) bool { return f.ID == "mysql.grants" && f.Subject == name }) {
		s.absent(name)
	}
	return err
}

// right is something the user must be allowed to do.
type right struct{ name, statement string }

// grants asks for every right that runs of this configuration need, and reports
// whether one on the target table is lacking.
func (s *survey) grants(ctx context.Context, x *examiner) (onTarget bool, err error) {
	user, err := s.currentUser(ctx)
	if err != nil {
		return false, err
	}
	kinds, err := s.kinds(ctx, s.name, checkpointTable, s.target.changes)
	if err != nil {
		return false, err
	}
	whole := true
	ask := func(table string, severity diff.Severity, rights []right) (bool, error) {
		lacking, err := s.lacking(ctx, rights)
		if err != nil || lacking == nil {
			return false, err
		}
		whole = false
		s.grant(severity, user, table, lacking)
		return true, nil
	}
	if onTarget, err = ask(s.target.table.Name, diff.SeverityError, s.onTarget(x)); err != nil {
		return false, err
	}
	_, exists := kinds[checkpointTable]
	rights, err := s.onCheckpoint(ctx, exists)
	if err == nil {
		_, err = ask(checkpointTable, diff.SeverityError, rights)
	}
	if err != nil {
		return false, err
	}
	if s.target.changes != "" {
		_, exists := kinds[s.target.changes]
		if _, err = ask(s.target.changes, diff.SeverityError, s.onChanges(exists)); err != nil {
			return false, err
		}
	}
	if x.mergesKeys() {
		if _, err = ask("", diff.SeverityWarning, []right{{"CREATE TEMPORARY TABLES", "CREATE TEMPORARY TABLE " + keysTable + " (k INT)"}}); err != nil {
			return false, err
		}
	}
	if whole {
		s.add(diff.SeverityOK, "grants", s.target.Server(), diff.Say("%s may do all that runs need", user), diff.Phrase{})
	}
	return onTarget, nil
}

// grant says which rights on a table are lacking; "" means all of the database.
func (s *survey) grant(severity diff.Severity, user, table string, lacking []string) {
	names, on, subject := strings.Join(lacking, ", "), quote(s.target.cfg.DBName)+".*", s.target.Server()
	evidence := diff.Say("%s may not %s: keys that the table takes for one cannot be named beforehand", user, names)
	if table != "" {
		on, subject = quote(s.target.cfg.DBName)+"."+quote(table), table
		evidence = diff.Say("%s may not %s", user, names)
	}
	s.add(severity, "grants", subject, evidence, diff.Say(fmt.Sprintf("GRANT %s ON %s TO %s", names, on, user)))
}

// lacking returns the names of those rights that the user does not have.
func (s *survey) lacking(ctx context.Context, rights []right) (names []string, err error) {
	for _, r := range rights {
		switch n := number(s.prepared(ctx, r.statement)); {
		case s.err != nil:
			return nil, s.err
		case n == erTableAccess, n == erColumnAccess, n == erDBAccess, n == erSpecificAccess:
			names = append(names, r.name)
		}
	}
	return names, nil
}

// onTarget are the rights on the target table. A column that is not there is
// asked for as well: to a user of columns alone it may be one that is hidden.
func (s *survey) onTarget(x *examiner) []right {
	t := s.target.table
	var all, changing []string
	for i, c := range s.target.columns() {
		all = append(all, quote(c.Name))
		if !slices.Contains(t.Key, i) {
			changing = append(changing, quote(c.Name))
		}
	}
	rights := []right{reading(t.Name, all), inserting(t.Name, all), updating(t.Name, changing)}
	if s.target.deletes == DeleteHard {
		rights = append(rights, right{"DELETE", "DELETE FROM " + quote(t.Name) + " WHERE FALSE"})
	}
	if x.st == nil {
		rights = append(rights, right{"CREATE", createTable(t, s.target.columns(), x.keyCollation)})
	}
	return rights
}

func reading(table string, columns []string) right {
	return right{"SELECT", "SELECT " + strings.Join(columns, ", ") + " FROM " + quote(table) + " WHERE FALSE"}
}

func inserting(table string, columns []string) right {
	return right{"INSERT", "INSERT INTO " + quote(table) + " (" + strings.Join(columns, ", ") + ") VALUES (" + strings.Join(slices.Repeat([]string{"1"}, len(columns)), ", ") + ")"}
}

func updating(table string, columns []string) right {
	return right{"UPDATE", "UPDATE " + quote(table) + " SET " + strings.Join(columns, " = 1, ") + " = 1 WHERE FALSE"}
}

// onCheckpoint are the rights on the table of checkpoints: a row is inserted
// once.
func (s *survey) onCheckpoint(ctx context.Context, exists bool) ([]right, error) {
	changing := []string{"target", "instance", "epoch", "seq", "run_id", "digest", "hash_version", "committed_at"}
	all := append([]string{"pipeline"}, changing...)
	rights := []right{reading(checkpointTable, all), updating(checkpointTable, changing)}
	if exists && s.prepared(ctx, rights[0].statement) == nil {
		cp, err := s.readCheckpoint(ctx, "")
		if err != nil || cp != nil {
			return rights, err
		}
	}
	rights = append(rights, inserting(checkpointTable, all))
	if !exists {
		rights = append(rights, right{"CREATE", createCheckpoint})
	}
	return rights, nil
}

// onChanges are the rights on the table of changes.
func (s *survey) onChanges(exists bool) []right {
	names := make([]string, len(changesColumns))
	for i := range changesColumns {
		names[i] = quote(changesColumns[i].name)
	}
	rights := []right{inserting(s.target.changes, names)}
	if !exists {
		rights = append(rights, right{"CREATE", createChanges(s.target.changes)})
	}
	return rights
}

// mergesKeys reports whether a column of the key takes different texts for one.
func (x *examiner) mergesKeys() bool {
	if x.st == nil {
		return false
	}
	return slices.ContainsFunc(x.target.table.Key, func(k int) bool {
		c := x.st.columns[strings.ToLower(x.target.table.Columns[k].Name)]
		return c != nil && c.charset != "" && c.merges()
	})
}

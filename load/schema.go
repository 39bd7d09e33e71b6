package load

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"jstsync/diff"
)

// checkpointTable holds one row a pipeline: the commit that the target's rows
// are at.
const checkpointTable = "jstsync_checkpoint"

const createCheckpoint = "CREATE TABLE IF NOT EXISTS " + checkpointTable + ` (
  pipeline VARBINARY(64) NOT NULL PRIMARY KEY,
  target VARBINARY(320) NOT NULL UNIQUE,
  instance BINARY(16) NOT NULL,
  epoch BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  run_id BINARY(16) NOT NULL,
  digest BINARY(32) NOT NULL,
  hash_version INT NOT NULL,
  committed_at DATETIME(6) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`

// ensureTables creates the two tables where they are absent and checks them
// where they are not.
func (s *Session) ensureTables(ctx context.Context) error {
	table := s.target.table
	engines, err := s.engines(ctx, table.Name)
	if err != nil {
		return err
	}
	for _, t := range []struct{ name, ddl string }{
		{checkpointTable, createCheckpoint},
		{table.Name, createTable(table)},
	} {
		engine, ok := engines[t.name]
		if !ok {
			if _, err := s.conn.ExecContext(ctx, t.ddl); err != nil {
				return s.target.failure("create table "+t.name, err)
			}
			continue
		}
		if !strings.EqualFold(engine, "InnoDB") {
			return &diff.Error{
				Code:    diff.CodeTargetSchema,
				Message: fmt.Sprintf("table %s has engine %q, which cannot roll back", t.name, engine),
				Remedy:  fmt.Sprintf("ALTER TABLE %s ENGINE=InnoDB", quote(t.name)),
			}
		}
	}
	if _, existed := engines[table.Name]; !existed {
		return nil
	}
	return s.checkColumns(ctx)
}

// engines returns the storage engine of each of the two tables that exists.
func (s *Session) engines(ctx context.Context, target string) (map[string]string, error) {
	rows, err := s.conn.QueryContext(ctx,
		"SELECT TABLE_NAME, COALESCE(ENGINE, TABLE_TYPE) FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME IN (?, ?)",
		s.target.cfg.DBName, checkpointTable, target)
	if err != nil {
		return nil, s.target.failure("look for table "+target, err)
	}
	defer rows.Close()
	engines := map[string]string{}
	for rows.Next() {
		var name, engine string
		if err := rows.Scan(&name, &engine); err != nil {
			return nil, err
		}
		engines[name] = engine
	}
	return engines, rows.Err()
}

// checkColumns reports mapped columns that an existing table lacks.
func (s *Session) checkColumns(ctx context.Context) error {
	table := s.target.table
	rows, err := s.conn.QueryContext(ctx,
		"SELECT LOWER(COLUMN_NAME) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?",
		s.target.cfg.DBName, table.Name)
	if err != nil {
		return s.target.failure("read columns of "+table.Name, err)
	}
	defer rows.Close()
	have := map[string]bool{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return err
		}
		have[name] = true
	}
	if err := rows.Err(); err != nil {
		return err
	}
	var names, adds []string
	for i := range table.Columns {
		if c := &table.Columns[i]; !have[strings.ToLower(c.Name)] {
			names = append(names, c.Name)
			adds = append(adds, "ADD COLUMN "+columnDDL(c))
		}
	}
	if names == nil {
		return nil
	}
	return &diff.Error{
		Code:    diff.CodeTargetSchema,
		Message: fmt.Sprintf("table %s lacks the mapped column %s", table.Name, strings.Join(names, ", ")),
		Remedy:  fmt.Sprintf("ALTER TABLE %s %s", quote(table.Name), strings.Join(adds, ", ")),
	}
}

// createTable returns the DDL of the target. Its text columns compare by their
// bytes, so that no two keys are ever taken for one.
func createTable(t *diff.Table) string {
	lines := make([]string, 0, len(t.Columns)+1)
	for i := range t.Columns {
		lines = append(lines, "  "+columnDDL(&t.Columns[i]))
	}
	keys := make([]string, len(t.Key))
	for i, k := range t.Key {
		keys[i] = quote(t.Columns[k].Name)
	}
	lines = append(lines, "  PRIMARY KEY ("+strings.Join(keys, ", ")+")")
	return fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s (\n%s\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
		quote(t.Name), strings.Join(lines, ",\n"))
}

func columnDDL(c *diff.Column) string {
	null := "NULL"
	if c.NotNull {
		null = "NOT NULL"
	}
	ddl := quote(c.Name) + " " + c.Type.String() + " " + null
	if c.Comment != "" {
		ddl += " COMMENT '" + strings.NewReplacer("'", "''", `\`, `\\`).Replace(c.Comment) + "'"
	}
	return ddl
}

// quote returns an identifier between backquotes.
func quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

func quoteAll(names []string) []string {
	quoted := slices.Clone(names)
	for i := range quoted {
		quoted[i] = quote(quoted[i])
	}
	return quoted
}

package load

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"jstsync/diff"
	"jstsync/internal/fault"
)

// WithChangesTable names a table to which each change of a run is written as
// well, in the transaction that makes it. Those of a repair are not: they bring
// the target back to what is on record already. "" names none.
func WithChangesTable(name string) Option { return func(t *Target) { t.changes = name } }

// changesColumns are the columns of a changes table, with what a wider one may
// be of.
var changesColumns = [...]struct {
	name, definition string
	fits             func(c *column) bool
}{
	{"pipeline", "VARBINARY(64) NOT NULL", func(c *column) bool { return c.misfitText(64, 64) == "" && c.isBinary() }},
	{"seq", "BIGINT NOT NULL", func(c *column) bool { return c.misfitInt(8, 19) == "" }},
	{"record_key", "VARBINARY(255) NOT NULL", func(c *column) bool { return c.misfitText(diff.MaxKeyText, diff.MaxKeyText) == "" && c.isBinary() }},
	{"op", "VARCHAR(6) NOT NULL", func(c *column) bool { return c.misfitText(6, 6) == "" }},
	{"at", "DATETIME(3) NOT NULL", func(c *column) bool { return c.misfitDateTime(3) == "" }},
	{"fields", "JSON NOT NULL", func(c *column) bool {
		return c.dataType == "json" || c.dataType == "longtext" && c.charset == "utf8mb4"
	}},
}

// createChanges returns the DDL of a changes table.
func createChanges(name string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE IF NOT EXISTS %s (\n", quote(name))
	for _, c := range changesColumns {
		fmt.Fprintf(&b, "  %s %s,\n", quote(c.name), c.definition)
	}
	b.WriteString("  PRIMARY KEY (`pipeline`, `seq`, `record_key`),\n" +
		"  KEY (`pipeline`, `record_key`, `seq`),\n" +
		"  KEY (`pipeline`, `at`)\n" +
		") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin")
	return b.String()
}

// changesDDL returns the statement that creates the changes table, or "" when
// none is named or there is one that can be used. One that cannot is an error
// of [diff.CodeTargetSchema] with the statement that mends it.
func (s *Session) changesDDL(ctx context.Context) (string, error) {
	name := s.target.changes
	if name == "" {
		return "", nil
	}
	kinds, err := s.kinds(ctx, name)
	if err != nil {
		return "", s.target.failure("look for table "+name, err)
	}
	st, ok := kinds[name]
	if !ok {
		return createChanges(name), nil
	}
	if s.fold {
		name = strings.ToLower(name)
	}
	if err = s.readColumns(ctx, &st, name); err == nil {
		err = s.readUniques(ctx, &st, name)
	}
	if err != nil {
		return "", s.target.failure("inspect table "+name, err)
	}
	return "", unfitForChanges(s.target.changes, &st)
}

// unfitForChanges says what keeps changes from being written to the table, or
// nil.
func unfitForChanges(name string, st *structure) error {
	e := &SchemaError{Table: name}
	add := func(id, message, clause string) {
		e.Findings = append(e.Findings, Finding{ID: id, Severity: SeverityError, Message: message, Remedy: "ALTER TABLE " + quote(name) + " " + clause})
	}
	if !strings.EqualFold(st.engine, "InnoDB") {
		add("engine", fmt.Sprintf("has engine %q, which cannot roll back", st.engine), "ENGINE=InnoDB")
	}
	for _, c := range changesColumns {
		switch have := st.columns[c.name]; {
		case have == nil:
			add("column", "lacks the column "+c.name+" of changes", "ADD COLUMN "+quote(c.name)+" "+c.definition)
		case !c.fits(have):
			add("type", fmt.Sprintf("has column %s as %s; changes take %s", c.name, have.columnType, c.definition), "MODIFY COLUMN "+quote(c.name)+" "+c.definition)
		}
	}
	key := []string{"pipeline", "seq", "record_key"}
	if len(e.Findings) == 0 && !st.hasKey(key) {
		add("key", "has no primary or unique key over exactly ("+strings.Join(key, ", ")+")", "ADD UNIQUE KEY (`pipeline`, `seq`, `record_key`)")
	}
	return schemaError(name, e.Findings)
}

// ensureChanges makes sure of the changes table, if one is named.
func (s *Session) ensureChanges(ctx context.Context) error {
	ddl, err := s.changesDDL(ctx)
	if err != nil || ddl == "" {
		return err
	}
	if _, err := s.exec(ctx, ddl); err != nil {
		return s.target.failure("create table "+s.target.changes, err)
	}
	return nil
}

// writeChanges writes all changes of the run to the changes table.
func (s *Session) writeChanges(ctx context.Context, in *diff.Intent, changes *diff.ChangeSet) error {
	if s.target.changes == "" || in.Kind == diff.KindRepair {
		return nil
	}
	l := logger{session: s, names: changes.Columns(), run: in.Run, at: in.CommittedAt.UTC().Format("2006-01-02 15:04:05.000")}
	limit := int(min(s.packet/2, maxStatementBytes))
	size := 0
	for c, err := range changes.All() {
		if err != nil {
			return err
		}
		fields, err := appendFields(nil, l.names, &c)
		if err != nil {
			return err
		}
		n := 2*(len(fields)+len(s.target.pipeline)+diff.MaxKeyText) + 64
		if l.rows > 0 && (size+n > limit || l.rows >= fault.Limit("batch", maxStatementRows)) {
			if err := l.flush(ctx); err != nil {
				return err
			}
			size = 0
		}
		l.add(&c, string(fields))
		size += n
	}
	return l.flush(ctx)
}

// logger sends rows of the changes table in batches.
type logger struct {
	session *Session
	names   []string // of columns
	run     uint64
	at      string
	args    []any
	rows    int
	first   diff.Key
}

func (l *logger) add(c *diff.Change, fields string) {
	if l.rows++; l.rows == 1 {
		l.first = c.Key
	}
	l.args = append(l.args, l.session.target.pipeline, l.run, c.Key.String(), c.Op.String(), l.at, fields)
}

func (l *logger) query(rows int) string {
	const row = "(?, ?, ?, ?, ?, ?)"
	return "INSERT INTO " + quote(l.session.target.changes) + " (`pipeline`, `seq`, `record_key`, `op`, `at`, `fields`) VALUES " +
		row + strings.Repeat(", "+row, rows-1)
}

func (l *logger) flush(ctx context.Context) error {
	if l.rows == 0 {
		return nil
	}
	if err := fault.Hit(fault.TxBatch); err != nil {
		return err
	}
	n, err := l.session.exec(ctx, l.query(l.rows), l.args...)
	name := l.session.target.changes
	switch {
	case number(err) == erDupEntry:
		return &diff.Error{
			Code: diff.CodeDiverged,
			Message: fmt.Sprintf("table %s holds changes of run %d of pipeline %s already, which this run is to be: %v",
				name, l.run, l.session.target.pipeline, err),
			Remedy: fmt.Sprintf("the target was restored without it, or another state file wrote it: DELETE FROM %s WHERE pipeline = '%s' AND seq >= %d, or name another changes_table",
				quote(name), strings.ReplaceAll(l.session.target.pipeline, "'", "''"), l.run),
		}
	case err != nil:
		return fmt.Errorf("write %d changes from key %s to table %s: %w", l.rows, l.first, name, err)
	case n != int64(l.rows):
		return fmt.Errorf("write %d changes from key %s to table %s: it took %d", l.rows, l.first, name, n)
	}
	l.args, l.rows = l.args[:0], 0
	return nil
}

// checkLogged makes sure that the row of the changes table that the change
// makes fits in a statement by itself.
func (s *Session) checkLogged(c *diff.Change, names []string) error {
	fields, err := appendFields(nil, names, c)
	if err != nil {
		return err
	}
	l := logger{session: s, names: names, run: 1<<63 - 1, at: time.Time{}.Format("2006-01-02 15:04:05.000")}
	l.add(c, string(fields))
	query := l.query(1)
	n := 1 + len(query) - len(l.args) + 20
	for _, a := range l.args {
		n += literalLength(a)
	}
	if int64(n) < s.packet {
		return nil
	}
	return &diff.Error{
		Code: diff.CodeTarget,
		Message: fmt.Sprintf("key %s: its change takes %d bytes in table %s, MySQL server %s takes less than %d (max_allowed_packet)",
			c.Key, n, s.target.changes, s.target.cfg.Addr, s.packet),
		Remedy: "raise max_allowed_packet on the server (up to 64 MiB is used), do not map the long field, or remove changes_table",
	}
}

// appendFields appends the JSON array of the fields that the change set,
// changed or removed, each with its name and its values before and after.
func appendFields(b []byte, names []string, c *diff.Change) ([]byte, error) {
	b = append(b, '[')
	var err error
	for i, name := range names {
		var before, after diff.Value
		if i < len(c.Before) {
			before = c.Before[i]
		}
		if i < len(c.After) {
			after = c.After[i]
		}
		if before == after {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(b, `{"name":`...)
		if b, err = jsontext.AppendQuote(b, name); err != nil {
			return nil, err
		}
		b = append(b, `,"before":`...)
		if b, err = appendJSON(b, before); err != nil {
			return nil, err
		}
		b = append(b, `,"after":`...)
		if b, err = appendJSON(b, after); err != nil {
			return nil, err
		}
		b = append(b, '}')
	}
	return append(b, ']'), nil
}

// appendJSON appends a value: integers as exact numbers, all else as text.
func appendJSON(b []byte, v diff.Value) ([]byte, error) {
	switch v.Kind() {
	case diff.Int:
		return strconv.AppendInt(b, v.Int(), 10), nil
	case diff.Text:
		return jsontext.AppendQuote(b, v.Text())
	default:
		return append(b, "null"...), nil
	}
}

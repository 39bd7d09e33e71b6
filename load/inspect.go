package load

import (
	"context"
	"database/sql"
	"slices"
	"strings"
)

// structure is an existing table as the server describes it.
type structure struct {
	kind     string // BASE TABLE, VIEW, …
	engine   string
	columns  map[string]*column // by lower-case name
	order    []string           // of those names
	uniques  []uniqueKey
	triggers []trigger
	foreign  []foreignKey
}

// column is one column as information_schema.COLUMNS has it.
type column struct {
	name, dataType, columnType string
	nullable                   bool
	preset                     sql.NullString // its default, as SQL on MariaDB, bare on MySQL
	chars, octets              sql.NullInt64
	precision, scale, fraction sql.NullInt64
	charset, collation         string
	extra, generation, comment string
}

type uniqueKey struct {
	name    string
	columns []string // lower-case
	partial bool     // over a prefix or an expression
}

type trigger struct{ name, timing, event string }

type foreignKey struct{ name, child, parent, onDelete, onUpdate string }

// kinds returns kind and engine of those of the tables that exist, by the name
// they were asked for.
func (s *Session) kinds(ctx context.Context, names ...string) (map[string]structure, error) {
	kinds := map[string]structure{}
	err := s.each(ctx, func(scan func(...any) error) error {
		var name string
		var st structure
		if err := scan(&name, &st.kind, &st.engine); err != nil {
			return err
		}
		for _, asked := range names {
			if s.same(name, asked) {
				kinds[asked] = st
			}
		}
		return nil
	}, "SELECT TABLE_NAME, TABLE_TYPE, COALESCE(ENGINE, '') FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME IN (?"+
		strings.Repeat(", ?", len(names)-1)+")", append([]any{s.target.cfg.DBName}, anys(names)...)...)
	return kinds, err
}

func anys(texts []string) []any {
	all := make([]any, len(texts))
	for i := range texts {
		all[i] = texts[i]
	}
	return all
}

// inspect describes the target table, and returns nil when there is none.
func (s *Session) inspect(ctx context.Context) (*structure, error) {
	kinds, err := s.kinds(ctx, s.name)
	if err != nil {
		return nil, err
	}
	st, ok := kinds[s.name]
	if !ok {
		return nil, nil //nolint:nilnil // documented
	}
	for _, read := range []func(context.Context, *structure, string) error{s.readColumns, s.readUniques, s.readTriggers, s.readForeignKeys} {
		if err := read(ctx, &st, s.name); err != nil {
			return nil, err
		}
	}
	return &st, nil
}

func (s *Session) readColumns(ctx context.Context, st *structure, name string) error {
	st.columns = map[string]*column{}
	return s.each(ctx, func(scan func(...any) error) error {
		var table, nullable string
		var c column
		err := scan(&table, &c.name, &c.dataType, &c.columnType, &nullable, &c.preset, &c.chars, &c.octets,
			&c.precision, &c.scale, &c.fraction, &c.charset, &c.collation, &c.extra, &c.generation, &c.comment)
		if err == nil && s.same(table, name) {
			c.nullable = nullable == "YES"
			c.dataType, c.columnType = strings.ToLower(c.dataType), strings.ToLower(c.columnType)
			st.columns[strings.ToLower(c.name)] = &c
			st.order = append(st.order, strings.ToLower(c.name))
		}
		return err
	}, "SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, IS_NULLABLE, COLUMN_DEFAULT, CHARACTER_MAXIMUM_LENGTH, CHARACTER_OCTET_LENGTH,"+
		" NUMERIC_PRECISION, NUMERIC_SCALE, DATETIME_PRECISION, COALESCE(CHARACTER_SET_NAME, ''), COALESCE(COLLATION_NAME, ''),"+
		" COALESCE(EXTRA, ''), COALESCE(GENERATION_EXPRESSION, ''), COLUMN_COMMENT"+
		" FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION", s.target.cfg.DBName, name)
}

func (s *Session) readUniques(ctx context.Context, st *structure, name string) error {
	return s.each(ctx, func(scan func(...any) error) error {
		var table, index string
		var on sql.NullString
		var prefix sql.NullInt64
		if err := scan(&table, &index, &on, &prefix); err != nil || !s.same(table, name) {
			return err
		}
		if n := len(st.uniques); n == 0 || st.uniques[n-1].name != index {
			st.uniques = append(st.uniques, uniqueKey{name: index})
		}
		u := &st.uniques[len(st.uniques)-1]
		u.columns = append(u.columns, strings.ToLower(on.String))
		u.partial = u.partial || !on.Valid || prefix.Valid
		return nil
	}, "SELECT TABLE_NAME, INDEX_NAME, COLUMN_NAME, SUB_PART FROM information_schema.STATISTICS"+
		" WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND NON_UNIQUE = 0 ORDER BY INDEX_NAME, SEQ_IN_INDEX", s.target.cfg.DBName, name)
}

func (s *Session) readTriggers(ctx context.Context, st *structure, name string) error {
	return s.each(ctx, func(scan func(...any) error) error {
		var table string
		var t trigger
		err := scan(&table, &t.name, &t.timing, &t.event)
		if err == nil && s.same(table, name) {
			st.triggers = append(st.triggers, t)
		}
		return err
	}, "SELECT EVENT_OBJECT_TABLE, TRIGGER_NAME, ACTION_TIMING, EVENT_MANIPULATION FROM information_schema.TRIGGERS"+
		" WHERE EVENT_OBJECT_SCHEMA = ? AND EVENT_OBJECT_TABLE = ? ORDER BY TRIGGER_NAME", s.target.cfg.DBName, name)
}

// readForeignKeys finds those from the table and those to it. Keys of tables
// in other databases are not looked for: it would open every table there is.
func (s *Session) readForeignKeys(ctx context.Context, st *structure, name string) error {
	return s.each(ctx, func(scan func(...any) error) error {
		var f foreignKey
		err := scan(&f.name, &f.child, &f.parent, &f.onDelete, &f.onUpdate)
		if err == nil && (s.same(f.child, name) || s.same(f.parent, name)) {
			st.foreign = append(st.foreign, f)
		}
		return err
	}, "SELECT CONSTRAINT_NAME, TABLE_NAME, REFERENCED_TABLE_NAME, DELETE_RULE, UPDATE_RULE FROM information_schema.REFERENTIAL_CONSTRAINTS"+
		" WHERE CONSTRAINT_SCHEMA = ? AND (TABLE_NAME = ? OR REFERENCED_TABLE_NAME = ?) ORDER BY TABLE_NAME, CONSTRAINT_NAME",
		s.target.cfg.DBName, name, name)
}

// hasKey reports whether a primary or unique key stands over exactly these
// columns.
func (st *structure) hasKey(columns []string) bool {
	return slices.ContainsFunc(st.uniques, func(u uniqueKey) bool { return u.is(columns) })
}

// is reports whether the key is over exactly these columns, in any order.
func (u *uniqueKey) is(columns []string) bool {
	return !u.partial && len(u.columns) == len(columns) && u.covers(columns)
}

// covers reports whether the key has all these columns.
func (u *uniqueKey) covers(columns []string) bool {
	return !slices.ContainsFunc(columns, func(c string) bool { return !slices.Contains(u.columns, c) })
}

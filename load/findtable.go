package load

import (
	"fmt"
	"slices"
	"strings"
)

// unmapped looks for columns of the owner's own that would refuse an insert
// that does not name them.
func (x *examiner) unmapped() {
	columns := x.target.columns()
	mapped := map[string]bool{}
	for i := range columns {
		mapped[strings.ToLower(columns[i].Name)] = true
	}
	for _, name := range x.st.order {
		c := x.st.columns[name]
		if mapped[name] || c.nullable || c.preset.Valid || c.generation != "" || strings.Contains(c.extra, "auto_increment") {
			continue
		}
		x.add(SeverityError, "default", c.name, fmt.Sprintf("has column %s as NOT NULL without a default, so that no row can be inserted", c.name),
			x.alter(c.mended(c.ownType(), true)))
	}
}

// ownType returns the column's type as it is.
func (c *column) ownType() string {
	if c.isBinary() {
		return c.columnType
	}
	return c.columnType + " CHARACTER SET " + c.charset + " COLLATE " + c.collation
}

// keys looks for a key over exactly the mapped key, and for others that refuse
// rows.
func (x *examiner) keys() {
	t := x.target.table
	var key, mapped []string
	for i := range t.Columns {
		mapped = append(mapped, strings.ToLower(t.Columns[i].Name))
	}
	for _, k := range t.Key {
		key = append(key, mapped[k])
	}
	if !x.st.hasKey(key) {
		clause := "ADD PRIMARY KEY ("
		if slices.ContainsFunc(x.st.uniques, func(u uniqueKey) bool { return u.name == "PRIMARY" }) {
			clause = "ADD UNIQUE KEY ("
		}
		names := strings.Join(keyNames(t), ", ")
		x.add(SeverityError, "key", "", fmt.Sprintf("has no primary or unique key over exactly (%s), the pipeline's key", strings.ReplaceAll(names, "`", "")), x.alter(clause+names+")"))
	}
	for i := range x.st.uniques {
		u := &x.st.uniques[i]
		if !u.partial && u.covers(key) || !slices.ContainsFunc(u.columns, func(c string) bool { return slices.Contains(mapped, c) }) {
			continue
		}
		x.add(SeverityWarning, "unique", "", fmt.Sprintf("has another unique key %s (%s); a run fails when two records share its values", u.name, strings.Join(u.columns, ", ")),
			x.alter(fmt.Sprintf("DROP INDEX %s, ADD INDEX (%s)", quote(u.name), strings.Join(quoteAll(u.columns), ", ")))+", unless the source's records never share them")
	}
}

func (x *examiner) triggers() {
	for _, t := range x.st.triggers {
		x.add(SeverityWarning, "trigger", "", fmt.Sprintf("has trigger %s, which runs %s each %s and may write what no run recorded", t.name, strings.ToLower(t.timing), strings.ToLower(t.event)),
			"make sure that it changes no mapped column, or DROP TRIGGER "+quote(t.name))
	}
}

// foreignKeys looks for deletes and updates that nobody asked for. A key that
// ties the table to itself counts both ways.
func (x *examiner) foreignKeys() {
	for _, f := range x.st.foreign {
		drop := fmt.Sprintf("ALTER TABLE %s DROP FOREIGN KEY %s", quote(f.child), quote(f.name))
		if x.same(f.parent, x.target.table.Name) {
			x.referenced(f, drop)
		}
		if !x.same(f.child, x.target.table.Name) {
			continue
		}
		if acts(f.onDelete) || acts(f.onUpdate) {
			x.add(SeverityWarning, "foreign_key", "", fmt.Sprintf("has foreign key %s to %s with ON DELETE %s, ON UPDATE %s, which changes its rows without a run", f.name, f.parent, f.onDelete, f.onUpdate), drop)
		} else {
			x.add(SeverityWarning, "foreign_key", "", fmt.Sprintf("has foreign key %s; a run fails when %s lacks the row that a record names", f.name, f.parent), drop)
		}
	}
}

// referenced judges a foreign key of another table to this one.
func (x *examiner) referenced(f foreignKey, drop string) {
	switch {
	case x.target.deletes != DeleteHard:
	case acts(f.onDelete):
		x.add(SeverityError, "foreign_key", "", fmt.Sprintf("is the parent of table %s (foreign key %s, ON DELETE %s): a delete here would change rows there", f.child, f.name, f.onDelete),
			drop+" (and add it again with ON DELETE RESTRICT), or set deletes: soft for the pipeline")
	default:
		x.add(SeverityWarning, "foreign_key", "", fmt.Sprintf("is the parent of table %s (foreign key %s); a run fails when it deletes a row that is named there", f.child, f.name),
			"set deletes: soft for the pipeline, or "+drop)
	}
}

// acts reports whether a foreign key's rule changes rows by itself.
func acts(rule string) bool {
	return strings.HasPrefix(rule, "CASCADE") || strings.HasPrefix(rule, "SET ")
}

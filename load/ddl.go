package load

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"jstsync/diff"
)

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

// createTable returns the DDL of the target with the given columns. Text
// columns of the key compare by their bytes, trailing spaces included, so that
// no two keys are ever taken for one: by the collation, or as VARBINARY when
// it is "".
func createTable(t *diff.Table, columns []diff.Column, keyCollation string) string {
	lines := make([]string, 0, len(columns)+1)
	for i := range columns {
		c := columns[i]
		if !slices.Contains(t.Key, i) {
			lines = append(lines, "  "+columnDDL(&c))
			continue
		}
		c.NotNull = true
		lines = append(lines, "  "+keyDDL(&c, keyCollation))
	}
	lines = append(lines, "  PRIMARY KEY ("+strings.Join(keyNames(t), ", ")+")")
	return fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s (\n%s\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
		quote(t.Name), strings.Join(lines, ",\n"))
}

// keyNames returns the quoted names of the key's columns.
func keyNames(t *diff.Table) []string {
	names := make([]string, len(t.Key))
	for i, k := range t.Key {
		names[i] = quote(t.Columns[k].Name)
	}
	return names
}

func isText(c *diff.Column) bool { return c.Type.Base == diff.VarChar || c.Type.Base == diff.LongText }

// keyDDL defines a column of the key.
func keyDDL(c *diff.Column, collation string) string {
	if !isText(c) {
		return columnDDL(c)
	}
	size := c.Type.Size
	if c.Type.Base == diff.LongText {
		size = diff.MaxKeyText // no longer one is a key
	}
	if collation == "" {
		return definition(c, fmt.Sprintf("VARBINARY(%d)", keyBytes(size)))
	}
	return definition(c, fmt.Sprintf("VARCHAR(%d) CHARACTER SET utf8mb4 COLLATE %s", size, collation))
}

// keyBytes is the length of a VARBINARY for key texts of so many characters.
func keyBytes(characters int) int { return min(4*characters, diff.MaxKeyText) }

func columnDDL(c *diff.Column) string { return definition(c, c.Type.String()) }

// addDDL defines a column for a table that may be in another character set.
func addDDL(c *diff.Column) string {
	typ := c.Type.String()
	if isText(c) {
		typ += " CHARACTER SET utf8mb4"
	}
	return "ADD COLUMN " + definition(c, typ)
}

func definition(c *diff.Column, typ string) string {
	ddl := quote(c.Name) + " " + typ
	if c.NotNull {
		ddl += " NOT NULL"
	} else {
		ddl += " NULL"
	}
	if d := defaultDDL(c); d != "" {
		ddl += " DEFAULT " + d
	}
	if c.Comment != "" {
		ddl += " COMMENT " + literal(c.Comment)
	}
	return ddl
}

// defaultDDL returns the literal of the column's default, or "" when it has
// none that every server takes. The mapping fills defaults in itself: in the
// table they serve other writers only. TEXT and JSON take none on MySQL.
func defaultDDL(c *diff.Column) string {
	if c.Default == nil {
		return ""
	}
	given := strings.TrimSpace(*c.Default)
	switch c.Type.Base {
	case diff.BigInt, diff.Integer:
		if _, err := strconv.ParseInt(given, 10, 64); err == nil {
			return given
		}
	case diff.Bool:
		if b, err := strconv.ParseBool(given); err == nil {
			return map[bool]string{false: "0", true: "1"}[b]
		}
	case diff.Decimal:
		if _, problem := decimalText(given, c.Type); problem == "" {
			return literal(given)
		}
	case diff.DateTime:
		return timeDefault(given, time.DateTime+fraction(c.Type.Size))
	case diff.Date:
		return timeDefault(given, time.DateOnly)
	case diff.VarChar:
		return literal(*c.Default)
	}
	return ""
}

func timeDefault(given, stored string) string {
	for _, layout := range []string{time.DateTime, time.DateOnly, "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, given); err == nil {
			return literal(t.Format(stored))
		}
	}
	return ""
}

// fraction is the layout of a second's digits behind the point.
func fraction(digits int) string {
	if digits == 0 {
		return ""
	}
	return "." + strings.Repeat("0", digits)
}

// literal returns a text as SQL, on one line.
func literal(text string) string {
	return "'" + strings.NewReplacer("'", "''", `\`, `\\`, "\n", `\n`, "\r", `\r`, "\x00", `\0`, "\x1a", `\Z`).Replace(text) + "'"
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

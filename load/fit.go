package load

import (
	"fmt"
	"strings"

	"jstsync/diff"
)

// misfit says why a column of the mapped type cannot be stored in c exactly;
// "" when it can. Wider types than needed are fine.
func (c *column) misfit(want diff.Type, key bool) string {
	if key && want.Base == diff.LongText {
		want = diff.Type{Base: diff.VarChar, Size: diff.MaxKeyText} // no longer one is a key
	}
	switch want.Base {
	case diff.BigInt:
		return c.misfitInt(8, 19)
	case diff.Integer:
		return c.misfitInt(4, 10)
	case diff.Bool:
		return c.misfitInt(0, 1)
	case diff.Decimal:
		return c.misfitDecimal(want)
	case diff.DateTime:
		return c.misfitDateTime(want.Size)
	case diff.Date:
		if c.dataType != "date" {
			return c.misfitDateTime(0)
		}
		return ""
	case diff.VarChar:
		if key && c.isBinary() {
			return c.misfitText(keyBytes(want.Size), want.Size)
		}
		return c.misfitText(4*want.Size, want.Size)
	case diff.LongText:
		return c.misfitText(1<<16-1, 1<<16-1)
	case diff.JSON:
		if c.dataType == "json" || c.dataType == "longtext" || c.dataType == "mediumtext" {
			return ""
		}
		return otherType
	}
	return ""
}

// Why a column does not fit.
const (
	otherType = "which stores something else"
	narrower  = "which is narrower"
)

// intBytes are the sizes of the integer types.
func intBytes(dataType string) int {
	return map[string]int{"tinyint": 1, "smallint": 2, "mediumint": 3, "int": 4, "bigint": 8}[dataType]
}

// misfitInt wants so many bytes of a signed integer, or digits of a decimal;
// for 0 bytes, any integer will do.
func (c *column) misfitInt(bytes int, digits int64) string {
	have := intBytes(c.dataType)
	unsigned := strings.Contains(c.columnType, "unsigned") && bytes > 0
	switch {
	case have == 0 && c.dataType != "decimal", c.dataType == "decimal" && c.scale.Int64 != 0:
		return otherType
	case have > 0 && have < bytes, have == 0 && c.precision.Int64 < digits:
		return narrower
	case unsigned:
		return "which takes no negative number"
	}
	return ""
}

func (c *column) misfitDecimal(want diff.Type) string {
	switch {
	case c.dataType != "decimal":
		return otherType
	case c.scale.Int64 < int64(want.Scale):
		return fmt.Sprintf("which keeps %d digits behind the point", c.scale.Int64)
	case c.precision.Int64-c.scale.Int64 < int64(want.Size-want.Scale):
		return narrower
	case strings.Contains(c.columnType, "unsigned"):
		return "which takes no negative number"
	}
	return ""
}

func (c *column) misfitDateTime(digits int) string {
	switch c.dataType {
	case "timestamp":
		return "which shifts with the time zone and ends in 2038"
	case "date":
		return "which drops the time of day"
	case "datetime":
		if c.fraction.Int64 < int64(digits) {
			return "which drops fractions of a second"
		}
		return ""
	}
	return otherType
}

// misfitText wants room for so many bytes, or characters where the type counts
// those.
func (c *column) misfitText(bytes, characters int) string {
	switch c.dataType {
	case "varchar":
		if c.chars.Int64 < int64(characters) {
			return narrower
		}
	case "tinytext", "text", "mediumtext", "longtext", "varbinary", "tinyblob", "blob", "mediumblob", "longblob":
		if c.octets.Int64 < int64(bytes) {
			return narrower
		}
	case "char":
		return "which drops trailing spaces"
	default:
		return otherType
	}
	return ""
}

func (c *column) isBinary() bool { return c.charset == "" || c.charset == "binary" }

// merges reports whether the column takes different texts for one.
func (c *column) merges() bool {
	switch {
	case c.isBinary():
		return false // bytes, or no text at all
	case c.collation == "utf8mb4_nopad_bin", c.collation == "utf8mb4_0900_bin":
		return false
	}
	return true
}

// mended returns the column's definition as the mapping needs it, with the
// owner's comment and default kept. typ is the type and its character set.
func (c *column) mended(typ string, null bool) string {
	ddl := "MODIFY COLUMN " + quote(c.name) + " " + typ
	if null {
		ddl += " NULL"
	} else {
		ddl += " NOT NULL"
	}
	if c.preset.Valid && !strings.EqualFold(c.preset.String, "NULL") {
		ddl += " DEFAULT " + c.presetSQL()
	}
	if c.comment != "" {
		ddl += " COMMENT " + literal(c.comment)
	}
	return ddl
}

// presetSQL returns the column's default as SQL: MariaDB shows it as such,
// MySQL shows a literal bare.
func (c *column) presetSQL() string {
	text := c.preset.String
	lower := strings.ToLower(text)
	switch {
	case strings.HasPrefix(text, "'"), strings.HasPrefix(lower, "current_timestamp"), strings.HasSuffix(text, ")"):
		return text
	case intBytes(c.dataType) > 0, c.dataType == "decimal":
		return text
	}
	return literal(text)
}

// widened returns the type that holds what the mapping needs and what the
// column holds already.
func (c *column) widened(want diff.Type) diff.Type {
	switch {
	case want.Base == diff.Decimal && c.dataType == "decimal":
		whole := max(want.Size-want.Scale, int(c.precision.Int64-c.scale.Int64))
		want.Scale = max(want.Scale, int(c.scale.Int64))
		want.Size = min(whole+want.Scale, 65)
	case want.Base == diff.DateTime && c.fraction.Valid:
		want.Size = max(want.Size, int(c.fraction.Int64))
	case want.Base == diff.VarChar && c.dataType == "char":
		want.Size = max(want.Size, int(c.chars.Int64))
	}
	return want
}

package diff

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Base is a MySQL column type without its size.
type Base string

// The column types a table may have. A BOOL is what MySQL makes of the word,
// a TINYINT(1); a JSON column is a LONGTEXT to MariaDB.
const (
	BigInt   Base = "BIGINT"
	Integer  Base = "INT"
	Decimal  Base = "DECIMAL"
	VarChar  Base = "VARCHAR"
	LongText Base = "TEXT"
	DateTime Base = "DATETIME"
	Date     Base = "DATE"
	Bool     Base = "BOOL"
	JSON     Base = "JSON"
)

// Beijing is the zone of the source's times, which are stored as sent. It has
// known no summer time since 1991, so that no zone database is needed.
var Beijing = time.FixedZone("CST", 8*60*60)

// The limits of types that MySQL 5.7, 8 and MariaDB have in common. A VARCHAR
// of utf8mb4 takes four bytes a character of a row's 65,535.
const (
	maxVarChar   = 16_383
	maxPrecision = 65
	maxScale     = 30
	maxFraction  = 6
)

// Type is a MySQL column type. Size is the length in characters of a VARCHAR,
// the digits of a second's fraction of a DATETIME, and the digits in all of a
// DECIMAL, Scale of which stand behind the point.
type Type struct {
	Base  Base
	Size  int
	Scale int
}

// String returns the type as MySQL takes it in a column's definition, such as
// VARCHAR(255), and as [ParseType] takes it.
func (t Type) String() string {
	switch {
	case t.Base == Decimal:
		return fmt.Sprintf("%s(%d,%d)", t.Base, t.Size, t.Scale)
	case t.Base == VarChar, t.Base == DateTime && t.Size > 0:
		return fmt.Sprintf("%s(%d)", t.Base, t.Size)
	default:
		return string(t.Base)
	}
}

// Kind returns the kind of the type's values.
func (t Type) Kind() Kind {
	switch t.Base {
	case BigInt, Integer, Bool:
		return Int
	default:
		return Text
	}
}

// ParseType reads a column type as people write it, in any case: BIGINT, INT,
// DECIMAL(p,s), VARCHAR(n), TEXT, DATETIME(0..6), DATE, BOOL or JSON. DECIMAL(p)
// has no digits behind the point, DATETIME no fraction. The error says what is
// wrong and what to write instead.
func ParseType(text string) (Type, error) {
	word, inner, sized := strings.Cut(strings.TrimSpace(text), "(")
	t := Type{Base: Base(strings.ToUpper(strings.TrimSpace(word)))}
	var sizes []int
	if sized {
		inner, ok := strings.CutSuffix(inner, ")")
		for part := range strings.SplitSeq(inner, ",") {
			n, err := strconv.ParseUint(strings.TrimSpace(part), 10, 16)
			ok = ok && err == nil
			sizes = append(sizes, int(n))
		}
		if !ok {
			return Type{}, fmt.Errorf("type %q: a size is not a number in parentheses; write it like VARCHAR(255) or DECIMAL(12,2)", text)
		}
	}
	problem := t.size(sizes)
	if problem != "" {
		return Type{}, fmt.Errorf("type %q: %s", text, problem)
	}
	return t, nil
}

// size sets what stood in the type's parentheses, or returns what is wrong.
func (t *Type) size(sizes []int) (problem string) {
	switch t.Base {
	case BigInt, Integer, LongText, Date, Bool, JSON:
		if sizes != nil {
			return "it takes no size; write " + string(t.Base)
		}
	case VarChar:
		if len(sizes) != 1 || sizes[0] < 1 || sizes[0] > maxVarChar {
			return fmt.Sprintf("it needs a length of 1 to %d characters; write it like VARCHAR(255), or TEXT for longer ones", maxVarChar)
		}
		t.Size = sizes[0]
	case DateTime:
		if len(sizes) > 1 || len(sizes) == 1 && sizes[0] > maxFraction {
			return fmt.Sprintf("a second has 0 to %d digits behind the point; write it like DATETIME(3)", maxFraction)
		}
		if sizes != nil {
			t.Size = sizes[0]
		}
	case Decimal:
		return t.sizeDecimal(sizes)
	default:
		return "there is no such type; use BIGINT, INT, DECIMAL(p,s), VARCHAR(n), TEXT, DATETIME(0..6), DATE, BOOL or JSON"
	}
	return ""
}

func (t *Type) sizeDecimal(sizes []int) (problem string) {
	if len(sizes) == 1 {
		sizes = append(sizes, 0)
	}
	if len(sizes) != 2 || sizes[0] < 1 || sizes[0] > maxPrecision || sizes[1] > min(sizes[0], maxScale) {
		return fmt.Sprintf("it needs 1 to %d digits in all, of which at most %d and no more than all stand behind the point; write it like DECIMAL(12,2)",
			maxPrecision, maxScale)
	}
	t.Size, t.Scale = sizes[0], sizes[1]
	return ""
}

package config

import (
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// columnType is a MySQL type as a column names it.
type columnType struct {
	base        string
	size, scale int // as in parentheses, 0 when there are none
}

// The limits of MySQL; a VARCHAR of utf8mb4 has to fit a row of 65,535 bytes.
const (
	maxVarchar   = 16383
	maxPrecision = 65
	maxScale     = 30
	maxFraction  = 6
)

const knownTypes = "BIGINT INT DECIMAL VARCHAR TEXT DATETIME DATE BOOL JSON"

// canonicalType checks a type and writes it in capitals and without blanks.
func canonicalType(text string) (string, fault) {
	t, wrong := parseType(text)
	return t.String(), wrong
}

// String is the canonical form.
func (t columnType) String() string {
	switch {
	case t.base == "DECIMAL":
		return fmt.Sprintf("%s(%d,%d)", t.base, t.size, t.scale)
	case t.size > 0:
		return fmt.Sprintf("%s(%d)", t.base, t.size)
	}
	return t.base
}

// parseType reads BIGINT, INT, DECIMAL(p,s), VARCHAR(n), TEXT, DATETIME,
// DATETIME(n), DATE, BOOL and JSON in any case, with blanks anywhere but in a word.
func parseType(text string) (columnType, fault) {
	word, inner, sized := strings.Cut(strings.TrimSpace(text), "(")
	t := columnType{base: strings.ToUpper(strings.TrimSpace(word))}
	sizes, wrong := parseSizes(inner, sized)
	if wrong == (fault{}) {
		wrong = t.setSize(sizes)
	}
	if wrong != (fault{}) {
		return columnType{}, wrong
	}
	return t, fault{}
}

// parseSizes reads what stands behind the opening parenthesis of a type.
func parseSizes(text string, sized bool) ([]int, fault) {
	if !sized {
		return nil, fault{}
	}
	inner, ok := strings.CutSuffix(text, ")")
	if !ok && !strings.Contains(text, ")") {
		return nil, fault{"has a ( that is not closed", `within { } put quotes around it, as in "DECIMAL(12,2)"`}
	}
	var sizes []int
	for part := range strings.SplitSeq(inner, ",") {
		n, err := strconv.ParseUint(strings.TrimSpace(part), 10, 16)
		ok = ok && err == nil
		sizes = append(sizes, int(n))
	}
	if !ok {
		return nil, fault{"has a size that is no number in parentheses", "write it like VARCHAR(255) or DECIMAL(12,2)"}
	}
	return sizes, fault{}
}

func (t *columnType) setSize(sizes []int) fault {
	switch t.base {
	case "BIGINT", "INT", "TEXT", "DATE", "BOOL", "JSON":
		if len(sizes) > 0 {
			return fault{t.base + " takes no size", "write " + t.base}
		}
	case "VARCHAR":
		if len(sizes) != 1 || sizes[0] < 1 || sizes[0] > maxVarchar {
			return fault{fmt.Sprintf("needs a length of 1 to %d", maxVarchar), "write it like VARCHAR(255), or TEXT for longer texts"}
		}
		t.size = sizes[0]
	case "DATETIME":
		if len(sizes) > 1 || len(sizes) == 1 && sizes[0] > maxFraction {
			return fault{fmt.Sprintf("needs 0 to %d digits of a second", maxFraction), "write it like DATETIME(3)"}
		}
		if len(sizes) == 1 {
			t.size = sizes[0]
		}
	case "DECIMAL":
		if len(sizes) == 1 {
			sizes = append(sizes, 0)
		}
		if len(sizes) != 2 || sizes[0] < 1 || sizes[0] > maxPrecision || sizes[1] > min(maxScale, sizes[0]) {
			return fault{fmt.Sprintf("needs 1 to %d digits, at most %d of them and not more than all behind the point", maxPrecision, maxScale), "write it like DECIMAL(12,2)"}
		}
		t.size, t.scale = sizes[0], sizes[1]
	default:
		remedy := "known: BIGINT, INT, DECIMAL(p,s), VARCHAR(n), TEXT, DATETIME(0) to DATETIME(6), DATE, BOOL and JSON"
		if best := nearest(t.base, strings.Fields(knownTypes)); best != "" {
			remedy = fmt.Sprintf("did you mean %s? %s", best, remedy)
		}
		return fault{"is no column type", remedy}
	}
	return fault{}
}

// typePattern is a regular expression for what parseType takes, but for the ranges.
func typePattern() string {
	var words []string
	for _, word := range strings.Fields(knownTypes) {
		var anyCase strings.Builder
		for _, r := range word {
			fmt.Fprintf(&anyCase, "[%c%c]", r, r+('a'-'A'))
		}
		sizes := ""
		switch word {
		case "VARCHAR":
			sizes = `\s*\(\s*[0-9]+\s*\)`
		case "DATETIME":
			sizes = `(\s*\(\s*[0-6]\s*\))?`
		case "DECIMAL":
			sizes = `\s*\(\s*[0-9]+\s*(,\s*[0-9]+\s*)?\)`
		}
		words = append(words, anyCase.String()+sizes)
	}
	return `^\s*(` + strings.Join(words, "|") + `)\s*$`
}

// checkDefault tells whether a column of the type can have the default.
func (t columnType) checkDefault(text string) fault {
	ok, remedy := true, ""
	switch t.base {
	case "TEXT", "JSON":
		return fault{t.base + " takes no default", "remove it"}
	case "BIGINT", "INT":
		bits := 64
		if t.base == "INT" {
			bits = 32
		}
		_, err := strconv.ParseInt(text, 10, bits)
		ok, remedy = err == nil, "write a whole number"
	case "DECIMAL":
		ok, remedy = t.fits(text), fmt.Sprintf("write a number with at most %d digits behind the point and %d before it", t.scale, t.size-t.scale)
	case "VARCHAR":
		ok, remedy = utf8.RuneCountInString(text) <= t.size, "shorten it"
	case "BOOL":
		ok, remedy = text == "true" || text == "false" || text == "0" || text == "1", "write true or false"
	case "DATE":
		_, err := time.Parse(time.DateOnly, text)
		ok, remedy = err == nil, "write it as 2006-01-02"
	case "DATETIME":
		_, err := time.Parse(time.DateTime, text)
		ok, remedy = err == nil, "write it as 2006-01-02 15:04:05"
	}
	if ok {
		return fault{}
	}
	return fault{"is no value that " + t.String() + " can hold", remedy}
}

// fits tells whether a DECIMAL of this size holds the number exactly.
func (t columnType) fits(text string) bool {
	if !regexp.MustCompile(`^[+-]?[0-9]{1,65}(\.[0-9]{1,30})?$`).MatchString(text) {
		return false
	}
	n, ok := new(big.Rat).SetString(text)
	if !ok {
		return false
	}
	power := func(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }
	n.Mul(n, new(big.Rat).SetInt(power(t.scale)))
	return n.IsInt() && n.Num().CmpAbs(power(t.size)) < 0
}

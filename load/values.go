package load

import (
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"jstsync/diff"
)

// valueOf converts a value as the server sends it to the spelling that a
// mapping gives it: integers, DECIMAL at its scale, DATETIME with the column's
// digits, BOOL as 0 or 1, texts as they are. What the mapped type could not
// hold comes as the text it is, and problem says why.
func valueOf(c *diff.Column, raw sql.RawBytes) (v diff.Value, problem string) {
	if raw == nil {
		if c.NotNull {
			problem = "is NULL"
		}
		return diff.Value{}, problem
	}
	text := string(raw)
	switch c.Type.Base {
	case diff.BigInt, diff.Integer, diff.Bool:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return diff.TextValue(text), "is no integer of 64 bits"
		}
		return diff.IntValue(n), intProblem(c.Type.Base, n)
	case diff.Decimal:
		text, problem = decimalText(text, c.Type)
	case diff.DateTime:
		text, problem = dateTimeText(text, c.Type.Size)
	case diff.Date:
		text, problem = dateTimeText(text, 0)
		if day, ok := strings.CutSuffix(text, " 00:00:00"); ok {
			text = day
		} else if problem == "" && len(text) > len("2006-01-02") {
			problem = "has a time of day"
		}
	case diff.VarChar:
		if utf8.RuneCountInString(text) > c.Type.Size {
			problem = fmt.Sprintf("is longer than %d characters", c.Type.Size)
		}
	}
	if !utf8.ValidString(text) {
		problem = "is no valid UTF-8"
	}
	return diff.TextValue(text), problem
}

func intProblem(base diff.Base, n int64) string {
	switch {
	case base == diff.Integer && int64(int32(n)) != n:
		return "is no integer of 32 bits"
	case base == diff.Bool && n != 0 && n != 1:
		return "is neither 0 nor 1"
	}
	return ""
}

// decimalText spells a decimal with exactly the type's digits behind the
// point, no needless zero before it, and no minus before zero.
func decimalText(text string, t diff.Type) (canonical, problem string) {
	sign, digits := "", text
	if rest, ok := strings.CutPrefix(text, "-"); ok {
		sign, digits = "-", rest
	}
	whole, part, _ := strings.Cut(digits, ".")
	if strings.Trim(whole+part, "0123456789") != "" || whole+part == "" {
		return text, "is no decimal"
	}
	whole = strings.TrimLeft(whole, "0")
	if rest := strings.TrimRight(part, "0"); len(rest) > t.Scale {
		return text, fmt.Sprintf("has more than %d digits behind the point", t.Scale)
	}
	if len(whole) > t.Size-t.Scale {
		problem = fmt.Sprintf("does not fit %s", t)
	}
	part = (part + strings.Repeat("0", t.Scale))[:t.Scale]
	if strings.Trim(whole+part, "0") == "" {
		sign = ""
	}
	if whole == "" {
		whole = "0"
	}
	if t.Scale > 0 {
		part = "." + part
	}
	return sign + whole + part, problem
}

// dateTimeText gives a moment as many digits behind the second as the column
// of the mapping has. A day without a time stays one.
func dateTimeText(text string, digits int) (canonical, problem string) {
	if strings.HasPrefix(text, "0000-") || strings.Contains(text[:min(len(text), 10)], "-00") {
		return text, "is no date"
	}
	moment, part, _ := strings.Cut(text, ".")
	if len(moment) == len("2006-01-02") {
		return text, ""
	}
	if rest := strings.TrimRight(part, "0"); len(rest) > digits {
		return text, fmt.Sprintf("has more than %d digits of a second", digits)
	}
	if digits == 0 {
		return moment, ""
	}
	return moment + "." + (part + strings.Repeat("0", digits))[:digits], ""
}

// rowReader reads rows of some of a table's columns, one at a time.
type rowReader struct {
	columns []diff.Column
	json    func([]byte) (string, error)
	raw     []sql.RawBytes
	into    []any
}

func newRowReader(columns []diff.Column, json func([]byte) (string, error)) *rowReader {
	r := &rowReader{columns: columns, json: json, raw: make([]sql.RawBytes, len(columns)), into: make([]any, len(columns))}
	for i := range r.raw {
		r.into[i] = &r.raw[i]
	}
	return r
}

// read returns the row and which of its values do not fit.
func (r *rowReader) read(scan func(...any) error) (row diff.Row, problems []string, err error) {
	if err := scan(r.into...); err != nil {
		return nil, nil, err
	}
	row = make(diff.Row, len(r.columns))
	for i := range r.columns {
		v, problem := valueOf(&r.columns[i], r.raw[i])
		if r.json != nil && !v.IsNull() && r.columns[i].Type.Base == diff.JSON {
			if text, err := r.json(r.raw[i]); err == nil {
				v = diff.TextValue(text)
			} else {
				problem = err.Error()
			}
		}
		if problem != "" {
			problems = append(problems, fmt.Sprintf("%s %.60q %s", r.columns[i].Name, v.String(), problem))
		}
		row[i] = v
	}
	return row, problems, nil
}

// keyReader reads keys.
type keyReader struct{ *rowReader }

func newKeyReader(t *diff.Table) keyReader {
	columns := make([]diff.Column, len(t.Key))
	for i, k := range t.Key {
		columns[i] = t.Columns[k]
	}
	return keyReader{newRowReader(columns, nil)}
}

// read returns the key, or why there is none.
func (r keyReader) read(scan func(...any) error) (key diff.Key, problem string, err error) {
	parts, problems, err := r.rowReader.read(scan)
	if err != nil {
		return "", "", err
	}
	if key, problem = keyOf(diff.NewKey(parts...)); problem == "" {
		problem = strings.Join(problems, "; ")
	}
	return key, problem, nil
}

// keyOf makes why there is no key a thing to report instead of an error.
func keyOf(key diff.Key, err error) (readable diff.Key, problem string) {
	if err != nil {
		return "", err.Error()
	}
	return key, ""
}

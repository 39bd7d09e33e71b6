package mapping

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"jstsync/diff"
)

// maxTextBytes is what a TEXT column holds.
const maxTextBytes = 65_535

// Reasons why a value does not fit.
var (
	errWantInteger = errors.New("is not an integer")
	errRange       = errors.New("is outside the range of the column")
	errWantDecimal = errors.New("is not a decimal number")
	errScale       = errors.New("has more digits behind the point than the column stores")
	errWantText    = errors.New("is neither a text nor a number")
	errWantDate    = errors.New("is not a date")
	errTimeOfDay   = errors.New("has a time of day, which the column does not store")
	errWantBool    = errors.New("is neither true nor false")
	errTooLong     = errors.New("is too long")
	errNull        = errors.New("is NULL, which the column does not take")
)

// convert brings a cleaned datum to exactly what the column stores.
func (c *Column) convert(d datum) (diff.Value, error) {
	if d.kind == isNull {
		return diff.Value{}, nil
	}
	switch c.Type.Base {
	case diff.BigInt:
		return integer(d, math.MinInt64, math.MaxInt64)
	case diff.Integer:
		return integer(d, math.MinInt32, math.MaxInt32)
	case diff.Decimal:
		return decimal(d, c.Type.Size, c.Type.Scale)
	case diff.DateTime, diff.Date:
		return c.date(d)
	case diff.Bool:
		return boolean(d)
	case diff.JSON:
		return document(d)
	default:
		return c.freeText(d)
	}
}

// plain returns the value of a number of up to 18 digits in a BIGINT column,
// as ids are, to which convert comes by a longer way.
func (c *Column) plain(raw []byte) (n int64, ok bool) {
	if c.Expr != nil || c.Type.Base != diff.BigInt || len(raw) == 0 || len(raw) > 18 {
		return 0, false
	}
	for _, digit := range raw {
		if digit < '0' || digit > '9' {
			return 0, false
		}
		n = 10*n + int64(digit-'0')
	}
	return n, true
}

// excerpt shortens a raw value for a message.
func excerpt(raw []byte) string {
	const limit = 60
	if raw == nil {
		return "a missing value"
	}
	s := strings.ToValidUTF8(string(raw), "\uFFFD")
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}

// isScalar reports whether d is a text or a number.
func (d datum) isScalar() bool { return d.kind == isText || d.kind == isNumber }

// integer takes an integer, or a text of digits.
func integer(d datum, least, greatest int64) (diff.Value, error) {
	if !d.isScalar() || !isDigits(strings.TrimPrefix(d.text, "-")) {
		return diff.Value{}, errWantInteger
	}
	n, err := strconv.ParseInt(d.text, 10, 64)
	if err != nil || n < least || n > greatest {
		return diff.Value{}, errRange
	}
	return diff.IntValue(n), nil
}

// decimal takes a number, or a text of one. Zeros at the end make up the
// scale, and a zero has no sign.
func decimal(d datum, size, scale int) (diff.Value, error) {
	n, ok := parseNumber(d.text)
	switch {
	case !ok || !d.isScalar():
		return diff.Value{}, errWantDecimal
	case n.wholeDigits() > size-scale:
		return diff.Value{}, errRange
	case n.digits != "" && n.exp < -scale:
		return diff.Value{}, errScale
	}
	return diff.TextValue(n.fixed(scale)), nil
}

// freeText takes a text, or a number as its digits.
func (c *Column) freeText(d datum) (diff.Value, error) {
	if !d.isScalar() {
		return diff.Value{}, errWantText
	}
	tooLong := len(d.text) > c.Type.Size && utf8.RuneCountInString(d.text) > c.Type.Size
	if c.Type.Base == diff.LongText {
		tooLong = len(d.text) > maxTextBytes
	}
	if tooLong {
		return diff.Value{}, errTooLong
	}
	return diff.TextValue(d.text), nil
}

// date takes a date with or without a time, as it is written, and keeps as
// much of the second's fraction as a DATETIME column stores; a DATE column
// takes midnight only. Blank is NULL.
func (c *Column) date(d datum) (diff.Value, error) {
	if d.isScalar() && strings.TrimSpace(d.text) == "" {
		return diff.Value{}, nil
	}
	if c.Type.Base == diff.DateTime && d.isScalar() {
		if stored, ok := plainMoment(d.text, c.Type.Size); ok {
			return diff.TextValue(stored), nil
		}
	}
	t, ok := parseDate(d)
	switch {
	case !ok && c.DateOrNull:
		return diff.Value{}, nil
	case !ok:
		return diff.Value{}, errWantDate
	case c.Type.Base == diff.Date && !t.Equal(t.Truncate(24*time.Hour)):
		return diff.Value{}, errTimeOfDay
	case c.Type.Base == diff.Date:
		return diff.TextValue(t.Format(time.DateOnly)), nil
	}
	stored := time.DateTime
	if c.Type.Size > 0 {
		stored += "." + strings.Repeat("0", c.Type.Size)
	}
	return diff.TextValue(t.Format(stored)), nil // Format cuts the fraction, it does not round
}

// plainMoment returns a moment that is spelled as usual, 2006-01-02 15:04:05
// with or without a fraction of a second, with as many digits behind the second
// as asked for. It does what parsing and formatting would, at a tenth of the
// cost; any other spelling is left to them.
func plainMoment(text string, digits int) (stored string, ok bool) {
	const shape = "0000-00-00 00:00:00"
	if len(text) < len(shape) || len(text) > len(shape) && (text[len(shape)] != '.' || len(text) == len(shape)+1) {
		return "", false
	}
	for i := range len(text) {
		switch c := text[i]; {
		case i < len(shape) && shape[i] != '0':
			if c != shape[i] {
				return "", false
			}
		case i != len(shape) && (c < '0' || c > '9'):
			return "", false
		}
	}
	two := func(i int) int { return int(text[i]-'0')*10 + int(text[i+1]-'0') }
	year, month, day := two(0)*100+two(2), time.Month(two(5)), two(8)
	if year < 1000 || month < 1 || month > 12 || day < 1 || two(11) > 23 || two(14) > 59 || two(17) > 59 ||
		day > 28 && day > time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day() {
		return "", false
	}
	switch size := len(shape) + 1 + digits; {
	case digits == 0:
		return text[:len(shape)], true
	case len(text) >= size:
		return text[:size], true
	case len(text) == len(shape):
		return text + "." + strings.Repeat("0", digits), true
	default:
		return text + strings.Repeat("0", size-len(text)), true
	}
}

func parseDate(d datum) (time.Time, bool) {
	if !d.isScalar() {
		return time.Time{}, false
	}
	return ParseDate(d.text)
}

// ParseDate reads a date of the years 1000 to 9999, which is what MySQL holds.
func ParseDate(text string) (time.Time, bool) {
	if text == "" || text[0] < '0' || text[0] > '9' {
		return time.Time{}, false
	}
	for _, layout := range []string{time.DateTime, time.DateOnly, "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, t.Year() >= 1000
		}
	}
	return time.Time{}, false
}

// boolean takes true and false, as such or as a text, and 1 and 0 likewise.
func boolean(d datum) (diff.Value, error) {
	if d.isScalar() || d.kind == isBool {
		switch d.text {
		case "true", "1":
			return diff.IntValue(1), nil
		case "false", "0":
			return diff.IntValue(0), nil
		}
	}
	return diff.Value{}, errWantBool
}

// document takes any JSON value, in its canonical spelling.
func document(d datum) (diff.Value, error) {
	if d.kind == isBroken {
		return diff.Value{}, errJSON
	}
	text, err := CanonicalJSON(d.quoted())
	if err != nil {
		return diff.Value{}, err
	}
	return diff.TextValue(text), nil
}

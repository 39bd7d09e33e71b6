package mapping

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"jstsync/diff"
)

// Reasons why a value does not fit.
var (
	errWantInteger = errors.New("is not an integer")
	errRange       = errors.New("is outside the range of the column")
	errWantText    = errors.New("is neither a text nor a number")
	errWantDate    = errors.New("is not a date")
	errTooLong     = errors.New("is too long")
	errNull        = errors.New("is NULL, which the column does not take")
)

// value converts the raw JSON value of the column's member; nil means that the
// member is missing.
func (c *Column) value(raw []byte) (v diff.Value, err error) {
	if raw != nil && string(raw) != "null" {
		switch c.Type.Base {
		case diff.BigInt:
			v, err = integer(raw)
		case diff.DateTime:
			v, err = c.dateTime(raw)
		default:
			v, err = c.varChar(raw)
		}
	}
	if err == nil && v.IsNull() && c.NotNull {
		err = errNull
	}
	if err != nil {
		return v, fmt.Errorf("member %s: %s %w (column %s %s)", c.From, excerpt(raw), err, c.Name, c.Type)
	}
	return v, nil
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

// scalar returns the text of a JSON string, or the digits of a JSON number.
func scalar(raw []byte) (string, bool) {
	switch jsontext.Value(raw).Kind() {
	case jsontext.KindString:
		text, err := jsontext.AppendUnquote(nil, raw)
		return string(text), err == nil
	case jsontext.KindNumber:
		return string(raw), true
	default:
		return "", false
	}
}

// integer takes an integer, or a string of digits.
func integer(raw []byte) (diff.Value, error) {
	text, ok := scalar(raw)
	digits := strings.TrimPrefix(text, "-")
	if !ok || digits == "" || strings.Trim(digits, "0123456789") != "" {
		return diff.Value{}, errWantInteger
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return diff.Value{}, errRange
	}
	return diff.IntValue(n), nil
}

// varChar takes a string, or a number as its digits.
func (c *Column) varChar(raw []byte) (diff.Value, error) {
	text, ok := scalar(raw)
	if !ok {
		return diff.Value{}, errWantText
	}
	if len(text) > c.Type.Size && utf8.RuneCountInString(text) > c.Type.Size {
		return diff.Value{}, errTooLong
	}
	return diff.TextValue(text), nil
}

// dateTime takes a date with or without a time, as it is written, and keeps as
// much of the second's fraction as the column stores. Blank is NULL.
func (c *Column) dateTime(raw []byte) (diff.Value, error) {
	text, ok := scalar(raw)
	if ok && strings.TrimSpace(text) == "" {
		return diff.Value{}, nil
	}
	for _, layout := range []string{time.DateTime, time.DateOnly, "2006-01-02T15:04:05"} {
		t, err := time.Parse(layout, text)
		if err != nil || t.Year() < 1000 {
			continue
		}
		stored := time.DateTime
		if c.Type.Size > 0 {
			stored += "." + strings.Repeat("0", c.Type.Size)
		}
		return diff.TextValue(t.Format(stored)), nil // Format cuts the fraction, it does not round
	}
	if c.DateOrNull {
		return diff.Value{}, nil
	}
	return diff.Value{}, errWantDate
}

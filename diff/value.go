package diff

import "strconv"

// Kind tells what a [Value] holds.
type Kind uint8

// The kinds of values. DECIMAL, DATETIME and DATE values are Text in their
// canonical spelling, so that nothing is ever rounded on the way.
const (
	Null Kind = iota
	Int
	Text
)

// Value is one typed column value. It is comparable: two values are the same
// exactly when == says so. The zero Value is NULL.
type Value struct {
	kind Kind
	num  int64
	text string
}

// IntValue returns the integer n as a value.
func IntValue(n int64) Value { return Value{kind: Int, num: n} }

// TextValue returns the string s as a value; "" is a value, not NULL.
func TextValue(s string) Value { return Value{kind: Text, text: s} }

// Kind returns what v holds.
func (v Value) Kind() Kind { return v.kind }

// IsNull reports whether v is NULL.
func (v Value) IsNull() bool { return v.kind == Null }

// Int returns the integer of an Int value, and 0 for any other.
func (v Value) Int() int64 { return v.num }

// Text returns the string of a Text value, and "" for any other.
func (v Value) Text() string { return v.text }

// String returns v for people: NULL, an integer's digits, or the bare text.
func (v Value) String() string {
	switch v.kind {
	case Int:
		return strconv.FormatInt(v.num, 10)
	case Text:
		return v.text
	default:
		return "NULL"
	}
}

// Row is one record's values in the order of its table's columns.
type Row []Value

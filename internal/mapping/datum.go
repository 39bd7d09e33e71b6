package mapping

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// datumKind tells what a [datum] is.
type datumKind uint8

const (
	isNull      datumKind = iota // null or missing
	isText                       // a text
	isNumber                     // a number's digits
	isBool                       // true or false
	isComposite                  // the raw JSON of an object or an array
	isBroken                     // no readable value
)

// datum is a value on its way from the source, or from an expression, into a
// column: what JSON knows, with numbers as their digits.
type datum struct {
	kind datumKind
	text string
}

// read takes a raw JSON value; nil is a missing one.
func read(raw []byte) datum {
	if raw == nil {
		return datum{}
	}
	switch jsontext.Value(raw).Kind() {
	case jsontext.KindNull:
		return datum{}
	case jsontext.KindString:
		if n := len(raw) - 1; n > 0 && bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw) {
			return datum{isText, string(raw[1:n])}
		}
		if text, err := jsontext.AppendUnquote(nil, raw); err == nil {
			return datum{isText, string(text)}
		}
		return datum{isBroken, string(raw)}
	case jsontext.KindNumber:
		return datum{isNumber, string(raw)}
	case jsontext.KindTrue, jsontext.KindFalse:
		return datum{isBool, string(raw)}
	case jsontext.KindBeginObject, jsontext.KindBeginArray:
		return datum{isComposite, string(raw)}
	default:
		return datum{isBroken, string(raw)}
	}
}

// result takes what an expression gave.
func result(v any) (datum, error) {
	switch v := v.(type) {
	case nil:
		return datum{}, nil
	case string:
		if !utf8.ValidString(v) {
			return datum{}, errors.New("the text it gives is not valid UTF-8")
		}
		return datum{isText, v}, nil
	case bool:
		return datum{isBool, strconv.FormatBool(v)}, nil
	case int:
		return datum{isNumber, strconv.Itoa(v)}, nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return datum{}, fmt.Errorf("it gives %v, which is no number", v)
		}
		return datum{isNumber, strconv.FormatFloat(v, 'f', -1, 64)}, nil
	default:
		raw, err := encode(nil, v)
		return datum{isComposite, string(raw)}, err
	}
}

// quoted spells the datum as a message quotes it.
func (d datum) quoted() []byte {
	switch d.kind {
	case isNull:
		return []byte("null")
	case isText:
		if raw, err := jsontext.AppendQuote(nil, d.text); err == nil {
			return raw
		}
	}
	return []byte(d.text)
}

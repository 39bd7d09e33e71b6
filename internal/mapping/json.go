package mapping

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// maxJSONDepth is how deep MariaDB lets values lie in a JSON column, counting
// the outermost as the first.
const maxJSONDepth = 31

// Reasons why a value does not fit a JSON column.
var (
	errJSON       = errors.New("is no JSON")
	errJSONTwice  = errors.New("holds an object with the same member twice")
	errJSONDeep   = fmt.Errorf("lies more than %d levels deep, which a JSON column may refuse", maxJSONDepth)
	errJSONNumber = errors.New("holds a number that a JSON column may round")
)

// CanonicalJSON returns the one spelling that a JSON column's value has here:
// no white space, the members of objects sorted by their names' bytes, texts
// with no more escapes than JSON demands, whole numbers of 64 bits as their
// digits, other numbers as the shortest that a floating-point number reads
// back. MariaDB stores the text as it is sent; MySQL spells it its own way, so
// what it answers goes through CanonicalJSON before it is compared. What one of
// the two would round or refuse is an error.
func CanonicalJSON(raw []byte) (string, error) {
	dec := jsontext.NewDecoder(bytes.NewReader(raw))
	text, err := appendCanonical(nil, dec, maxJSONDepth)
	if err != nil {
		return "", err
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return "", errJSON
	}
	return string(text), nil
}

func appendCanonical(dst []byte, dec *jsontext.Decoder, depth int) ([]byte, error) {
	if depth == 0 {
		return nil, errJSONDeep
	}
	token, err := dec.ReadToken()
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return nil, errJSONTwice
	case err != nil:
		return nil, errJSON
	}
	switch token.Kind() {
	case jsontext.KindBeginObject:
		return appendObject(dst, dec, depth)
	case jsontext.KindBeginArray:
		dst = append(dst, '[')
		for i := 0; dec.PeekKind() != jsontext.KindEndArray; i++ {
			if i > 0 {
				dst = append(dst, ',')
			}
			if dst, err = appendCanonical(dst, dec, depth-1); err != nil {
				return nil, err
			}
		}
		_, _ = dec.ReadToken() // the bracket just seen
		return append(dst, ']'), nil
	case jsontext.KindString:
		return jsontext.AppendQuote(dst, token.String())
	case jsontext.KindNumber:
		return appendNumber(dst, token.String())
	default:
		return append(dst, token.String()...), nil
	}
}

// appendObject reads the rest of an object.
func appendObject(dst []byte, dec *jsontext.Decoder, depth int) ([]byte, error) {
	type member struct {
		name string
		text []byte
	}
	var members []member
	for dec.PeekKind() != jsontext.KindEndObject {
		token, err := dec.ReadToken()
		switch {
		case errors.Is(err, jsontext.ErrDuplicateName):
			return nil, errJSONTwice
		case err != nil:
			return nil, errJSON
		}
		m := member{name: token.String()}
		if m.text, err = appendCanonical(nil, dec, depth-1); err != nil {
			return nil, err
		}
		members = append(members, m)
	}
	_, _ = dec.ReadToken() // the brace just seen
	slices.SortFunc(members, func(a, b member) int { return strings.Compare(a.name, b.name) })
	dst = append(dst, '{')
	for i, m := range members {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = jsontext.AppendQuote(dst, m.name); err != nil {
			return nil, errJSON
		}
		dst = append(append(dst, ':'), m.text...)
	}
	return append(dst, '}'), nil
}

func appendNumber(dst []byte, text string) ([]byte, error) {
	n, ok := parseNumber(text)
	if !ok {
		return nil, errJSON
	}
	if digits, ok := n.integer(); ok {
		_, err := strconv.ParseInt(digits, 10, 64)
		_, uerr := strconv.ParseUint(digits, 10, 64)
		if err == nil || uerr == nil {
			return append(dst, digits...), nil
		}
	}
	f, ok := n.float()
	if !ok {
		return nil, errJSONNumber
	}
	return strconv.AppendFloat(dst, f, 'g', -1, 64), nil
}

// encode appends what an expression made as JSON.
func encode(dst []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...), nil
	case bool:
		return strconv.AppendBool(dst, v), nil
	case int:
		return strconv.AppendInt(dst, int64(v), 10), nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("it gives %v, which is no number", v)
		}
		return strconv.AppendFloat(dst, v, 'g', -1, 64), nil
	case string:
		dst, err := jsontext.AppendQuote(dst, v)
		if err != nil {
			return nil, errors.New("a text it gives is not valid UTF-8")
		}
		return dst, nil
	case map[string]any:
		return encodeObject(dst, v)
	}
	list, ok := elements(v)
	if !ok {
		return nil, fmt.Errorf("it gives a %T, which no column takes", v)
	}
	dst = append(dst, '[')
	for i, e := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = encode(dst, e); err != nil {
			return nil, err
		}
	}
	return append(dst, ']'), nil
}

func encodeObject(dst []byte, object map[string]any) ([]byte, error) {
	names := make([]string, 0, len(object))
	for name := range object {
		names = append(names, name)
	}
	slices.Sort(names)
	dst = append(dst, '{')
	for i, name := range names {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = encode(dst, name); err == nil {
			dst, err = encode(append(dst, ':'), object[name])
		}
		if err != nil {
			return nil, err
		}
	}
	return append(dst, '}'), nil
}

// elements returns the elements of a list, whatever the library made it of.
func elements(v any) ([]any, bool) {
	if list, ok := v.([]any); ok {
		return list, true
	}
	r := reflect.ValueOf(v)
	if r.Kind() != reflect.Slice {
		return nil, false
	}
	list := make([]any, r.Len())
	for i := range list {
		list[i] = r.Index(i).Interface()
	}
	return list, true
}

// decode returns a raw JSON value as expressions see it. nil is a missing one.
func decode(raw []byte) (any, error) {
	if raw == nil {
		return nil, nil
	}
	return decodeNext(jsontext.NewDecoder(bytes.NewReader(raw)))
}

func decodeNext(dec *jsontext.Decoder) (any, error) {
	token, err := dec.ReadToken()
	if err != nil {
		return nil, err
	}
	switch token.Kind() {
	case jsontext.KindBeginObject:
		object := map[string]any{}
		for dec.PeekKind() != jsontext.KindEndObject {
			name, err := dec.ReadToken()
			if err != nil {
				return nil, err
			}
			key := name.String() // before the next token takes its bytes
			if object[key], err = decodeNext(dec); err != nil {
				return nil, err
			}
		}
		_, err = dec.ReadToken()
		return object, err
	case jsontext.KindBeginArray:
		list := []any{}
		for dec.PeekKind() != jsontext.KindEndArray {
			v, err := decodeNext(dec)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err = dec.ReadToken()
		return list, err
	case jsontext.KindString:
		return token.String(), nil
	case jsontext.KindNumber:
		return operand(token.String()), nil
	case jsontext.KindNull:
		return nil, nil
	default:
		return token.Bool(), nil
	}
}

// operand returns a number as expressions calculate with it: a whole number of
// 64 bits is an int, another one a float64 when that reads back as the same
// digits, and what is left stays the text that was sent.
func operand(text string) any {
	n, ok := parseNumber(text)
	if !ok {
		return text
	}
	if digits, ok := n.integer(); ok {
		if i, err := strconv.ParseInt(digits, 10, 64); err == nil && i > math.MinInt64 {
			return int(i)
		}
	}
	if f, ok := n.float(); ok {
		return f
	}
	return text
}

package extract

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"jstsync/diff"
)

// ErrRecord is what the Err of a record that cannot be trusted wraps.
var ErrRecord = errors.New("unsound record")

// list reads a member in a place of the rows.
func (p *parser) list(path string) error {
	if p.rows[path] != nil {
		return misshapen("the answer has %s twice", path)
	}
	list := &rowList{kind: p.dec.PeekKind()}
	if len(p.rows) == 0 {
		list.records = p.records
	}
	p.rows[path] = list
	if list.kind != jsontext.KindBeginArray {
		_, err := p.value()
		return err
	}
	if err := p.dec.open('['); err != nil {
		return err
	}
	for p.dec.PeekKind() != jsontext.KindEndArray {
		if len(list.records) == maxRows {
			return misshapen("the answer has more than %d records", maxRows)
		}
		r, err := p.record()
		if err != nil {
			return err
		}
		list.records = append(list.records, r)
	}
	if len(p.rows) == 1 {
		p.records = list.records
	}
	return p.dec.close()
}

// record reads one row. The error is one that loses its boundaries.
func (p *parser) record() (diff.Record, error) {
	if p.dec.PeekKind() != jsontext.KindBeginObject {
		raw, err := p.value()
		if err != nil {
			return diff.Record{}, err
		}
		return diff.Record{Err: fmt.Errorf("%w: %s is not an object", ErrRecord, clip(raw, 40))}, nil
	}
	p.names.begin()
	p.plain, p.sound = true, true
	fault, err := p.readMembers()
	if err != nil {
		return diff.Record{}, err
	}
	if fault == nil {
		fault = p.unsound()
	}
	return diff.Record{Members: p.members, Err: fault}, nil
}

// readMembers reads the object that comes next. What is wrong with a name is the
// fault; the error is one that loses the record's boundaries.
func (p *parser) readMembers() (fault, err error) {
	start := len(p.slab)
	for at, more := p.dec.firstMember(); more; at, more = p.dec.nextMember() {
		if len(p.slab)-start == maxMembers {
			return nil, misshapen("a record has more than %d members", maxMembers)
		}
		name, from, err := p.name(at)
		if err != nil {
			if errors.Is(err, errSyntax) {
				return nil, err
			}
			fault = cmp.Or(fault, fmt.Errorf("%w: a member's name is not valid text", ErrRecord))
		}
		v, plain := p.dec.memberValue(from)
		if v == nil {
			return nil, errSyntax
		}
		if !plain {
			if (v[0] == '{' || v[0] == '[') && len(p.dec.stack)+1+depth(v) > maxDepth {
				return nil, misshapen("the answer is nested deeper than %d levels", maxDepth)
			}
			p.plain = p.plain && v[0] == '"' && bytes.IndexByte(v, '\\') < 0
			p.sound = p.sound && validText(v)
		}
		p.slab = append(p.slab, diff.Member{Name: name, Raw: v})
	}
	p.members = p.slab[start:len(p.slab):len(p.slab)]
	return fault, p.dec.endMembers()
}

// name returns the name of the member that begins there, and where its value
// begins. An error that is not errSyntax says that it is not valid text.
func (p *parser) name(at int) (name string, value int, err error) {
	if name, value, ok := p.names.guess(&p.dec, at); ok {
		return name, value, nil
	}
	if name, value, ok := p.names.lookup(&p.dec, at); ok {
		return name, value, nil
	}
	quoted, value := p.dec.name(at)
	if quoted == nil {
		return "", 0, errSyntax
	}
	name, err = p.names.find(quoted)
	return name, value, err
}

// unsound returns why the record that was read is not to be trusted, or nil. Its
// names are valid text.
func (p *parser) unsound() error {
	if p.names.twice != nil {
		return fmt.Errorf("%w: member %q comes twice", ErrRecord, *p.names.twice)
	}
	if p.plain && p.sound {
		return nil // neither escapes nor objects that could be wrong
	}
	for _, m := range p.members {
		c := m.Raw[0]
		if c != '"' && c != '{' && c != '[' {
			continue
		}
		if !utf8.Valid(m.Raw) {
			return fmt.Errorf("%w: member %q is not valid UTF-8", ErrRecord, m.Name)
		}
		if c == '"' && bytes.IndexByte(m.Raw, '\\') < 0 {
			continue
		}
		if !jsontext.Value(m.Raw).IsValid() {
			return fmt.Errorf("%w: member %q %s", ErrRecord, m.Name, flaw(c))
		}
	}
	return nil
}

// validText is [utf8.Valid], quicker on Chinese: of characters of three bytes,
// but for those next to the surrogates, any continuation will do.
func validText(b []byte) bool {
	for i := 0; i < len(b); {
		switch c := b[i]; {
		case c < utf8.RuneSelf:
			i++
		case 0xe1 <= c && c <= 0xef && c != 0xed && i+2 < len(b) && b[i+1]&0xc0 == 0x80 && b[i+2]&0xc0 == 0x80:
			i += 3
		default:
			r, size := utf8.DecodeRune(b[i:])
			if r == utf8.RuneError && size == 1 {
				return false
			}
			i += size
		}
	}
	return true
}

func flaw(first byte) string {
	if first == '"' {
		return "holds half a surrogate pair"
	}
	return "holds a name twice or text that is not valid"
}

// unquote returns the content of a JSON string; on an error, as far as it is
// text.
func unquote(quoted []byte) (string, error) {
	b, err := jsontext.AppendUnquote(nil, quoted)
	return string(b), err
}

// depth returns how deep objects and arrays are nested in a syntactically
// valid value: 0 for a scalar.
func depth(raw []byte) int {
	if raw[0] != '{' && raw[0] != '[' {
		return 0
	}
	deepest, d, quoted := 0, 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case quoted:
			switch c {
			case '\\':
				i++
			case '"':
				quoted = false
			}
		case c == '"':
			quoted = true
		case c == '{', c == '[':
			d++
			deepest = max(deepest, d)
		case c == '}', c == ']':
			d--
		}
	}
	return deepest
}

package extract

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
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
	start := p.dec.at
	fault, err := p.members()
	if err != nil {
		return diff.Record{}, err
	}
	if fault == nil {
		fault = p.unsound(p.body[start:p.dec.at])
	}
	return diff.Record{Members: p.take(), Err: fault}, nil
}

// members reads the object that comes next into scratch. What is wrong with a
// name is the fault; the error is one that loses the record's boundaries.
func (p *parser) members() (fault, err error) {
	p.scratch = p.scratch[:0]
	for at, more := p.dec.firstMember(); more; at, more = p.dec.nextMember() {
		quoted, v := p.dec.member(at)
		if v == nil {
			return nil, errSyntax
		}
		i := len(p.scratch)
		if i == maxMembers {
			return nil, misshapen("a record has more than %d members", maxMembers)
		}
		name, err := p.name(i, quoted)
		if err != nil && fault == nil {
			fault = fmt.Errorf("%w: a member's name is not valid text", ErrRecord)
		}
		if (v[0] == '{' || v[0] == '[') && len(p.dec.stack)+1+depth(v) > maxDepth {
			return nil, misshapen("the answer is nested deeper than %d levels", maxDepth)
		}
		p.scratch = append(p.scratch, diff.Member{Name: name, Raw: v})
	}
	return fault, p.dec.endMembers()
}

// name returns the i-th member's name, as a rule that of the i-th member of
// the record before.
func (p *parser) name(i int, quoted []byte) (string, error) {
	inner := quoted[1 : len(quoted)-1]
	if i < len(p.names) && p.names[i] == string(inner) {
		return p.names[i], nil
	}
	if s, ok := p.intern[string(inner)]; ok {
		return s, nil
	}
	s, err := unquote(quoted)
	if err != nil {
		return s, err
	}
	if s == string(inner) { // no escapes: its spelling stands for it
		p.intern[s] = s
	}
	return s, nil
}

// unsound returns why the record in scratch, spelled as raw, is not to be
// trusted, or nil.
func (p *parser) unsound(raw []byte) error {
	if name, ok := p.duplicate(); ok {
		return fmt.Errorf("%w: member %q comes twice", ErrRecord, name)
	}
	sound := utf8.Valid(raw)
	if sound && bytes.IndexByte(raw, '\\') < 0 && bytes.IndexByte(raw[1:], '{') < 0 {
		return nil // neither escapes nor objects that could be wrong
	}
	for _, m := range p.scratch {
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
	if !sound { // in a name
		return fmt.Errorf("%w: not valid UTF-8", ErrRecord)
	}
	return nil
}

func flaw(first byte) string {
	if first == '"' {
		return "holds half a surrogate pair"
	}
	return "holds a name twice or text that is not valid"
}

// duplicate returns a name that the record in scratch has twice. A record
// whose names are those of one already examined is not examined again.
func (p *parser) duplicate() (string, bool) {
	if slices.EqualFunc(p.scratch, p.names, func(m diff.Member, name string) bool { return m.Name == name }) {
		return "", false
	}
	if name, ok := twice(p.scratch); ok {
		return name, true
	}
	p.names = p.names[:0]
	for _, m := range p.scratch {
		if strings.Contains(m.Name, `\`) { // it is not how it is spelled
			break
		}
		p.names = append(p.names, m.Name)
	}
	return "", false
}

// twice returns a name that two of the members have.
func twice(members []diff.Member) (string, bool) {
	if len(members) <= 32 { // as a rule; a map takes longer
		for i := range members {
			for j := range i {
				if members[i].Name == members[j].Name {
					return members[i].Name, true
				}
			}
		}
		return "", false
	}
	seen := make(map[string]bool, len(members))
	for i := range members {
		if seen[members[i].Name] {
			return members[i].Name, true
		}
		seen[members[i].Name] = true
	}
	return "", false
}

// take copies scratch into the slab, so that a page's members cost a few
// allocations and not one a record.
func (p *parser) take() []diff.Member {
	n := len(p.scratch)
	if cap(p.slab)-len(p.slab) < n {
		p.slab = make([]diff.Member, 0, max(n, min(128*n, 4096))) // a page of them, as a rule
	}
	start := len(p.slab)
	p.slab = append(p.slab, p.scratch...)
	return p.slab[start:len(p.slab):len(p.slab)]
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

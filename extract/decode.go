package extract

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"jstsync/diff"
)

// What an answer may hold; more is an error of the page.
const (
	maxBody    = 64 << 20 // bytes, decompressed
	maxDepth   = 64       // objects and arrays inside one another
	maxRows    = 100_000  // records in one answer
	maxMembers = 1024     // members of one record

	maxKept = 1 << 20 // bytes of a room that is used again
)

// answer is a decoded envelope.
type answer struct {
	code     int
	message  string
	rows     []diff.Record
	hasNext  *bool // nil when absent or null
	pageSize int   // 0 when absent
	grant    grant // of a token call

	parser *parser       // whose the rows are, or nil
	room   *bytes.Buffer // that they alias, or nil
}

// release gives back what the rows are in, which nobody may look at any more.
func (a *answer) release() {
	if a.room != nil && a.room.Cap() <= maxKept {
		rooms.Put(a.room)
	}
	if a.parser != nil && cap(a.parser.slab) <= maxKept/64 {
		parsers.Put(a.parser)
	}
	*a = answer{}
}

// answerError says why an answer could not be decoded.
type answerError struct {
	class Class // NotJSON or BadShape
	what  string
	err   error
}

func (e *answerError) Error() string {
	if e.err == nil {
		return e.what
	}
	return e.what + ": " + e.err.Error()
}

func (e *answerError) Unwrap() error { return e.err }

func misshapen(format string, args ...any) error {
	return &answerError{class: BadShape, what: fmt.Sprintf(format, args...)}
}

// decodeAnswer decodes an envelope. The records alias body, which must not be
// changed afterwards. The error is an *answerError.
//
// The rows are those of data.datas, else of data.shops, else of a top-level
// shops, the first of them that is there and not null; where they are only
// null, the page is empty. They matter, and must be there, only when the code
// is 0.
func decodeAnswer(body []byte) (*answer, error) {
	p, err := parse(body, (*parser).top)
	if err != nil {
		return nil, err
	}
	return p.answer()
}

// parse reads an envelope, handing each of its members to top.
func parse(body []byte, top func(p *parser, path string) error) (*parser, error) {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, &answerError{class: NotJSON, what: "the answer is empty"}
	}
	p := parsers.Get().(*parser)
	p.begin(body)
	if kind := p.dec.PeekKind(); kind != jsontext.KindBeginObject {
		if _, err := p.dec.ReadValue(); err != nil {
			return nil, p.asAnswerError(err)
		}
		return nil, misshapen("the answer is not an object")
	}
	if err := p.object("", func(path string) error { return top(p, path) }); err != nil {
		return nil, p.asAnswerError(err)
	}
	if err := p.dec.end(); !errors.Is(err, io.EOF) {
		return nil, &answerError{class: NotJSON, what: "more follows the answer"}
	}
	return p, nil
}

// syntaxError says why a text is not JSON. Names and texts are judged record by
// record, and not here.
func syntaxError(body []byte) error {
	dec := jsontext.NewDecoder(bytes.NewBuffer(body), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	for {
		if _, err := dec.ReadToken(); err != nil {
			return err
		}
	}
}

func notJSON(err error) error {
	if e, ok := errors.AsType[*jsontext.SyntacticError](err); ok && len(e.JSONPointer) > 60 {
		bare := *e
		bare.JSONPointer = "" // it would be shown cut, and a secret in it cut in two
		err = &bare
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &answerError{class: NotJSON, what: "the answer is cut off", err: err}
	}
	return &answerError{class: NotJSON, what: "the answer is not JSON", err: err}
}

func (p *parser) asAnswerError(err error) error {
	if _, ok := errors.AsType[*answerError](err); ok {
		return err
	}
	return notJSON(syntaxError(p.body))
}

// parsers holds parsers whose rows nobody looks at any more.
var parsers = sync.Pool{New: func() any {
	return &parser{
		raw: make(map[string][]byte), rows: make(map[string]*rowList), names: names{number: make(map[string]int)},
		slab: make([]diff.Member, 0, 1600), // those of a page, as a rule
	}
}}

// parser reads one answer in one pass.
type parser struct {
	body []byte
	dec  lexer
	raw  map[string][]byte   // envelope members, by path
	rows map[string]*rowList // candidates for the rows, by path

	names   names         // of members of records
	members []diff.Member // of the record read last
	plain   bool          // it is free of escapes, objects and arrays, so far
	sound   bool          // its values are valid UTF-8, so far
	slab    []diff.Member // members of all records
	records []diff.Record // room for those of the first list
}

// begin makes the parser ready for another answer. What it learned of names it
// keeps, within bounds.
func (p *parser) begin(body []byte) {
	p.body, p.dec = body, lexer{body: body, stack: p.dec.stack[:0]}
	clear(p.raw)
	clear(p.rows)
	p.names.forget()
	p.slab, p.records = p.slab[:0], p.records[:0]
}

// rowList is a member in a place of the rows.
type rowList struct {
	kind    jsontext.Kind
	records []diff.Record
}

// object reads an object, calling member with the path of each member when
// its value is next. A path must not come twice.
func (p *parser) object(prefix string, member func(path string) error) error {
	if err := p.dec.open('{'); err != nil {
		return err
	}
	for p.dec.PeekKind() != jsontext.KindEndObject {
		quoted, err := p.dec.ReadValue()
		if err != nil {
			return err
		}
		name, _ := unquote(quoted)
		if err := member(prefix + name); err != nil {
			return err
		}
	}
	return p.dec.close()
}

func (p *parser) top(path string) error {
	switch path {
	case "data":
		if p.dec.PeekKind() == jsontext.KindBeginObject {
			if err := p.keep(path, nil); err != nil {
				return err
			}
			return p.object("data.", p.data)
		}
	case "shops":
		return p.list(path)
	case "code", "msg", "message", "issuccess", "has_next", "page_size":
	default:
		_, err := p.value()
		return err
	}
	return p.scalar(path)
}

func (p *parser) data(path string) error {
	switch path {
	case "data.datas", "data.shops":
		return p.list(path)
	case "data.has_next", "data.page_size":
		return p.scalar(path)
	default:
		_, err := p.value()
		return err
	}
}

func (p *parser) scalar(path string) error {
	raw, err := p.value()
	if err != nil {
		return err
	}
	return p.keep(path, raw)
}

func (p *parser) keep(path string, raw []byte) error {
	if _, twice := p.raw[path]; twice {
		return misshapen("the answer has %s twice", path)
	}
	p.raw[path] = raw
	return nil
}

// value reads the next value whole, whatever it is.
func (p *parser) value() ([]byte, error) {
	v, err := p.dec.ReadValue()
	if err != nil {
		return nil, err
	}
	if len(p.dec.stack)+depth(v) > maxDepth {
		return nil, misshapen("the answer is nested deeper than %d levels", maxDepth)
	}
	return v, nil
}

// answer makes sense of what was read.
func (p *parser) answer() (*answer, error) {
	a := &answer{message: first(text(p.raw["msg"]), text(p.raw["message"])), parser: p}
	if err := p.outcome(a); err != nil {
		return nil, err
	}
	if a.code != 0 {
		return a, nil
	}
	if err := p.paging(a); err != nil {
		return nil, err
	}
	found := false
	for _, path := range []string{"data.datas", "data.shops", "shops"} {
		list := p.rows[path]
		if list == nil {
			continue
		}
		found = true
		switch list.kind {
		case jsontext.KindNull:
			continue
		case jsontext.KindBeginArray:
			a.rows = list.records
			return a, nil
		default:
			return nil, misshapen("%s is not an array", path)
		}
	}
	if !found {
		return nil, misshapen("the answer has no rows: neither data.datas nor data.shops nor shops")
	}
	return a, nil
}

// outcome reads the code; an answer without one says issuccess.
func (p *parser) outcome(a *answer) error {
	raw := p.raw["code"]
	switch {
	case raw == nil && string(p.raw["issuccess"]) == "true":
		return nil
	case raw == nil:
		return misshapen("the answer has no code")
	}
	code, err := strconv.Atoi(strings.TrimSpace(scalarText(raw)))
	if err != nil {
		return misshapen("the answer's code is not a number")
	}
	if code == 0 && string(p.raw["issuccess"]) == "false" {
		return misshapen("the answer has code 0 and is no success")
	}
	a.code = code
	return nil
}

func (p *parser) paging(a *answer) error {
	raw := p.firstRaw("data.has_next", "has_next")
	switch t := strings.ToLower(scalarText(raw)); t {
	case "", "null":
	case "true", "false":
		next := t == "true"
		a.hasNext = &next
	default:
		n, err := strconv.Atoi(t)
		if err != nil {
			return misshapen("has_next is %s, neither yes nor no", shortOrSize(raw))
		}
		next := n != 0
		a.hasNext = &next
	}
	// Without a readable page size, the one asked for stands.
	n, err := strconv.Atoi(scalarText(p.firstRaw("data.page_size", "page_size")))
	if err == nil && n > 0 {
		a.pageSize = n
	}
	return nil
}

func (p *parser) firstRaw(paths ...string) []byte {
	for _, path := range paths {
		if raw := p.raw[path]; raw != nil && string(raw) != "null" {
			return raw
		}
	}
	return nil
}

// scalarText returns a string's content, and any other value as it stands.
func scalarText(raw []byte) string {
	if len(raw) > 0 && raw[0] == '"' {
		return text(raw)
	}
	return string(raw)
}

// text returns a string's content, "" for null or nothing, and any other
// value as it stands.
func text(raw []byte) string {
	if len(raw) == 0 || raw[0] == 'n' {
		return ""
	}
	if raw[0] != '"' {
		return string(raw)
	}
	s, _ := unquote(raw)
	return s
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// shortOrSize shows a value whole or not at all: a secret that is cut in two
// can no longer be masked.
func shortOrSize(raw []byte) string {
	if len(raw) > 40 {
		return fmt.Sprintf("%d bytes long", len(raw))
	}
	return strings.ToValidUTF8(string(raw), "\uFFFD")
}

// clip returns at most n bytes of b, as valid UTF-8.
func clip(b []byte, n int) string {
	if len(b) <= n {
		return strings.ToValidUTF8(string(b), "\uFFFD")
	}
	return strings.ToValidUTF8(string(b[:n]), "") + "…"
}

package extract

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/bits"

	"github.com/go-json-experiment/json/jsontext"
)

// lexer reads JSON that is in memory as a whole, as [jsontext.Decoder] does
// when it is to allow duplicate names and invalid UTF-8, at a fraction of its
// cost: a quiet poll does little else. It takes the same texts and no others;
// why a text is not JSON it leaves to that decoder to say.
type lexer struct {
	body  []byte
	at    int     // of the next byte
	stack []frame // of the objects and arrays that are open
	ready bool    // at is that of the next token
}

// frame is an open object or array and how many names and values of it were read.
type frame struct {
	kind byte
	n    int
}

// errSyntax is the only error of a lexer besides io.EOF.
var errSyntax = errors.New("not JSON")

// maxNesting is how deep jsontext reads.
const maxNesting = 10_000

// PeekKind returns the kind of the next token, or 0 when there is none.
func (l *lexer) PeekKind() jsontext.Kind {
	if !l.ready && !l.separate() {
		return 0
	}
	switch c := l.body[l.at]; {
	case c == '-' || '0' <= c && c <= '9':
		return '0'
	default:
		return jsontext.Kind(c)
	}
}

// separate moves to the next token, past white space and what stands between
// tokens. It reports false when that is not what should stand there.
func (l *lexer) separate() bool {
	l.space()
	if l.at == len(l.body) {
		return false
	}
	if len(l.stack) > 0 {
		top := &l.stack[len(l.stack)-1]
		c := l.body[l.at]
		switch {
		case top.n == 0, c == '}' && top.kind == '{' && top.n%2 == 0, c == ']' && top.kind == '[':
		case top.kind == '{' && top.n%2 == 1:
			if c != ':' {
				return false
			}
			l.at++
			l.space()
		default:
			if c != ',' {
				return false
			}
			l.at++
			l.space()
			if l.at < len(l.body) && (l.body[l.at] == '}' || l.body[l.at] == ']') {
				return false
			}
		}
	}
	l.ready = l.at < len(l.body)
	return l.ready
}

func (l *lexer) space() { l.at = skipSpace(l.body, l.at) }

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// open reads the beginning of an object or array.
func (l *lexer) open(kind byte) error {
	if l.PeekKind() != jsontext.Kind(kind) || l.nameNext() {
		return errSyntax
	}
	l.count()
	l.at++
	l.stack = append(l.stack, frame{kind: kind})
	return nil
}

// close reads the end of the innermost object or array.
func (l *lexer) close() error {
	top := frame{}
	if n := len(l.stack); n > 0 {
		top = l.stack[n-1]
	}
	if c := l.PeekKind(); top.kind == 0 || c != jsontext.Kind(top.kind)+2 || top.kind == '{' && top.n%2 == 1 { // ] and } are two after [ and {
		return errSyntax
	}
	l.at++
	l.ready = false
	l.stack = l.stack[:len(l.stack)-1]
	return nil
}

// end makes sure that nothing follows. It returns io.EOF when that is so.
func (l *lexer) end() error {
	if l.space(); len(l.stack) == 0 && l.at == len(l.body) {
		return io.EOF
	}
	return errSyntax
}

// nameNext reports whether the next token is the name of a member.
func (l *lexer) nameNext() bool {
	if len(l.stack) == 0 {
		return false
	}
	top := l.stack[len(l.stack)-1]
	return top.kind == '{' && top.n%2 == 0
}

func (l *lexer) count() {
	if n := len(l.stack); n > 0 {
		l.stack[n-1].n++
	}
	l.ready = false
}

// firstMember enters the object that comes next and returns where its first
// member begins, if it has any. It is left with endMembers.
func (l *lexer) firstMember() (at int, more bool) {
	l.at = skipSpace(l.body, l.at+1)
	return l.at, l.at < len(l.body) && l.body[l.at] != '}'
}

// named reports whether the member that begins there has the given name, which
// has no escapes, and where its value begins then.
func (l *lexer) named(at int, name string) (value int, ok bool) {
	b, end := l.body[at:], len(name)+1 // of the name's content
	if len(b) < end+2 || b[end] != '"' || b[end+1] != ':' || b[0] != '"' || string(b[1:end]) != name {
		return 0, false
	}
	return skipSpace(l.body, at+end+2), true
}

// name returns the name of the member that begins there, in its quotes, and
// where its value begins; no name when it is no member.
func (l *lexer) name(at int) (quoted []byte, value int) {
	if l.body[at] != '"' {
		return nil, 0
	}
	end, _ := skipPlain(l.body, at+1)
	if end < 0 {
		if end = skipString(l.body, at+1); end < 0 {
			return nil, 0
		}
	}
	i := skipSpace(l.body, end)
	if i == len(l.body) || l.body[i] != ':' {
		return nil, 0
	}
	return l.body[at:end], skipSpace(l.body, i+1)
}

// memberValue returns the value that begins at i, nil when it is none, and
// whether it is plain: a scalar of ASCII characters without an escape.
func (l *lexer) memberValue(i int) (value []byte, plain bool) {
	end := -1
	if i < len(l.body) && l.body[i] == '"' {
		end, plain = skipPlain(l.body, i+1)
	}
	if end < 0 {
		if end = skipValue(l.body, i, len(l.stack)+1); end < 0 {
			l.at = len(l.body)
			return nil, false
		}
		plain = l.body[i] != '"' && l.body[i] != '{' && l.body[i] != '['
	}
	l.at = end
	return l.body[i:end:end], plain
}

// nextMember returns where the next member begins, if there is one.
func (l *lexer) nextMember() (at int, more bool) {
	if l.space(); l.at == len(l.body) || l.body[l.at] != ',' {
		return 0, false
	}
	if at = skipSpace(l.body, l.at+1); at == len(l.body) {
		return 0, false
	}
	return at, true
}

// endMembers leaves the object that firstMember entered.
func (l *lexer) endMembers() error {
	if l.at >= len(l.body) || l.body[l.at] != '}' {
		return errSyntax
	}
	l.at++
	l.count()
	return nil
}

// ReadValue returns the next value, or name, as it is spelled.
func (l *lexer) ReadValue() ([]byte, error) {
	if !l.ready && !l.separate() || l.nameNext() && l.body[l.at] != '"' {
		return nil, errSyntax
	}
	end := skipValue(l.body, l.at, len(l.stack))
	if end < 0 {
		return nil, errSyntax
	}
	v := l.body[l.at:end:end]
	l.at = end
	l.count()
	return v, nil
}

// skipValue returns where the value that begins at i ends, or -1 when it is none.
func skipValue(b []byte, i, depth int) int {
	if i == len(b) {
		return -1
	}
	switch c := b[i]; c {
	case '"':
		return skipString(b, i+1)
	case '{', '[':
		return skipContainer(b, i, depth+1)
	case 't':
		return skipLiteral(b, i, "true")
	case 'f':
		return skipLiteral(b, i, "false")
	case 'n':
		return skipLiteral(b, i, "null")
	default:
		return skipNumber(b, i)
	}
}

func skipLiteral(b []byte, i int, literal string) int {
	if bytes.HasPrefix(b[i:], []byte(literal)) {
		return i + len(literal)
	}
	return -1
}

// skipString returns the end of a string whose content begins at i.
func skipString(b []byte, i int) int {
	for i < len(b) {
		switch c := b[i]; {
		case c == '"':
			return i + 1
		case c < ' ':
			return -1
		case c != '\\':
			i++
		case i+1 == len(b):
			return -1
		case b[i+1] == 'u':
			if i+6 > len(b) || !isHex(b[i+2:i+6]) {
				return -1
			}
			i += 6
		case bytes.IndexByte([]byte(`"\/bfnrt`), b[i+1]) >= 0:
			i += 2
		default:
			return -1
		}
	}
	return -1
}

// Each byte of a word is one of eight.
const (
	eachByte = 0x0101010101010101
	highBits = 0x80 * eachByte
)

// zeroBytes marks the bytes of a word that are zero, and perhaps some above the
// lowest of them.
func zeroBytes(w uint64) uint64 { return (w - eachByte) & ^w & highBits }

// skipPlain returns the end of a string whose content begins at i and holds
// neither escapes nor control characters, and whether all of it is ASCII; or
// -1 when it is no such string. It looks at eight bytes at a time.
func skipPlain(b []byte, i int) (end int, ascii bool) {
	high := uint64(0)
	for ; i+8 <= len(b); i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		stop := zeroBytes(w^'"'*eachByte) | zeroBytes(w^'\\'*eachByte) | (w-' '*eachByte) & ^w & highBits
		if stop == 0 {
			high |= w
			continue
		}
		n := bits.TrailingZeros64(stop) / 8
		if i += n; b[i] != '"' {
			return -1, false
		}
		high |= w & (1<<(8*n) - 1)
		return i + 1, high&highBits == 0
	}
	for ; i < len(b); i++ {
		switch c := b[i]; {
		case c == '"':
			return i + 1, high&highBits == 0
		case c < ' ', c == '\\':
			return -1, false
		default:
			high |= uint64(c)
		}
	}
	return -1, false
}

func isHex(b []byte) bool {
	for _, c := range b {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}

// skipNumber returns the end of a number that begins at i.
func skipNumber(b []byte, i int) int {
	if i < len(b) && b[i] == '-' {
		i++
	}
	start := i
	if i = skipDigits(b, i); i == start || b[start] == '0' && i > start+1 {
		return -1
	}
	if i < len(b) && b[i] == '.' {
		start = i + 1
		if i = skipDigits(b, start); i == start {
			return -1
		}
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		start = i + 1
		if start < len(b) && (b[start] == '+' || b[start] == '-') {
			start++
		}
		if i = skipDigits(b, start); i == start {
			return -1
		}
	}
	return i
}

func skipDigits(b []byte, i int) int {
	for i < len(b) && '0' <= b[i] && b[i] <= '9' {
		i++
	}
	return i
}

// skipContainer returns the end of the object or array that begins at i.
func skipContainer(b []byte, i, depth int) int {
	if depth > maxNesting {
		return -1
	}
	end := b[i] + 2
	isObject := end == '}'
	if i = skipSpace(b, i+1); i < len(b) && b[i] == end {
		return i + 1
	}
	for {
		if isObject {
			if i == len(b) || b[i] != '"' {
				return -1
			}
			if i = skipString(b, i+1); i < 0 {
				return -1
			}
			if i = skipSpace(b, i); i == len(b) || b[i] != ':' {
				return -1
			}
			i = skipSpace(b, i+1)
		}
		if i = skipValue(b, i, depth); i < 0 {
			return -1
		}
		if i = skipSpace(b, i); i == len(b) {
			return -1
		}
		switch b[i] {
		case end:
			return i + 1
		case ',':
			i = skipSpace(b, i+1)
		default:
			return -1
		}
	}
}

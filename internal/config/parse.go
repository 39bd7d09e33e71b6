package config

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// maxDepth on one line is more than any configuration needs; the parser recurses
// into each level, and its time grows with the square of the depth. Levels made
// by indentation are few in a file of bounded size.
const maxDepth = 32

// parse gives the root of the only document, nil when there is nothing in it,
// and reports what keeps the file from being read.
func (d *decoder) parse(data []byte) ast.Node {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if at, ok := invalidUTF8(data); ok {
		d.report(at, "", fault{"is not UTF-8 text", "save the file as UTF-8"})
		return nil
	}
	text := strings.ReplaceAll(string(data), "\r\n", "\n") // the lexer counts a comment's line twice otherwise
	var root ast.Node
	for _, doc := range d.documents(text) {
		if doc.Body == nil || doc.Body.Type() == ast.DirectiveType || doc.Body.Type() == ast.CommentType {
			continue
		}
		if root == nil {
			root = doc.Body
			continue
		}
		first := doc.Start
		if first == nil {
			first = firstToken(doc.Body)
		}
		d.report(tokenOrigin(first), "", fault{"a second document begins here", "keep one document in the file"})
		break
	}
	return root
}

// documents runs the YAML parser. It may panic on what it did not expect, which
// is a syntax error like any other.
func (d *decoder) documents(text string) (docs []*ast.DocumentNode) {
	defer func() {
		if recover() != nil {
			d.report(origin{}, "", fault{"is not YAML that can be read", "simplify it"})
			docs = nil
		}
	}()
	tokens := lexer.Tokenize(text)
	d.source = newSource(text, tokens)
	if deep := tooDeep(tokens); deep != nil {
		d.report(tokenOrigin(deep), "", fault{"is nested too deeply here", ""})
		return nil
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		d.source.vouchKeys(tokens)
		d.syntaxError(err, text)
		return nil
	}
	d.source.skipTabs(tokens)
	return file.Docs
}

// syntaxError reports the parser's error without the source it quotes, which
// may hold a secret.
func (d *decoder) syntaxError(err error, text string) {
	var syntax interface {
		GetMessage() string
		GetToken() *token.Token
	}
	if !errors.As(err, &syntax) {
		d.report(origin{}, "", fault{"is not YAML that can be read", "jstsync init --config FILE writes one to begin with"})
		return
	}
	message := strings.ReplaceAll(syntax.GetMessage(), "\t", "TAB")
	if i := strings.IndexByte(message, '"'); i >= 0 {
		message = strings.TrimRight(message[:i], ": ")
	}
	at := tokenOrigin(syntax.GetToken())
	remedy := "correct the YAML there"
	lines := strings.Split(text, "\n")
	switch {
	case strings.Contains(message, "'TAB'"):
		remedy = "indent with spaces"
	case strings.Contains(message, "tab character"):
		remedy = "write blanks in its place"
	case at.line >= 1 && at.line <= len(lines) && strings.Contains(message, "'}'") && strings.Contains(lines[at.line-1], "${"):
		remedy = `within { } put quotes around "${NAME}"`
	case strings.Contains(message, "']' not found"), strings.Contains(message, "'}' not found"):
		remedy = "close the bracket"
	case strings.Contains(message, "mapping value is not allowed"):
		remedy = "put quotes around the value, or begin a new line"
	}
	d.report(at, "", fault{"syntax error: " + message, remedy})
}

// tooDeep gives the token that opens one level too many, by brackets or by a
// row of tokens each of which begins a node within the one before.
func tooDeep(tokens token.Tokens) *token.Token {
	depth, row := 0, 0
	for _, t := range tokens {
		switch t.Type {
		case token.SequenceEntryType, token.MappingKeyType, token.TagType, token.AnchorType:
			if row++; row > maxDepth {
				return t
			}
			continue
		case token.MappingStartType, token.SequenceStartType:
			if depth++; depth > maxDepth {
				return t
			}
		case token.MappingEndType, token.SequenceEndType:
			depth--
		}
		row = 0
	}
	return nil
}

// invalidUTF8 gives the place of the first byte that is not UTF-8.
func invalidUTF8(data []byte) (at origin, found bool) {
	at = origin{line: 1, column: 1}
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		if r == utf8.RuneError && size == 1 {
			return at, true
		}
		at.column++
		if r == '\n' {
			at.line, at.column = at.line+1, 1
		}
		data = data[size:]
	}
	return origin{}, false
}

// firstToken is where a reader sees the node begin; a block mapping's own token
// is its first colon.
func firstToken(node ast.Node) *token.Token {
	if m, ok := node.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		return m.Values[0].Key.GetToken()
	}
	return node.GetToken()
}

func tokenOrigin(t *token.Token) origin {
	if t == nil || t.Position == nil {
		return origin{}
	}
	return origin{line: t.Position.Line, column: t.Position.Column}
}

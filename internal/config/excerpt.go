package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml/token"
	"github.com/rivo/uniseg"
)

const maxExcerpt = 100 // characters of a line that are shown

// source is the text that was decoded, and what of it may be shown.
type source struct {
	lines  []string
	tokens map[int][]*token.Token // by line
	shown  map[token.Position]bool
	block  map[int]bool // lines within a text written as a block, which may be shown
}

func newSource(text string, tokens token.Tokens) source {
	s := source{lines: strings.Split(text, "\n"), tokens: map[int][]*token.Token{}, shown: map[token.Position]bool{}, block: map[int]bool{}}
	for _, t := range tokens {
		s.tokens[t.Position.Line] = append(s.tokens[t.Position.Line], t)
	}
	return s
}

// skipTabs puts tokens where they begin: the lexer has those behind a tab begin
// at the tab.
func (s *source) skipTabs(tokens token.Tokens) {
	for _, t := range tokens {
		if t.Position == nil || t.Position.Line < 1 || t.Position.Line > len(s.lines) {
			continue
		}
		line := []rune(s.lines[t.Position.Line-1])
		for at := t.Position.Column - 1; at >= 0 && at < len(line) && line[at] == '\t'; at++ {
			t.Position.Column++
		}
	}
}

// vouch notes that a token may be shown, if it may.
func (s *source) vouch(t *token.Token, harmless bool) {
	if harmless && t != nil && t.Position != nil && s.shown != nil {
		s.shown[place(t)] = true
	}
}

// vouchKeys notes that the keys of settings may be shown: all that is known to
// be harmless in a file that could not be parsed.
func (s *source) vouchKeys(tokens token.Tokens) {
	known := keysOf(reflect.TypeFor[Settings]())
	for i, t := range tokens[:max(0, len(tokens)-1)] {
		s.vouch(t, tokens[i+1].Type == token.MappingValueType && slices.Contains(known, t.Value))
	}
}

// keysOf gives every key that a section of this type may hold, at any depth.
func keysOf(t reflect.Type) []string {
	var keys []string
	for _, f := range settingsOf(reflect.New(t).Elem(), "") {
		keys = append(keys, f.keys()...)
		inner := f.value.Type()
		if inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct {
			keys = append(keys, keysOf(inner)...)
		}
	}
	return keys
}

func place(t *token.Token) token.Position {
	return token.Position{Line: t.Position.Line, Column: t.Position.Column}
}

// quote gives each problem its line.
func (s *source) quote(problems []Problem) {
	for i := range problems {
		if p := &problems[i]; p.File != "" && p.Line >= 1 && p.Line <= len(s.lines) {
			p.Source, p.Caret = s.excerpt(p.Line, p.Column)
		}
	}
}

// excerpt gives the line with everything masked but tokens that are vouched
// for, and where in it the column is.
func (s *source) excerpt(number, column int) (text string, caret int) {
	line := []rune(s.lines[number-1])
	harmless := make([]bool, len(line))
	if s.block[number] {
		for i := range harmless {
			harmless[i] = true
		}
		return maskLine(line, harmless, column)
	}
	for _, t := range s.tokens[number] {
		if start := t.Position.Column - 1; start >= 0 && start < len(line) {
			for i := range s.visible(t, line[start:]) {
				harmless[start+i] = true
			}
		}
	}
	end := len(line)
	for _, t := range s.tokens[number] {
		if t.Type == token.CommentType && t.Position.Column >= 1 && t.Position.Column <= end {
			end = t.Position.Column - 1
		}
	}
	return maskLine(line[:end], harmless, column)
}

// visible is how many characters from the token's place on may be shown. Only
// what stands there as the token has it may.
func (s *source) visible(t *token.Token, line []rune) int {
	switch t.Type {
	case token.MappingValueType, token.MappingStartType, token.MappingEndType, token.SequenceStartType,
		token.SequenceEndType, token.SequenceEntryType, token.CollectEntryType, token.LiteralType, token.FoldedType:
		if strings.ContainsRune(":{}[]-,|>", line[0]) {
			return 1
		}
		return 0
	}
	if !s.shown[place(t)] {
		return 0
	}
	text := t.Value
	switch t.Type {
	case token.SingleQuoteType:
		text = "'" + quoted('\'', text) + "'"
	case token.DoubleQuoteType:
		text = `"` + quoted('"', text) + `"`
	}
	if n := len([]rune(text)); n <= len(line) && string(line[:n]) == text {
		return n
	}
	return 0
}

// quoted writes a text as it mostly stands between such quotes.
func quoted(quote rune, text string) string {
	switch quote {
	case '\'':
		return strings.ReplaceAll(text, "'", "''")
	case '"':
		return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text)
	}
	return text
}

// maskLine puts the mask in the place of each stretch that is not harmless, and
// cuts a long line around the column.
func maskLine(line []rune, harmless []bool, column int) (text string, caret int) {
	var out []rune
	for i := 0; i < len(line); i++ {
		if i == column-1 {
			caret = len(out) + 1
		}
		if harmless[i] || unicode.IsSpace(line[i]) {
			r := line[i]
			if !unicode.IsPrint(r) || unicode.IsSpace(r) {
				r = ' '
			}
			out = append(out, r)
			continue
		}
		end := i
		for j := i; j < len(line) && !harmless[j]; j++ {
			if !unicode.IsSpace(line[j]) {
				end = j
			}
		}
		if column-1 > i && column-1 <= end {
			caret = len(out) + 1
		}
		out = append(out, []rune(mask)...)
		i = end
	}
	if caret == 0 {
		caret = len(out) + 1
	}
	return cut(out, caret)
}

func cut(line []rune, caret int) (string, int) {
	if len(line) > maxExcerpt && caret > maxExcerpt/2 {
		from := min(caret-maxExcerpt/2, len(line)-maxExcerpt+1)
		line, caret = append([]rune{'…'}, line[from:]...), caret-from+1
	}
	if len(line) > maxExcerpt {
		line = append(slices.Clone(line[:maxExcerpt]), '…')
	}
	return strings.TrimRight(string(line), " "), caret
}

// Excerpt is the line meant with a caret below it, in two lines; empty when
// there is none. The caret stands right where characters have their usual width.
func (p Problem) Excerpt() string {
	if p.Source == "" || p.Caret < 1 {
		return ""
	}
	before := []rune(p.Source)
	before = before[:min(p.Caret-1, len(before))]
	return fmt.Sprintf("%5d | %s\n      | %s^", p.Line, p.Source, strings.Repeat(" ", uniseg.StringWidth(string(before))))
}

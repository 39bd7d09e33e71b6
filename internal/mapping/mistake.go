package mapping

import (
	"errors"
	"fmt"
	"strings"

	"github.com/expr-lang/expr/file"
)

// MistakeError is what is wrong with something that a person wrote.
type MistakeError struct {
	Message string
	Remedy  string // what to do about it; may be empty
	At      int    // the character of an expression's text that is meant, from 1; 0 is the whole
}

// Error is one line: the message, the remedy and the character.
func (m *MistakeError) Error() string {
	text := m.Message
	if m.Remedy != "" {
		text += "; " + m.Remedy
	}
	if m.At > 0 {
		text += fmt.Sprintf(" (character %d)", m.At)
	}
	return text
}

func mistake(remedy, format string, args ...any) *MistakeError {
	return &MistakeError{Message: fmt.Sprintf(format, args...), Remedy: remedy}
}

// libraryMistake says on one line what the expression library found, and what
// to do about it.
func libraryMistake(err error) *MistakeError {
	m := &MistakeError{Message: plain(err).Error()}
	var at *file.Error
	if errors.As(err, &at) {
		m.At = at.From + 1
		if at.Prev == nil {
			m.Message = at.Message
		}
	}
	m.Message = strings.Join(strings.Fields(m.Message), " ")
	m.Remedy = exprRemedy(m.Message)
	return m
}

// exprRemedy knows what helps against the library's messages.
func exprRemedy(message string) string {
	for _, known := range []struct{ sign, remedy string }{
		{"unexpected token EOF", "finish the expression: an operand, a quote or a bracket is missing at its end"},
		{`unexpected token Operator("=")`, "write == to compare"},
		{"unexpected token Bracket", "let brackets match"},
		{"unexpected token", "put an operator before it, or take it out"},
		{"not terminated", "close the quotes"},
		{"mismatched types unknown", "compare the field with something, or convert it with string(…) or number(…)"},
		{"mismatched type", "give it values of one type, with string(…) or number(…)"},
		{"as argument", "convert it with string(…) or number(…)"},
		{"arguments", "give it as many as it takes"},
		{"allowed nodes", "split the work over several columns"},
	} {
		if strings.Contains(message, known.sign) {
			return known.remedy
		}
	}
	return "correct it; expr-lang.org/docs/language-definition describes the language"
}

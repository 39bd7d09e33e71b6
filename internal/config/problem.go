package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one mistake in the configuration.
type Problem struct {
	File         string // empty when the mistake is in no file
	Line, Column int    // from 1, in characters; 0 when the whole file is meant
	Path         string // the setting, such as pipelines.shops.guard.max_deletes; empty for the file
	Message      string // what is wrong; it may begin with the path
	Remedy       string // what to do about it; may be empty

	// Source is the line of the file, empty when there is none. What is not
	// known to be harmless stands in it as ***, every secret at least.
	Source string
	// Caret is the column within Source that is meant, from 1, in characters.
	Caret int
}

// String is one line: jstsync.yaml:7:3: pipelines.shops: unknown key "tabel"; did you mean "table"?
func (p Problem) String() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File)
		if p.Line > 0 {
			fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
		}
		b.WriteString(": ")
	}
	if p.Path != "" && !strings.HasPrefix(p.Message, p.Path+" ") {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Message)
	if p.Remedy != "" {
		b.WriteString("; " + p.Remedy)
	}
	return b.String()
}

// Error is every mistake found at once; it holds at least one.
type Error struct {
	Problems []Problem
}

// Error has one line for each problem.
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// problemsError puts problems in the order of the file, those without a place last.
func problemsError(problems []Problem) error {
	if len(problems) == 0 {
		return nil
	}
	sorted := slices.Clone(problems)
	slices.SortStableFunc(sorted, func(a, b Problem) int {
		if (a.Line == 0) != (b.Line == 0) {
			return cmp.Compare(b.Line, a.Line)
		}
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return &Error{Problems: sorted}
}

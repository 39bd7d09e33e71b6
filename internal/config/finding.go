package config

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf8"
)

// Finding is a mistake that only who knows what a setting means can find.
type Finding struct {
	Path    string // of the setting, such as pipelines.shops.columns[2].clean[1], written or not
	At      int    // the character of the setting's text that is meant, from 1; 0 is all of it
	Message string
	Remedy  string
	Quotes  bool // message or remedy may repeat the setting's text
}

// An Examiner finds such mistakes. The settings may have others, already known:
// what is wrong or missing has its zero value. What an examiner finds at the
// path of a known mistake is left out.
type Examiner func(*Settings) []Finding

// examine gathers what examiners find, with its place in the file.
func (d *decoder) examine(s *Settings, examiners []Examiner) {
	for _, examiner := range examiners {
		for _, f := range examiner(s) {
			known := func(p Problem) bool { return p.Path == f.Path }
			if slices.ContainsFunc(d.problems, known) || slices.ContainsFunc(d.missing, known) {
				continue
			}
			d.findings = append(d.findings, d.found(f))
		}
	}
}

func (d *decoder) found(f Finding) Problem {
	at, wrong := d.at(f.Path), fault{f.Message, f.Remedy}
	foreign := at.from
	if at.source != "" {
		foreign = at.source
	}
	if f.Quotes && foreign != "" {
		wrong = fault{"is not valid", "correct what " + foreign + " gives"}
	}
	if at.from != "" {
		wrong.message += " (from " + at.from + ")"
	}
	return d.problem(d.source.inside(at, f.At), f.Path, wrong)
}

// inside is where a character of the text that stands at a place is, from 1; the
// place itself when what is before it is not written as it is read.
func (s *source) inside(at origin, character int) origin {
	text := []rune(strings.TrimSpace(at.text))
	if character < 1 || len(text) == 0 || character > len(text)+1 || at.line < 1 || at.line > len(s.lines) {
		return at
	}
	before := strings.Split(string(text[:character-1]), "\n")
	last := before[len(before)-1]
	first := []rune(s.lines[at.line-1])
	if first = first[min(at.column-1, len(first)):]; len(first) == 0 {
		return at
	}
	block, flow := first[0] == '|' || first[0] == '>', len(before) == 1
	place := origin{line: at.line + len(before) - 1, column: at.column}
	skip := ""
	switch {
	case block:
		place.line, place.column, skip, last = place.line+1, 1, " ", strings.TrimLeft(last, " ")
	case first[0] == '"' || first[0] == '\'':
		place.column, skip, last = place.column+1, " ", quoted(first[0], last)
	}
	if !block && !flow || place.line > len(s.lines) {
		return at
	}
	line := string([]rune(s.lines[place.line-1])[place.column-1:])
	content := strings.TrimLeft(line, skip)
	if !strings.HasPrefix(content, last) {
		return at
	}
	if block {
		s.block[place.line] = true
	}
	place.column += utf8.RuneCountInString(line) - utf8.RuneCountInString(content) + utf8.RuneCountInString(last)
	return place
}

// WithFindings adds all that examiners found to an [*Error], so that whoever is
// refused for one mistake hears of all. Any other error is returned as it is.
func (s *Settings) WithFindings(err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	problems := slices.Clone(e.Problems)
	for _, f := range s.findings {
		if !slices.Contains(problems, f) {
			problems = append(problems, f)
		}
	}
	return problemsError(problems)
}

package mapping

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"jstsync/diff"
)

// over makes the rule a condition on the value of one member.
func (r *Rule) over(member, text string, condition func(datum) string) {
	r.members, r.text = []string{member}, text+" of "+strconv.Quote(member)
	r.check = func(record *diff.Record) string {
		raw := record.Member(member)
		if why := condition(read(raw)); why != "" {
			return strings.TrimSpace(member + " " + why)
		}
		return ""
	}
}

func notNull(d datum) string {
	if d.kind == isNull {
		return "is null or missing"
	}
	return ""
}

// orNull lets null pass, and nothing that is neither a text nor a number.
func orNull(condition func(datum) string) func(datum) string {
	return func(d datum) string {
		switch {
		case d.kind == isNull:
			return ""
		case !d.isScalar() && d.kind != isBool:
			return excerpt(d.quoted()) + " is neither a text nor a number"
		default:
			return condition(d)
		}
	}
}

func oneOf(values []string) func(datum) string {
	return orNull(func(d datum) string {
		if slices.Contains(values, d.text) {
			return ""
		}
		return "is " + excerpt(d.quoted()) + ", which is none of the values allowed"
	})
}

func (r *Rule) compilePattern(spec *RuleSpec) *MistakeError {
	pattern, err := regexp.Compile(spec.Pattern)
	if err != nil {
		return mistake("correct the regular expression", "%v", err)
	}
	r.over(spec.Regex, fmt.Sprintf("regex %q", spec.Pattern), orNull(func(d datum) string {
		if pattern.MatchString(d.text) {
			return ""
		}
		return "is " + excerpt(d.quoted()) + ", which does not match " + spec.Pattern
	}))
	return nil
}

func (r *Rule) compileLength(spec *RuleSpec) (field string, wrong *MistakeError) {
	least, ok := length(spec.Min, 0)
	if !ok {
		return "min", mistake("write its digits", "it is no number of characters")
	}
	greatest, ok := length(spec.Max, 1<<31-1)
	if !ok {
		return "max", mistake("write its digits", "it is no number of characters")
	}
	if least > greatest {
		return "min", mistake("exchange them", "it is more than max")
	}
	r.over(spec.Length, fmt.Sprintf("length %q to %q", spec.Min, spec.Max), orNull(func(d datum) string {
		n := utf8.RuneCountInString(d.text)
		switch {
		case n < least:
			return fmt.Sprintf("has %s, fewer than %d", characters(n), least)
		case n > greatest:
			return fmt.Sprintf("has %s, more than %d", characters(n), greatest)
		}
		return ""
	}))
	return "", nil
}

func characters(n int) string {
	if n == 1 {
		return "1 character"
	}
	return strconv.Itoa(n) + " characters"
}

func length(text string, none int) (int, bool) {
	if text == "" {
		return none, true
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= 0
}

// bound is one end of a range: a number or a date.
type bound struct {
	text   string // "" is no bound
	number number
	date   time.Time
	dated  bool
	day    bool // the date names a day, all of which it is
}

func parseBound(text string) (bound, *MistakeError) {
	if text == "" {
		return bound{}, nil
	}
	if n, ok := parseNumber(text); ok {
		return bound{text: text, number: n}, nil
	}
	if t, ok := parseDate(datum{isText, text}); ok {
		return bound{text: text, date: t, dated: true, day: len(text) == len(time.DateOnly)}, nil
	}
	return bound{}, mistake("write a number such as 0.5, or a date such as 2024-01-31", "it is neither a number nor a date")
}

func (r *Rule) compileRange(spec *RuleSpec) (field string, wrong *MistakeError) {
	least, wrong := parseBound(spec.Min)
	if wrong != nil {
		return "min", wrong
	}
	greatest, wrong := parseBound(spec.Max)
	if wrong != nil {
		return "max", wrong
	}
	if least.text != "" && greatest.text != "" {
		if least.dated != greatest.dated {
			return "max", mistake("write both as numbers or both as dates", "one end is a number and the other a date")
		}
		if order, _ := greatest.order(datum{isText, least.text}); order > 0 {
			return "min", mistake("exchange them", "it is more than max")
		}
	}
	r.over(spec.Range, fmt.Sprintf("range %q to %q", spec.Min, spec.Max), orNull(func(d datum) string { return outside(d, least, greatest) }))
	return "", nil
}

// outside lets a blank text pass: where a number or a date is meant it is none.
func outside(d datum, least, greatest bound) string {
	if strings.TrimSpace(d.text) == "" {
		return ""
	}
	for _, b := range []bound{least, greatest} {
		if b.text == "" {
			continue
		}
		order, wrong := b.order(d)
		switch {
		case wrong != "":
			return "is " + excerpt(d.quoted()) + ", which is " + wrong
		case order < 0 && b == least:
			return "is " + d.text + ", less than " + b.text
		case order > 0 && b == greatest:
			return "is " + d.text + ", more than " + b.text
		}
	}
	return ""
}

// order compares a value with the bound: -1 is below it. A value of another
// kind is wrong.
func (b bound) order(d datum) (order int, wrong string) {
	if b.dated {
		t, ok := parseDate(d)
		if !ok {
			return 0, "no date"
		}
		if b.day {
			t = t.Truncate(24 * time.Hour)
		}
		return t.Compare(b.date), ""
	}
	n, ok := parseNumber(d.text)
	if !ok || d.kind == isBool {
		return 0, "no number"
	}
	return n.compare(b.number), ""
}

// compare orders two numbers.
func (n number) compare(o number) int {
	if s := cmp.Compare(n.sign(), o.sign()); s != 0 || n.digits == "" {
		return s
	}
	size := cmp.Or(
		cmp.Compare(len(n.digits)+n.exp, len(o.digits)+o.exp),
		strings.Compare(n.digits, o.digits), // neither ends in a zero
	)
	return size * n.sign()
}

func (n number) sign() int {
	switch {
	case n.digits == "":
		return 0
	case n.negative:
		return -1
	default:
		return 1
	}
}

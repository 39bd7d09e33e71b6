package mapping

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// function is a function of ours that expressions may call. Where nothing
// else is said it gives nil for a first argument of nil.
type function struct {
	name    string
	shape   any // a pointer to a function of its type, as the library checks it
	literal int // the argument that must stand in the expression itself; 0 is none
	run     func(ev *evaluation, args []any) any
}

// functions returns the functions that expressions may call besides builtins.
func functions() []function {
	return []function{
		{"fixed", new(func(any, int) any), 0, fixed},
		{"fromJSON", new(func(any) any), 0, fromJSON},
		{"join", new(func(any, string) any), 0, join},
		{"number", new(func(any) any), 0, toNumber},
		{"parseDate", new(func(any, string) any), 1, dateOf},
		{"regexFind", new(func(any, string) any), 1, regexFind},
		{"regexReplace", new(func(any, string, string) any), 1, regexReplace},
		{"replace", new(func(any, string, string) any), 0, replace},
		{"sha256", new(func(any) any), 0, hash},
		{"string", new(func(any) any), 0, toString},
		{"substring", new(func(any, int, int) any), 0, substring},
		{"sum", new(func(any) any), 0, sum},
	}
}

// uncalled stands for a function while types are checked.
func uncalled(...any) (any, error) { return nil, nil }

// callable returns an environment that tells the compiler of our functions.
func callable(list []function) map[string]any {
	env := map[string]any{}
	none := func(...any) any { return nil }
	for _, name := range []string{"charge", "weigh", "+", "-", "*", "/"} {
		env[ours+name] = none
	}
	for _, f := range list {
		env[ours+f.name] = none
	}
	return env
}

// call is a function of ours under its name in a program's environment.
type call struct {
	name string
	run  func(ev *evaluation, args []any) any
}

// bind returns the functions that a program calls.
func bind(names []string, list []function) []call {
	calls := make([]call, len(names))
	for i, name := range names {
		calls[i] = call{name, operator(strings.TrimPrefix(name, ours))}
		for j := range list {
			f := &list[j]
			if name == ours+f.name {
				calls[i].run = f.orNil
			}
		}
	}
	return calls
}

// operator returns what the guard put into a program under that name.
func operator(name string) func(*evaluation, []any) any {
	switch name {
	case "charge":
		return func(ev *evaluation, args []any) any { return ev.charge(args[0]) }
	case "weigh":
		return func(ev *evaluation, args []any) any { return ev.weigh(args[0]) }
	default:
		return func(_ *evaluation, args []any) any { return arithmetic(name, args[0], args[1]) }
	}
}

func (f *function) orNil(ev *evaluation, args []any) any {
	if args[0] == nil {
		return nil
	}
	return f.run(ev, args)
}

// text returns an argument that must be a text.
func text(args []any, i int) string {
	s, ok := args[i].(string)
	if !ok {
		panic(fmt.Errorf("it uses %s where a text is needed", kindOf(args[i])))
	}
	return s
}

func whole(args []any, i int) int {
	n, ok := args[i].(int)
	if !ok {
		panic(fmt.Errorf("it uses %s where a whole number is needed", kindOf(args[i])))
	}
	return n
}

// list returns an argument that must be a list.
func list(args []any, i int) []any {
	l, ok := elements(args[i])
	if !ok {
		panic(fmt.Errorf("it uses %s where a list is needed", kindOf(args[i])))
	}
	return l
}

// hash gives the SHA-256 of a text, as 64 hexadecimal digits.
func hash(_ *evaluation, args []any) any {
	digest := sha256.Sum256([]byte(text(args, 0)))
	return hex.EncodeToString(digest[:])
}

// toString gives a number's digits, true or false, or a canonical JSON text.
func toString(ev *evaluation, args []any) any {
	ev.weigh(args[0])
	d, err := result(args[0])
	if err != nil {
		panic(err)
	}
	if d.kind != isComposite {
		return d.text
	}
	canonical, err := CanonicalJSON([]byte(d.text))
	if err != nil {
		panic(fmt.Errorf("the list or object it makes a text of %w", err))
	}
	return canonical
}

// toNumber gives the number that a text holds.
func toNumber(_ *evaluation, args []any) any {
	switch v := args[0].(type) {
	case int, float64:
		return v
	case string:
		if _, ok := parseNumber(v); ok {
			return operand(v)
		}
	}
	d, _ := result(args[0])
	panic(fmt.Errorf("%s is not a number", excerpt(d.quoted())))
}

// fixed gives a number as a text with so many digits behind the point,
// rounded half away from zero.
func fixed(_ *evaluation, args []any) any {
	scale := whole(args, 1)
	if scale < 0 || scale > 30 {
		panic(fmt.Errorf("fixed takes 0 to 30 digits behind the point, not %d", scale))
	}
	d, err := result(args[0])
	n, ok := parseNumber(d.text)
	if err != nil || !ok || !d.isScalar() || n.wholeDigits() > 100 {
		panic(fmt.Errorf("%s is not a number that fixed takes", excerpt(d.quoted())))
	}
	return n.round(scale).fixed(scale)
}

// round returns the number with no more than scale digits behind the point.
func (n number) round(scale int) number {
	cut := -n.exp - scale
	switch {
	case n.digits == "" || cut <= 0:
		return n
	case cut > len(n.digits):
		return number{}
	}
	all, _ := new(big.Int).SetString(n.digits, 10)
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(cut)), nil)
	kept, rest := all.QuoRem(all, unit, new(big.Int))
	if rest.Lsh(rest, 1).Cmp(unit) >= 0 {
		kept.Add(kept, big.NewInt(1))
	}
	rounded, _ := parseNumber(fmt.Sprintf("%se%d", kept, -scale))
	rounded.negative = n.negative && rounded.digits != ""
	return rounded
}

// dateOf reads a text by a layout of YYYY, MM, DD, hh, mm and ss, and gives a
// date that every date column takes.
func dateOf(_ *evaluation, args []any) any {
	layout, err := goLayout(text(args, 1))
	if err != nil {
		panic(err)
	}
	t, err := time.Parse(layout, text(args, 0))
	if err != nil {
		panic(fmt.Errorf("%q is not a date like %q", text(args, 0), text(args, 1)))
	}
	return t.Format("2006-01-02 15:04:05.999999999")
}

// goLayout translates a date's layout into the time package's.
func goLayout(layout string) (string, error) {
	parts := strings.NewReplacer("YYYY", "", "MM", "", "DD", "", "hh", "", "mm", "", "ss", "", "T", "")
	if strings.ContainsFunc(parts.Replace(layout), func(r rune) bool {
		return r == '_' || r < utf8.RuneSelf && (r >= '0' && r <= '9' || r|0x20 >= 'a' && r|0x20 <= 'z')
	}) {
		return "", fmt.Errorf("the layout %q of a date is made of YYYY, MM, DD, hh, mm, ss and signs", layout)
	}
	return strings.NewReplacer("YYYY", "2006", "MM", "01", "DD", "02", "hh", "15", "mm", "04", "ss", "05").Replace(layout), nil
}

// regexFind gives what the pattern matches first, or its first group's part of
// it where it has one; nil when nothing matches.
func regexFind(ev *evaluation, args []any) any {
	found := ev.pattern(args).FindStringSubmatch(text(args, 0))
	if found == nil {
		return nil
	}
	return found[min(1, len(found)-1)]
}

// regexReplace gives the text with every match replaced; $1 stands for a group.
func regexReplace(ev *evaluation, args []any) any {
	source, by, pattern := text(args, 0), text(args, 2), ev.pattern(args)
	var out []byte
	end := 0
	for _, match := range pattern.FindAllStringSubmatchIndex(source, -1) {
		ev.spend(stepWork + len(by)*(1+match[1]-match[0])) // each $ may stand for the whole match
		out = append(out, source[end:match[0]]...)
		out = pattern.ExpandString(out, by, source, match)
		end = match[1]
	}
	return string(append(out, source[end:]...))
}

func (ev *evaluation) pattern(args []any) *regexp.Regexp { return ev.patterns[text(args, 1)] }

// replace gives the text with every old part replaced by the new one.
func replace(ev *evaluation, args []any) any {
	source, old, by := text(args, 0), text(args, 1), text(args, 2)
	ev.spend(strings.Count(source, old) * len(by))
	return strings.ReplaceAll(source, old, by)
}

// join gives the texts of a list, with a text between them.
func join(ev *evaluation, args []any) any {
	parts := make([]string, 0, len(list(args, 0)))
	for _, e := range list(args, 0) {
		ev.charge(e)
		ev.spend(len(text(args, 1)))
		parts = append(parts, text([]any{e}, 0))
	}
	return strings.Join(parts, text(args, 1))
}

// substring gives the characters from an index on, which counts from 0: so
// many of them, or as many as there are.
func substring(_ *evaluation, args []any) any {
	from, length := whole(args, 1), whole(args, 2)
	if from < 0 || length < 0 {
		panic(fmt.Errorf("substring takes no negative numbers"))
	}
	runes := []rune(text(args, 0))
	from = min(from, len(runes))
	return string(runes[from : from+min(length, len(runes)-from)])
}

// sum gives the sum of a list of numbers.
func sum(ev *evaluation, args []any) any {
	var total any = 0
	for _, e := range list(args, 0) {
		ev.spend(stepWork)
		if _, isText := e.(string); isText {
			panic(fmt.Errorf("it uses a text where a number is needed"))
		}
		total = arithmetic("+", total, e)
	}
	return total
}

// fromJSON gives the value that a JSON text holds.
func fromJSON(_ *evaluation, args []any) any {
	source := text(args, 0)
	if _, err := CanonicalJSON([]byte(source)); err != nil {
		panic(fmt.Errorf("the text %s %w", excerpt([]byte(source)), err))
	}
	v, err := decode([]byte(source))
	if err != nil {
		panic(fmt.Errorf("the text %s %w", excerpt([]byte(source)), errJSON))
	}
	return v
}

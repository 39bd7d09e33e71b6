package mapping

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"jstsync/diff"
)

// Spec is a column as it is written in a configuration.
type Spec struct {
	Name     string
	From     string // the source member; empty: the one of the column's name, unless there is an expression
	Type     string // as diff.ParseType takes it
	Nullable bool
	Comment  string
	Default  *string // nil is none
	Expr     string  // instead of From
	Clean    []string
}

// SpecError is one mistake in a column or a rule. Its text names the column
// and the remedy.
type SpecError struct {
	Kind  string // column, rule, or key for a member of the key
	Index int    // of the Spec or the member in the list
	Name  string // of the column, rule or member
	Field string // name, from, type, comment, default, expr, clean or on_fail; empty for a member
	Item  int    // the index in a list such as clean; -1 is the field as a whole
	Err   *MistakeError
}

func (e *SpecError) Error() string {
	text := e.Kind + " " + cmp.Or(e.Name, fmt.Sprint("number ", e.Index+1)) + ": "
	if e.Field != "" {
		text += e.Field + ": "
	}
	return text + e.Err.Error()
}

func (e *SpecError) Unwrap() error { return e.Err }

// The longest names and comments that MySQL takes, in characters.
const (
	maxName    = 64
	maxComment = 1024
)

// Compile returns the columns that the specifications describe, or every
// mistake in them, each a [*SpecError].
func Compile(specs []Spec) ([]Column, []error) {
	columns, errs := compile(specs)
	if errs != nil {
		return nil, errs
	}
	return columns, nil
}

// Check returns every mistake in the columns that the specifications describe,
// and in a key that they are to hold, each a [*SpecError].
func Check(specs []Spec, key []string) []error {
	columns, errs := compile(specs)
	return append(errs, CheckKey(columns, key)...)
}

// compile also returns what could be made of specifications with mistakes.
func compile(specs []Spec) ([]Column, []error) {
	columns := make([]Column, len(specs))
	var errs []error
	first := map[string]int{} // by the name as MySQL compares it
	for i := range specs {
		s := &compilation{spec: &specs[i], index: i}
		name := strings.ToLower(specs[i].Name)
		if j, twice := first[name]; twice && name != "" {
			s.fail("name", mistake("rename one", "column %d has that name already, and MySQL tells no case apart", j+1))
		} else {
			first[name] = i
		}
		columns[i] = s.compile()
		errs = append(errs, s.errs...)
	}
	return columns, errs
}

// compilation is that of one column.
type compilation struct {
	spec  *Spec
	index int
	errs  []error
}

func (s *compilation) fail(field string, m *MistakeError) { s.failItem(field, -1, m) }

func (s *compilation) failItem(field string, item int, m *MistakeError) {
	s.errs = append(s.errs, &SpecError{Kind: "column", Index: s.index, Name: s.spec.Name, Field: field, Item: item, Err: m})
}

func (s *compilation) compile() Column {
	spec := s.spec
	c := Column{
		Column: diff.Column{Name: spec.Name, NotNull: !spec.Nullable, Comment: spec.Comment, Default: spec.Default},
		From:   spec.From,
	}
	s.names()
	typ, err := diff.ParseType(spec.Type)
	if err != nil {
		s.fail("type", &MistakeError{Message: err.Error()})
	}
	c.Type = typ
	s.source(&c)
	s.steps(&c, err == nil)
	if err == nil && spec.Default != nil {
		if _, err := c.fallback(); err != nil {
			s.fail("default", &MistakeError{Message: err.Error()})
		}
	}
	return c
}

// names checks what stands in the table's definition.
func (s *compilation) names() {
	name, comment := s.spec.Name, s.spec.Comment
	switch {
	case name == "":
		s.fail("name", mistake("name the column", "it is missing"))
	case utf8.RuneCountInString(name) > maxName:
		s.fail("name", mistake(fmt.Sprintf("MySQL takes %d characters", maxName), "it is too long"))
	case !utf8.ValidString(name) || strings.HasSuffix(name, " ") || strings.ContainsFunc(name, func(r rune) bool { return r == 0 || r > 0xFFFF }):
		s.fail("name", mistake("choose another name", "MySQL takes no blank at the end, no NUL and no character such as an emoji"))
	}
	if utf8.RuneCountInString(comment) > maxComment || !utf8.ValidString(comment) {
		s.fail("comment", mistake(fmt.Sprintf("MySQL takes %d characters", maxComment), "it is too long, or not UTF-8"))
	}
}

// source settles where the column's value comes from.
func (s *compilation) source(c *Column) {
	if s.spec.Expr == "" {
		c.From = cmp.Or(c.From, c.Name)
		return
	}
	if c.From != "" {
		s.fail("expr", mistake("keep one of them", "the column has from as well"))
	}
	e, gives, wrong := compileExpr(s.spec.Expr)
	if wrong != nil {
		s.fail("expr", wrong)
		return
	}
	c.Expr = e
	if c.Type.Base != "" && !takes(c.Type.Base, gives) {
		s.fail("expr", mistake("change the type or the expression", "it gives a %s, which a %s column does not take", gives, c.Type))
	}
}

// takes reports whether a column may store what an expression of that type
// gives.
func takes(base diff.Base, gives reflect.Type) bool {
	switch gives.Kind() {
	case reflect.Interface, reflect.String:
		return true
	case reflect.Int, reflect.Float64:
		return base != diff.Date && base != diff.DateTime
	case reflect.Bool:
		return base == diff.Bool || base == diff.JSON
	default:
		return base == diff.JSON
	}
}

// steps settles the cleaning.
func (s *compilation) steps(c *Column, typed bool) {
	for i, name := range s.spec.Clean {
		step := Step(name)
		switch {
		case !slices.Contains(Steps(), step):
			s.failItem("clean", i, mistake("there are "+strings.Trim(fmt.Sprint(Steps()), "[]"), "there is no step %q", name))
		case (step == NullToEmpty || step == Truncate) && typed && !c.isText():
			s.failItem("clean", i, mistake("leave it out", "%s is for VARCHAR and TEXT columns, this one is %s", step, c.Type))
		case step == NullToEmpty && c.Default != nil:
			s.failItem("clean", i, mistake("keep one of them", "%s leaves nothing for the default", step))
		}
		c.Clean = append(c.Clean, step)
	}
}

// fallback returns the value that stands in for NULL.
func (c *Column) fallback() (diff.Value, error) {
	if c.Default == nil {
		return diff.Value{}, nil
	}
	d := datum{isText, *c.Default}
	if c.Type.Base == diff.JSON {
		if _, err := CanonicalJSON([]byte(*c.Default)); err != nil {
			return diff.Value{}, fmt.Errorf("%s %w; write a JSON value such as '{}'", excerpt([]byte(*c.Default)), err)
		}
		d = read([]byte(strings.TrimSpace(*c.Default)))
	}
	v, err := c.convert(d)
	if err == nil && v.IsNull() {
		err = errors.New("is NULL, which a column without a default has anyway")
	}
	if err != nil {
		return diff.Value{}, fmt.Errorf("%s %w; write a value that a %s column stores", excerpt(d.quoted()), err, c.Type)
	}
	return v, nil
}

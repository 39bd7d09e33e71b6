package mapping

import (
	"fmt"
	"reflect"
	"slices"

	"jstsync/diff"
)

// Rule is a data-quality rule over source records, or over the rows that are
// made of them.
type Rule struct {
	Name   string
	OnFail diff.OnFail

	text    string // as it is written, for the fingerprint
	members []string
	unique  []string // members whose columns no two rows may have alike
	check   check    // nil for a unique rule
}

// check returns what is wrong with a record, "" when nothing is.
type check func(*diff.Record) string

// RuleSpec is a rule as it is written, with one of Expr, NotNull, Unique,
// Length, Range, Regex and OneOf.
type RuleSpec struct {
	Name, OnFail   string
	Expr           string
	NotNull        string
	Unique         []string
	Length, Range  string
	Min, Max       string // of Length and Range; empty is no limit
	Regex, Pattern string
	OneOf          string
	Values         []string
}

// CompileRule compiles a rule. The error is a [*SpecError], without an index.
func CompileRule(spec RuleSpec) (*Rule, error) {
	fail := func(field string, m *MistakeError) (*Rule, error) {
		return nil, &SpecError{Kind: "rule", Name: spec.Name, Field: field, Item: -1, Err: m}
	}
	on := diff.OnFail(spec.OnFail)
	if on != diff.Warn && on != diff.Quarantine && on != diff.Fail {
		return fail("on_fail", mistake(fmt.Sprintf("use %s, %s or %s", diff.Warn, diff.Quarantine, diff.Fail), "%q is not known", spec.OnFail))
	}
	r := &Rule{Name: spec.Name, OnFail: on}
	field, wrong := r.compile(&spec)
	if wrong != nil {
		return fail(field, wrong)
	}
	return r, nil
}

// compile settles the condition. It returns the setting that is wrong.
func (r *Rule) compile(spec *RuleSpec) (field string, wrong *MistakeError) {
	switch {
	case spec.Expr != "":
		return "expr", r.compileExpr(spec.Expr)
	case spec.NotNull != "":
		r.over(spec.NotNull, "not_null", notNull)
	case len(spec.Unique) > 0:
		r.unique, r.members, r.text = slices.Clone(spec.Unique), slices.Clone(spec.Unique), fmt.Sprintf("unique %q", spec.Unique)
	case spec.Length != "":
		return r.compileLength(spec)
	case spec.Range != "":
		return r.compileRange(spec)
	case spec.Regex != "":
		return "pattern", r.compilePattern(spec)
	case spec.OneOf != "":
		r.over(spec.OneOf, fmt.Sprintf("one_of %q", spec.Values), oneOf(spec.Values))
	default:
		return "expr", mistake("write an expression, or one of the other conditions", "the rule has no condition")
	}
	return "", nil
}

// compileExpr takes a condition that must give true or false.
func (r *Rule) compileExpr(text string) *MistakeError {
	e, gives, wrong := compileExpr(text)
	if wrong != nil {
		return wrong
	}
	if k := gives.Kind(); k != reflect.Bool && k != reflect.Interface {
		return mistake("compare it with something", "it gives a %s, not true or false", gives)
	}
	r.text, r.members = text, e.Members()
	r.check = func(record *diff.Record) string { return holds(e, record) }
	return nil
}

// holds returns why the expression is not true of the record, also when that
// cannot be found out.
func holds(e *Expr, record *diff.Record) string {
	v, err := e.run(record)
	if err != nil {
		return err.Error()
	}
	switch v := v.(type) {
	case bool:
		if v {
			return ""
		}
		return e.text + " is false"
	default:
		return fmt.Sprintf("it gives %s, not true or false", kindOf(v))
	}
}

// Broken returns what is wrong with the record by this rule, "" when nothing is
// or the rule is one that compares rows.
func (r *Rule) Broken(record *diff.Record) string {
	if r.check == nil {
		return ""
	}
	why := r.check(record)
	if why == "" {
		return ""
	}
	return "rule " + r.Name + ": " + why
}

// Members returns the source members that the rule reads.
func (r *Rule) Members() []string { return r.members }

// CheckUnique returns what keeps the columns from holding what a unique rule
// compares, each a [*SpecError] without an index.
func CheckUnique(columns []Column, r *Rule) []error {
	var errs []error
	for i, member := range r.unique {
		if columnOf(columns, member) < 0 {
			errs = append(errs, &SpecError{Kind: "rule", Name: r.Name, Field: "unique", Item: i, Err: mistake(
				"add a column with from: "+member+"; rows are compared as they are stored", "no column is mapped from %s as it is", member)})
		}
	}
	return errs
}

// columnOf returns the first column that is mapped from the member, or -1.
func columnOf(columns []Column, member string) int {
	return slices.IndexFunc(columns, func(c Column) bool { return c.Expr == nil && c.From == member })
}

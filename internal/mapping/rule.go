package mapping

import (
	"fmt"
	"reflect"

	"jstsync/diff"
)

// OnFail says what becomes of a record that breaks a rule.
type OnFail string

// What a broken rule does.
const (
	Warn       OnFail = "warn"       // it is reported
	Quarantine OnFail = "quarantine" // the record is set aside
	Fail       OnFail = "fail"       // the run stops
)

// Rule is a data-quality rule over source records.
type Rule struct {
	Name   string
	OnFail OnFail
	expr   *Expr
}

// RuleSpec is a rule as it is written.
type RuleSpec struct {
	Name, Expr, OnFail string
}

// CompileRule compiles a rule, whose expression must give true or false. The
// error is a [*SpecError], without an index.
func CompileRule(spec RuleSpec) (*Rule, error) {
	fail := func(field string, m *MistakeError) (*Rule, error) {
		return nil, &SpecError{Kind: "rule", Name: spec.Name, Field: field, Item: -1, Err: m}
	}
	on := OnFail(spec.OnFail)
	if on != Warn && on != Quarantine && on != Fail {
		return fail("on_fail", mistake(fmt.Sprintf("use %s, %s or %s", Warn, Quarantine, Fail), "%q is not known", spec.OnFail))
	}
	e, gives, wrong := compileExpr(spec.Expr)
	if wrong != nil {
		return fail("expr", wrong)
	}
	if k := gives.Kind(); k != reflect.Bool && k != reflect.Interface {
		return fail("expr", mistake("compare it with something", "it gives a %s, not true or false", gives))
	}
	return &Rule{Name: spec.Name, OnFail: on, expr: e}, nil
}

// Holds reports whether the record keeps the rule. An error says that this
// could not be found out.
func (r *Rule) Holds(record *diff.Record) (bool, error) {
	v, err := r.expr.run(record)
	if err != nil {
		return false, fmt.Errorf("rule %s: %w", r.Name, err)
	}
	holds, ok := v.(bool)
	if !ok {
		return false, fmt.Errorf("rule %s: it gives %s, not true or false", r.Name, kindOf(v))
	}
	return holds, nil
}

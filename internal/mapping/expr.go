package mapping

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"

	"jstsync/diff"
)

// Limits of an expression's text, and of the record's part that it reads.
const (
	maxExprText  = 10_000
	maxExprNodes = 1_000
	maxExprReads = 1 << 20
)

// Expr is an expression over a source record, in the language of
// github.com/expr-lang/expr.
//
// A name is a member of the record, nil when it is missing; `$env["any name"]`
// is the member of any name. A whole number of 64 bits is an int, another
// number a float64 when it reads back as the same digits, else it is the text
// that was sent. Integer arithmetic that would overflow is an error, and so is
// arithmetic that mixes an int with a float that cannot stand for it.
//
// It reads no clock, draws no random number, does no I/O, and its time and
// memory are bounded: what goes over the limit is an error of that record.
type Expr struct {
	text     string
	program  *vm.Program
	members  []string // sorted
	calls    []call   // what the program calls of ours
	patterns map[string]*regexp.Regexp
}

// CompileExpr compiles and type-checks an expression. The error is a
// [*MistakeError], which says where in the text it is and what to do about it.
func CompileExpr(text string) (*Expr, error) {
	e, _, wrong := compileExpr(text)
	if wrong != nil {
		return nil, wrong
	}
	return e, nil
}

// compileExpr also returns the type that the expression is known to give; of
// what comes from the record nothing is known.
func compileExpr(text string) (*Expr, reflect.Type, *MistakeError) {
	if len(text) > maxExprText {
		return nil, nil, mistake("split the work over several columns", "it is longer than %d bytes", maxExprText)
	}
	check := &inspector{functions: functions(), patterns: map[string]*regexp.Regexp{}}
	checked, err := expr.Compile(text, append(language(map[string]any{}, check.functions), expr.Patch(check))...)
	if reason := check.problem(); reason != nil {
		return nil, nil, reason // it says more than what the library makes of the same mistake
	}
	if err != nil {
		return nil, nil, libraryMistake(err)
	}
	guard := &guard{}
	program, err := expr.Compile(text, append(language(callable(check.functions), check.functions), expr.Patch(guard))...)
	if err != nil {
		return nil, nil, libraryMistake(err)
	}
	slices.Sort(check.members)
	return &Expr{
		text: text, program: program, members: slices.Compact(check.members), calls: bind(guard.calls, check.functions), patterns: check.patterns,
	}, checked.Node().Type(), nil
}

// String returns the expression as it was written.
func (e *Expr) String() string { return e.text }

// Members returns the names of the members that the expression reads, sorted.
func (e *Expr) Members() []string { return slices.Clone(e.members) }

// language returns the options of every compilation. What is not named here
// does not exist: functions that read a clock or time zones, order what has no
// order, round, or grow a text without bound.
func language(env map[string]any, list []function) []expr.Option {
	options := []expr.Option{
		expr.Env(env), expr.AllowUndefinedVariables(), expr.MaxNodes(maxExprNodes), expr.Optimize(false), expr.DisableAllBuiltins(),
	}
	for _, name := range builtins() {
		options = append(options, expr.EnableBuiltin(name))
	}
	for _, f := range list {
		options = append(options, expr.Function(f.name, uncalled, f.shape))
	}
	return options
}

func builtins() []string {
	return []string{
		"abs", "all", "any", "ceil", "concat", "count", "filter", "find", "first", "floor", "get", "hasPrefix", "hasSuffix", "last",
		"len", "lower", "map", "max", "min", "none", "one", "reduce", "reverse", "round", "sort", "split", "take", "trim",
		"trimPrefix", "trimSuffix", "type", "upper",
	}
}

// plain makes one line of the library's error.
func plain(err error) error {
	var at *file.Error
	if !errors.As(err, &at) {
		return err
	}
	if at.Prev != nil {
		return at.Prev
	}
	return fmt.Errorf("%s (character %d)", at.Message, at.Column+1)
}

// run evaluates the expression over a record.
func (e *Expr) run(r *diff.Record) (any, error) {
	ev := &evaluation{patterns: e.patterns, left: maxWork}
	env := make(map[string]any, len(e.members)+len(e.calls))
	size := 0
	for _, name := range e.members {
		raw := r.Member(name)
		if size += len(raw); size > maxExprReads {
			return nil, fmt.Errorf("the members it reads have more than %d bytes", maxExprReads)
		}
		v, err := decode(raw)
		if err != nil {
			return nil, fmt.Errorf("member %s: %s cannot be read", name, excerpt(raw))
		}
		env[name] = v
	}
	for _, c := range e.calls {
		env[c.name] = func(args ...any) any { return c.run(ev, args) }
	}
	machine := vm.VM{}
	out, err := machine.Run(e.program, env)
	if err != nil {
		return nil, runtimeError(err)
	}
	return out, nil
}

// runtimeError drops the place from an evaluation's error: the message names
// the column, whose expression is short.
func runtimeError(err error) error {
	var at *file.Error
	if errors.As(err, &at) && at.Prev == nil {
		return errors.New(at.Message)
	}
	return plain(err)
}

// datum evaluates the expression as a column's value.
func (e *Expr) datum(r *diff.Record) (datum, error) {
	v, err := e.run(r)
	if err != nil {
		return datum{}, err
	}
	return result(v)
}

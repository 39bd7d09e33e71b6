package mapping

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// inspector walks an expression before its types are checked: it collects the
// members that are read, and refuses what could not be bounded or known.
type inspector struct {
	functions []function
	patterns  map[string]*regexp.Regexp
	members   []string

	names   []*ast.IdentifierNode
	settled map[*ast.IdentifierNode]bool // they are no plain names of members
	wrong   []*MistakeError              // in the order of the walk
}

// Visit looks at one node; its children were visited before.
func (in *inspector) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		in.names = append(in.names, n)
	case *ast.MemberNode:
		in.member(n)
	case *ast.CallNode:
		in.call(n)
	case *ast.BuiltinNode:
		if !slices.Contains(builtins(), n.Name) { // the library's switch does not reach all of them
			in.unknown(n, n.Name)
		}
	case *ast.BinaryNode:
		in.binary(n)
	case *ast.SliceNode:
		in.refuse(n, "write substring(text, from, length), or take(list, n)", "a slice counts bytes")
	case *ast.BytesNode:
		in.refuse(n, "write a text", "no column takes bytes")
	}
}

func (in *inspector) refuse(n ast.Node, remedy, format string, args ...any) {
	m := mistake(remedy, format, args...)
	m.At = n.Location().From + 1
	in.wrong = append(in.wrong, m)
}

func (in *inspector) settle(n *ast.IdentifierNode) {
	if in.settled == nil {
		in.settled = map[*ast.IdentifierNode]bool{}
	}
	in.settled[n] = true
}

// member takes $env["name"], whose name is known.
func (in *inspector) member(n *ast.MemberNode) {
	env, ok := n.Node.(*ast.IdentifierNode)
	if !ok || env.Value != "$env" {
		return
	}
	if name, ok := n.Property.(*ast.StringNode); ok {
		in.settle(env)
		in.members = append(in.members, name.Value)
	}
}

func (in *inspector) call(n *ast.CallNode) {
	callee, ok := n.Callee.(*ast.IdentifierNode)
	if !ok {
		in.refuse(n, "write the function first, as in upper(name)", "a member cannot be called")
		return
	}
	in.settle(callee)
	i := slices.IndexFunc(in.functions, func(f function) bool { return f.name == callee.Value })
	if i < 0 {
		in.unknown(n, callee.Value)
		return
	}
	if f := &in.functions[i]; f.literal > 0 && f.literal < len(n.Arguments) {
		in.literal(n.Arguments[f.literal], f)
	}
}

func (in *inspector) unknown(n ast.Node, name string) {
	in.refuse(n, "there are "+strings.Join(in.functionNames(), ", "), "there is no function %s", name)
}

// literal checks an argument that is made ready beforehand: it must stand in
// the expression itself.
func (in *inspector) literal(n ast.Node, f *function) {
	text, ok := n.(*ast.StringNode)
	if !ok {
		in.refuse(n, "write it out", "argument %d of %s must be a text between quotes", f.literal+1, f.name)
		return
	}
	if f.name == "parseDate" {
		if _, err := goLayout(text.Value); err != nil {
			in.refuse(n, `write it like "YYYY/MM/DD hh:mm:ss"`, "%v", err)
		}
		return
	}
	pattern, err := regexp.Compile(text.Value)
	if err != nil {
		in.refuse(n, "correct the regular expression", "%v", err)
		return
	}
	in.patterns[text.Value] = pattern
}

func (in *inspector) binary(n *ast.BinaryNode) {
	switch n.Operator {
	case "..":
		in.refuse(n, "write the numbers out in [ ]", "ranges are not offered")
	case "**", "^":
		in.refuse(n, "multiply instead", "powers are not offered, since they round")
	case "matches":
		if _, ok := n.Right.(*ast.StringNode); !ok {
			in.refuse(n, "write the pattern out", "what stands behind matches must be a text between quotes")
		}
	}
}

// problem returns the first thing that is refused. It settles the members.
func (in *inspector) problem() *MistakeError {
	known := in.functionNames()
	for _, n := range in.names {
		switch {
		case in.settled[n]:
		case n.Value == "$env":
			in.refuse(n, `write it like $env["shop name"]`, "$env is offered with a name alone, so that it is known which members are read")
		case slices.Contains(known, n.Value):
			in.refuse(n, fmt.Sprintf("for the member of that name write $env[%q]", n.Value), "%s is a function", n.Value)
		default:
			in.members = append(in.members, n.Value)
		}
	}
	if len(in.wrong) > 0 {
		return in.wrong[0]
	}
	return nil
}

func (in *inspector) functionNames() []string {
	names := map[string]bool{}
	for _, name := range builtins() {
		names[name] = true
	}
	for _, f := range in.functions {
		names[f.name] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// guard rewrites an expression so that its work is counted and its arithmetic
// is checked. In the program, functions of ours have names that no member has.
type guard struct {
	calls []string
}

// ours marks the names of functions of ours in a program's environment.
const ours = "\x00"

// Visit rewrites one node; its children were rewritten before.
func (g *guard) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.BinaryNode:
		g.binary(node, n)
	case *ast.BuiltinNode:
		for i := range n.Arguments {
			if _, ok := n.Arguments[i].(*ast.PredicateNode); !ok {
				n.Arguments[i] = g.call("charge", n.Arguments[i])
			}
		}
	case *ast.CallNode:
		for i := range n.Arguments {
			n.Arguments[i] = g.call("charge", n.Arguments[i])
		}
		if callee, ok := n.Callee.(*ast.IdentifierNode); ok {
			n.Callee = g.name(callee.Value)
		}
	case *ast.PredicateNode:
		n.Node = g.call("charge", n.Node)
	}
}

func (g *guard) binary(node *ast.Node, n *ast.BinaryNode) {
	switch n.Operator {
	case "and", "&&", "or", "||", "??", "matches":
	case "+", "-", "*", "/":
		ast.Patch(node, g.call(n.Operator, g.call("charge", n.Left), g.call("charge", n.Right)))
	case "==", "!=", "in":
		n.Left, n.Right = g.call("weigh", n.Left), g.call("weigh", n.Right)
	default:
		n.Left, n.Right = g.call("charge", n.Left), g.call("charge", n.Right)
	}
}

func (g *guard) call(name string, args ...ast.Node) ast.Node {
	call := &ast.CallNode{Callee: g.name(name), Arguments: args}
	call.SetLocation(args[0].Location())
	return call
}

func (g *guard) name(name string) ast.Node {
	if !slices.Contains(g.calls, ours+name) {
		g.calls = append(g.calls, ours+name)
	}
	return &ast.IdentifierNode{Value: ours + name}
}

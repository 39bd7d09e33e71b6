package lang_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// finding is a format, or a text, that the source can say to a person.
type finding struct {
	format string
	at     token.Position
	words  bool // it is no format: a percent sign stands for itself
}

// source is the product's Go source, for what it can say. It follows names
// through one package and knows no types: an expression it cannot follow
// stands as %s.
type source struct {
	files    *token.FileSet
	packages map[string][]*ast.File
	sinks    map[string]bool // names of fields and parameters whose values people are told
}

func parseSource(t *testing.T, sinks ...string) *source {
	t.Helper()
	s := &source{files: token.NewFileSet(), packages: map[string][]*ast.File{}, sinks: map[string]bool{}}
	for _, name := range sinks {
		s.sinks[name] = true
	}
	root := filepath.Join("..", "..")
	for _, top := range []string{"cmd", "diff", "extract", "internal", "load", "state"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, d fs.DirEntry, err error) error {
			if d != nil && d.IsDir() && slices.Contains([]string{"testdata", "sandbox", "mysqltest", "faulttest", "lang"}, d.Name()) {
				return filepath.SkipDir
			}
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(s.files, path, nil, parser.SkipObjectResolution)
			if err == nil {
				s.packages[filepath.Dir(path)] = append(s.packages[filepath.Dir(path)], file)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// findings lists what can become the value of a sink.
func (s *source) findings() []finding {
	var list []finding
	for _, files := range s.packages {
		p := &goPackage{source: s, fields: map[string][]string{}, consts: map[string]ast.Expr{}, funcs: map[string][]*ast.FuncDecl{}}
		for _, f := range files {
			p.declare(f)
		}
		for _, f := range files {
			for _, d := range f.Decls {
				fn, _ := d.(*ast.FuncDecl)
				ast.Inspect(d, func(n ast.Node) bool {
					list = append(list, p.sunk(fn, n)...)
					return true
				})
			}
		}
	}
	slices.SortFunc(list, func(a, b finding) int { return strings.Compare(a.at.String(), b.at.String()) })
	return list
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

type goPackage struct {
	*source
	fields map[string][]string // of structs, by type
	consts map[string]ast.Expr
	funcs  map[string][]*ast.FuncDecl
}

func (p *goPackage) declare(f *ast.File) {
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			p.funcs[d.Name.Name] = append(p.funcs[d.Name.Name], d)
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch v := spec.(type) {
				case *ast.ValueSpec:
					for i := range v.Values {
						p.consts[v.Names[i].Name] = v.Values[i]
					}
				case *ast.TypeSpec:
					if st, ok := v.Type.(*ast.StructType); ok {
						for _, field := range st.Fields.List {
							for _, name := range field.Names {
								p.fields[v.Name.Name] = append(p.fields[v.Name.Name], name.Name)
							}
						}
					}
				}
			}
		}
	}
}

// sunk returns what a node puts into a sink.
func (p *goPackage) sunk(fn *ast.FuncDecl, n ast.Node) []finding {
	var exprs []ast.Expr
	switch n := n.(type) {
	case *ast.KeyValueExpr:
		if key, ok := n.Key.(*ast.Ident); ok && p.sinks[key.Name] {
			exprs = append(exprs, n.Value)
		}
	case *ast.AssignStmt:
		for i, left := range n.Lhs {
			if sel, ok := left.(*ast.SelectorExpr); ok && p.sinks[sel.Sel.Name] && len(n.Rhs) == len(n.Lhs) {
				exprs = append(exprs, n.Rhs[i])
			}
		}
	case *ast.CompositeLit: // of a struct, without the names of its fields
		if id, ok := n.Type.(*ast.Ident); ok && len(n.Elts) == len(p.fields[id.Name]) {
			for i, name := range p.fields[id.Name] {
				if _, keyed := n.Elts[i].(*ast.KeyValueExpr); !keyed && p.sinks[name] {
					exprs = append(exprs, n.Elts[i])
				}
			}
		}
	case *ast.CallExpr:
		if sel, ok := n.Fun.(*ast.SelectorExpr); ok && len(n.Args) > 0 && (p.sinks["errors.New"] && sel.Sel.Name == "New" || p.sinks["fmt.Errorf"] && sel.Sel.Name == "Errorf") {
			return p.say(fn, n.Args[0])
		}
		return p.call(fn, n)
	}
	var list []finding
	for _, e := range exprs {
		list = append(list, p.say(fn, e)...)
	}
	return list
}

// call returns what a call gives to parameters that are sinks.
func (p *goPackage) call(fn *ast.FuncDecl, c *ast.CallExpr) []finding {
	var list []finding
	for _, callee := range p.funcs[calleeName(c)] {
		if len(p.passed(callee, c)) > 0 {
			continue // what it makes of it is told elsewhere
		}
		i := 0
		for _, param := range callee.Type.Params.List {
			for _, name := range param.Names {
				if i < len(c.Args) && p.sinks[name.Name] && isText(param.Type) {
					list = append(list, p.sayFormat(fn, c.Args[i], c.Args[i+1:])...)
				}
				i++
			}
		}
	}
	return list
}

// passed returns the arguments that a function which returns a text is given as
// one.
func (p *goPackage) passed(callee *ast.FuncDecl, c *ast.CallExpr) []ast.Expr {
	if callee.Type.Results == nil || !isText(callee.Type.Results.List[0].Type) {
		return nil
	}
	var list []ast.Expr
	i := 0
	for _, param := range callee.Type.Params.List {
		for _, name := range param.Names {
			if i < len(c.Args) && p.sinks[name.Name] && isText(param.Type) {
				list = append(list, c.Args[i])
			}
			i++
		}
	}
	return list
}

func isText(t ast.Expr) bool {
	id, ok := t.(*ast.Ident)
	return ok && id.Name == "string"
}

func calleeName(c *ast.CallExpr) string {
	switch f := c.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		if x, ok := f.X.(*ast.Ident); ok && (x.Name == "fmt" || x.Name == "strings" || x.Name == "errors") {
			return ""
		}
		return f.Sel.Name
	}
	return ""
}

func (p *goPackage) at(e ast.Expr) token.Position { return p.files.Position(e.Pos()) }

// sayFormat returns what an argument named format, or a text, can say.
func (p *goPackage) sayFormat(fn *ast.FuncDecl, e ast.Expr, rest []ast.Expr) []finding {
	list := p.say(fn, e)
	if len(rest) == 0 {
		return list
	}
	for i := range list {
		list[i].words = false
	}
	return list
}

// say returns the formats of what an expression can say, without those that say
// nothing by themselves.
func (p *goPackage) say(fn *ast.FuncDecl, e ast.Expr) []finding {
	var list []finding
	for _, format := range p.formats(fn, e, 0) {
		format = strings.TrimLeft(format, ":; ")
		if strings.HasPrefix(format, ",") || strings.HasSuffix(format, " ") { // a part of another
			continue
		}
		if strings.Contains(format, " ") && strings.ContainsAny(strings.NewReplacer("%s", "", "%d", "", "%q", "", "%v", "", "%w", "").Replace(format), letters) {
			list = append(list, finding{format: format, at: p.at(e), words: true})
		}
	}
	return list
}

func (p *goPackage) formats(fn *ast.FuncDecl, e ast.Expr, depth int) []string {
	if depth > 6 {
		return []string{"%s"}
	}
	switch e := e.(type) {
	case *ast.ParenExpr:
		return p.formats(fn, e.X, depth)
	case *ast.BasicLit:
		if text, err := strconv.Unquote(e.Value); err == nil && e.Kind == token.STRING {
			return []string{text}
		}
	case *ast.BinaryExpr:
		var list []string
		for _, left := range p.formats(fn, e.X, depth+1) {
			for _, right := range p.formats(fn, e.Y, depth+1) {
				list = append(list, left+right)
			}
		}
		return list
	case *ast.Ident:
		if local := p.local(fn, e.Name, depth); local != nil {
			return local
		}
		if value, ok := p.consts[e.Name]; ok {
			return p.formats(nil, value, depth+1)
		}
	case *ast.IndexExpr:
		if lit, ok := e.X.(*ast.CompositeLit); ok {
			return p.elements(fn, lit, depth)
		}
	case *ast.CallExpr:
		return p.returned(fn, e, depth)
	}
	return []string{"%s"}
}

func (p *goPackage) elements(fn *ast.FuncDecl, lit *ast.CompositeLit, depth int) []string {
	var list []string
	for _, e := range lit.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			e = kv.Value
		}
		list = append(list, p.formats(fn, e, depth+1)...)
	}
	return list
}

// local returns what a variable of the function is given; a parameter says
// nothing, its callers do.
func (p *goPackage) local(fn *ast.FuncDecl, name string, depth int) []string {
	if fn == nil || fn.Body == nil {
		return nil
	}
	var list []string
	for _, param := range fn.Type.Params.List {
		for _, n := range param.Names {
			if n.Name == name {
				list = append(list, "%s")
			}
		}
	}
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i, left := range n.Lhs {
				if id, ok := left.(*ast.Ident); !ok || id.Name != name || len(n.Lhs) != len(n.Rhs) {
					continue
				}
				more := p.formats(fn, n.Rhs[i], depth+1)
				if n.Tok != token.ADD_ASSIGN {
					list = append(list, more...)
					continue
				}
				for _, text := range slices.Clone(list) {
					for _, end := range more {
						list = append(list, text+end)
					}
				}
			}
		case *ast.ValueSpec:
			for i, id := range n.Names {
				if id.Name == name && i < len(n.Values) {
					list = append(list, p.formats(fn, n.Values[i], depth+1)...)
				}
			}
		}
		return true
	})
	slices.Sort(list)
	return slices.Compact(list)
}

// returned returns what a call can return.
func (p *goPackage) returned(fn *ast.FuncDecl, c *ast.CallExpr, depth int) []string {
	if sel, ok := c.Fun.(*ast.SelectorExpr); ok && len(c.Args) > 0 {
		switch x, _ := sel.X.(*ast.Ident); {
		case x != nil && x.Name == "fmt" && (sel.Sel.Name == "Sprintf" || sel.Sel.Name == "Errorf"):
			return p.formats(fn, c.Args[0], depth+1)
		case x != nil && x.Name == "cmp" && sel.Sel.Name == "Or":
			var list []string
			for _, a := range c.Args {
				list = append(list, p.formats(fn, a, depth+1)...)
			}
			return list
		}
	}
	callees := p.funcs[calleeName(c)]
	if len(callees) != 1 || callees[0].Type.Results == nil || !isText(callees[0].Type.Results.List[0].Type) {
		return []string{"%s"}
	}
	var list []string
	for _, arg := range p.passed(callees[0], c) {
		list = append(list, p.formats(fn, arg, depth+1)...)
	}
	if list != nil {
		return list
	}
	ast.Inspect(callees[0], func(n ast.Node) bool {
		if r, ok := n.(*ast.ReturnStmt); ok && len(r.Results) > 0 {
			list = append(list, p.formats(callees[0], r.Results[0], depth+1)...)
		}
		_, inner := n.(*ast.FuncLit)
		return !inner
	})
	slices.Sort(list)
	return slices.Compact(list)
}

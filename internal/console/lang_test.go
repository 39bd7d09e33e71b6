package console_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"text/template/parse"
	"unicode"

	"jstsync/internal/lang"
)

// Whatever a page says there is Chinese of it, with the same arguments.
func TestTexts_Chinese(t *testing.T) {
	texts := map[string]string{}
	inTemplates(t, texts)
	inCode(t, texts)
	if len(texts) < 150 {
		t.Errorf("only %d texts were found", len(texts))
	}
	verbs := regexp.MustCompile(`%(\[\d\])?[a-z%]`)
	for text, where := range texts {
		chinese := lang.Chinese.Text(text)
		if !strings.ContainsFunc(chinese, func(r rune) bool { return unicode.Is(unicode.Han, r) }) && !same(text, chinese) {
			t.Errorf("%s: there is no Chinese of %q", where, text)
		}
		if got, want := len(verbs.FindAllString(chinese, -1)), len(verbs.FindAllString(text, -1)); got != want {
			t.Errorf("%s: %q takes %d arguments, %q %d", where, chinese, got, text, want)
		}
	}
}

// same reports whether a text is written alike in both languages.
func same(english, chinese string) bool {
	return english == chinese && strings.TrimSpace(english) == ""
}

// inTemplates collects what the function t is given.
func inTemplates(t *testing.T, texts map[string]string) {
	t.Helper()
	files, err := filepath.Glob("web/*.html")
	if err != nil || len(files) < 12 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		trees := map[string]*parse.Tree{}
		tree := parse.New(file)
		tree.Mode = parse.SkipFuncCheck
		if _, err := tree.Parse(string(source), "", "", trees); err != nil {
			t.Fatal(err)
		}
		for _, tree := range trees {
			walk(tree.Root, func(c *parse.CommandNode) {
				if name, ok := c.Args[0].(*parse.IdentifierNode); !ok || name.Ident != "t" {
					return
				}
				text, ok := c.Args[1].(*parse.StringNode)
				if !ok {
					t.Errorf("%s: t is given what is no text: %s", file, c)
					return
				}
				texts[text.Text] = file
			})
		}
	}
}

// walk visits the commands below a node.
func walk(n parse.Node, visit func(*parse.CommandNode)) {
	switch n := n.(type) {
	case *parse.ListNode:
		if n != nil {
			for _, one := range n.Nodes {
				walk(one, visit)
			}
		}
	case *parse.ActionNode:
		walk(n.Pipe, visit)
	case *parse.TemplateNode:
		walk(n.Pipe, visit)
	case *parse.IfNode:
		walkBranch(&n.BranchNode, visit)
	case *parse.RangeNode:
		walkBranch(&n.BranchNode, visit)
	case *parse.WithNode:
		walkBranch(&n.BranchNode, visit)
	case *parse.PipeNode:
		if n != nil {
			for _, c := range n.Cmds {
				walk(c, visit)
			}
		}
	case *parse.CommandNode:
		visit(n)
		for _, arg := range n.Args {
			walk(arg, visit)
		}
	}
}

func walkBranch(n *parse.BranchNode, visit func(*parse.CommandNode)) {
	walk(n.Pipe, visit)
	walk(n.List, visit)
	walk(n.ElseList, visit)
}

// inCode collects what p.t, Text and Sprintf of a language are given.
func inCode(t *testing.T, texts map[string]string) {
	t.Helper()
	files := token.NewFileSet()
	packages, err := parser.ParseDir(files, ".", func(info fs.FileInfo) bool { return !strings.HasSuffix(info.Name(), "_test.go") }, 0) //nolint:staticcheck // build tags do not matter here
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packages {
		ast.Inspect(p, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			name, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || name.Sel.Name != "t" && name.Sel.Name != "Text" && name.Sel.Name != "Sprintf" {
				return true
			}
			if literal, ok := call.Args[0].(*ast.BasicLit); ok && literal.Kind == token.STRING {
				text, err := strconv.Unquote(literal.Value)
				if err != nil {
					t.Fatal(err)
				}
				texts[text] = files.Position(call.Pos()).String()
			}
			return true
		})
	}
}

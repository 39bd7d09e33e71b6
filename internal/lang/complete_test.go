package lang_test

import (
	"fmt"
	"go/ast"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"jstsync/internal/lang"
)

// Every remedy has its Chinese.
func TestRemedies(t *testing.T) {
	wantKnown(t, 100, parseSource(t, "Remedy", "remedy", "advice").findings())
}

// So has every message of an error, but of those that a program is answered
// with; and so have the causes of those that are not about damaged files.
func TestMessages(t *testing.T) {
	messages := parseSource(t, "Message", "message", "what", "What", "format", "why", "Reason", "Note").findings()
	wantKnown(t, 300, slices.DeleteFunc(messages, func(f finding) bool {
		file := filepath.ToSlash(f.at.Filename)
		return strings.HasSuffix(file, "diff/codec.go") || strings.HasSuffix(file, "state/pages.go") || strings.Contains(file, "internal/serve/") ||
			strings.Contains(file, "internal/console") // refusals are for the log
	}))
	causes := parseSource(t, "errors.New", "fmt.Errorf").findings()
	wantKnown(t, 100, slices.DeleteFunc(causes, func(f finding) bool {
		file := strings.TrimPrefix(filepath.ToSlash(f.at.Filename), "../../")
		return !regexp.MustCompile(`^(extract|load|internal/(config|mapping|pipeline))/`).MatchString(file)
	}))
}

func wantKnown(t *testing.T, least int, said []finding) {
	t.Helper()
	if len(said) < least {
		t.Fatalf("found %d texts in the source, want %d at least: the search no longer works", len(said), least)
	}
	told := map[string]bool{}
	for _, f := range said {
		if left := lang.Unknown(sample(f.format)); left != "" && !told[f.format] {
			told[f.format] = true
			t.Errorf("%s: %q has no Chinese in internal/lang/zh: %s", strings.TrimPrefix(f.at.String(), "../../"), f.format, left)
		}
	}
}

// sample fills a format with what has no letters, as an argument may.
func sample(format string) string {
	return verbs().ReplaceAllStringFunc(format, func(verb string) string {
		switch verb[len(verb)-1] {
		case 'd':
			return "7"
		case 'q':
			return strconv.Quote(lang.Argument)
		case '%':
			return "%"
		default:
			return lang.Argument
		}
	})
}

func verbs() *regexp.Regexp {
	return regexp.MustCompile(`%(?:\[\d+\])?[+#]?[-0]?\d*(?:\.\d+)?[sdoqvwxtT%]`)
}

// What is said through this package is in a catalogue.
func TestSaid(t *testing.T) {
	entries := lang.Entries()
	want := func(at, english string) {
		t.Helper()
		if _, ok := entries[strings.TrimLeft(english, " ")]; ok {
			return
		}
		if _, ok := entries[english]; !ok && strings.ContainsAny(verbs().ReplaceAllString(english, ""), letters) {
			t.Errorf("%s: %q has no Chinese in internal/lang/zh", strings.TrimPrefix(at, "../../"), english)
		}
	}
	n := 0
	s := parseSource(t)
	for dir, files := range s.packages {
		if strings.HasSuffix(filepath.ToSlash(dir), "internal/serve") { // its say answers programs
			continue
		}
		for _, f := range files {
			ast.Inspect(f, func(node ast.Node) bool {
				if call, ok := node.(*ast.CallExpr); ok {
					for _, english := range saidBy(call) {
						n++
						want(s.files.Position(call.Pos()).String(), english)
					}
				}
				return true
			})
		}
		pages, err := filepath.Glob(filepath.Join(dir, "html", "*.html"))
		if err != nil {
			t.Fatal(err)
		}
		for _, page := range pages {
			text, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			for _, said := range regexp.MustCompile(`(?:text|say) ("(?:[^"\\]|\\.)*")`).FindAllStringSubmatch(string(text), -1) {
				english, err := strconv.Unquote(said[1])
				if err != nil {
					t.Fatal(err)
				}
				n++
				want(page, english)
			}
		}
	}
	if n < 200 {
		t.Errorf("found %d texts in the source, want 200 at least: the search no longer works", n)
	}
}

// saidBy returns the literals that a call says in the reader's language.
func saidBy(call *ast.CallExpr) []string {
	name, args := calleeName(call), call.Args
	switch name {
	case "Text", "Sprintf", "Say", "comment", "stage":
		args = args[:min(len(args), 1)]
	case "line", "say", "heads":
	case "plural":
		args = args[max(0, len(args)-1):]
	default:
		return nil
	}
	var list []string
	for _, a := range args {
		text := literal(a)
		if name == "plural" && text != "" {
			text = "%s " + text + "s"
		}
		if text != "" {
			list = append(list, text)
		}
	}
	return list
}

// literal returns a text that stands in the source, also in parts.
func literal(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, _ := strconv.Unquote(e.Value)
		return text
	case *ast.BinaryExpr:
		if left, right := literal(e.X), literal(e.Y); left != "" && right != "" {
			return left + right
		}
	}
	return ""
}

// An entry says something, takes what its English takes, and joins on like it.
func TestEntries(t *testing.T) {
	for english, chinese := range lang.Entries() {
		if strings.TrimSpace(english) == "" || strings.TrimSpace(chinese) == "" {
			t.Errorf("%q: %q says nothing", english, chinese)
		}
		if got, want := lang.Verbs(chinese), lang.Verbs(english); !maps.Equal(got, want) {
			t.Errorf("%q: %q takes %v, want %v", english, chinese, got, want)
		}
		if got := fmt.Sprintf(chinese, arguments(english)...); strings.Contains(got, "%!") {
			t.Errorf("%q: %q gives %s", english, chinese, got)
		}
		if strings.HasPrefix(english, "  ") != strings.HasPrefix(chinese, "  ") || strings.HasSuffix(chinese, " ") {
			t.Errorf("%q: %q has other blanks at its ends", english, chinese)
		}
	}
}

// arguments returns one for each verb of a format.
func arguments(format string) []any {
	var args []any
	for _, verb := range verbs().FindAllString(format, -1) {
		switch verb[len(verb)-1] {
		case '%':
		case 'd', 'o', 'x':
			args = append(args, 7)
		case 't':
			args = append(args, true)
		default:
			args = append(args, "x")
		}
	}
	return args
}

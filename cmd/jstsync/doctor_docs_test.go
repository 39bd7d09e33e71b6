package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every kind of finding that the scripts show is explained.
func TestDoctor_Documented(t *testing.T) {
	document, err := os.ReadFile(filepath.Join("..", "..", "docs", "doctor.md"))
	if err != nil {
		t.Fatal(err)
	}
	scripts, err := filepath.Glob("testdata/script/doctor*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	for _, name := range scripts {
		script, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range regexp.MustCompile(`\b(?:config|state|api|mysql)\.[a-z_]+(?:\\\]|"|\])`).FindAllString(string(script), -1) {
			shown[strings.TrimRight(id, `\]"`)] = true
		}
	}
	if len(shown) < 25 {
		t.Errorf("found %d kinds of findings, want more: the search no longer works", len(shown))
	}
	for id := range shown {
		if !strings.Contains(string(document), "`"+id+"`") {
			t.Errorf("docs/doctor.md does not explain %s", id)
		}
	}
}

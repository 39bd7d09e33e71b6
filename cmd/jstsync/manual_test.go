package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// The manual page has all that the program has: each command with all that its
// help says, each variable and each exit code; and what renders manual pages
// finds nothing wrong with it.
func TestManual(t *testing.T) {
	page, err := exec.Command("jstsync", "man").Output()
	if err != nil {
		t.Fatal(err)
	}
	text := rendered(t, page)
	has := func(what string) {
		t.Helper()
		if !strings.Contains(text, squeeze(what)) {
			t.Errorf("the page lacks %q", what)
		}
	}
	app := (&program{}).app()
	has("jstsync - " + app.Usage)
	flags(app.Flags, has)
	var commands func(path string, list []*cli.Command)
	commands = func(path string, list []*cli.Command) {
		for _, c := range list {
			has(path + " " + c.Name)
			has(c.Usage[1:])
			if !strings.Contains(c.Description, "Example: ") || !strings.Contains(c.Description, "Exit codes: ") {
				t.Errorf("the help of %s %s lacks an example or its exit codes", path, c.Name)
			}
			for part := range strings.SplitSeq(strings.ReplaceAll(c.Description, "Example: ", "\n\n"), "\n\n") {
				has(part)
			}
			flags(c.Flags, has)
			commands(path+" "+c.Name, c.Subcommands)
		}
	}
	commands("jstsync", app.Commands)
	for _, name := range append(variables(t), "JSTSYNC_CONFIG", "NO_COLOR") {
		has(name)
	}
	for _, code := range []string{"0", "1", "2", "3", "4", "5", "64", "78", "130", "143"} {
		if !regexp.MustCompile(`EXIT STATUS .*\b` + code + `\b.* ENVIRONMENT`).MatchString(text) {
			t.Errorf("the page lacks exit code %s", code)
		}
	}
}

func flags(list []cli.Flag, has func(string)) {
	for _, f := range list {
		if f.(cli.VisibleFlag).IsVisible() {
			has("--" + f.Names()[0] + " ")
			has(strings.ReplaceAll(f.(cli.DocGenerationFlag).GetUsage(), "`", ""))
		}
	}
}

// variables are those that settings are read from.
func variables(t *testing.T) (names []string) {
	files, err := filepath.Glob("../../internal/config/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(` env:"(\w+)"`).FindAllStringSubmatch(string(text), -1) {
			names = append(names, m[1])
		}
	}
	if len(names) < 7 {
		t.Fatalf("found %v in the settings", names)
	}
	return names
}

// rendered returns the page as people read it, its white space squeezed.
func rendered(t *testing.T, page []byte) string {
	if _, err := exec.LookPath("mandoc"); err == nil {
		lint := exec.Command("mandoc", "-T", "lint", "-W", "warning")
		lint.Stdin = bytes.NewReader(page)
		if out, err := lint.CombinedOutput(); err != nil && !datesOnly(out) {
			t.Errorf("mandoc: %s", out)
		}
	}
	if _, err := exec.LookPath("groff"); err != nil {
		t.Skip("there is no groff to render it with")
	}
	render := exec.Command("groff", "-man", "-Tutf8", "-ww", "-rHY=0", "-dAD=l", "-rLL=200n", "-P-cbou")
	render.Stdin = bytes.NewReader(page)
	var warnings bytes.Buffer
	render.Stderr = &warnings
	out, err := render.Output()
	if err != nil || warnings.Len() > 0 {
		t.Errorf("groff: %v: %s", err, &warnings)
	}
	return squeeze(string(out))
}

// datesOnly reports whether mandoc found no more than that a build which knows no
// commit has no date.
func datesOnly(lint []byte) bool {
	for line := range strings.Lines(string(lint)) {
		if !strings.Contains(line, "missing date") {
			return false
		}
	}
	return true
}

func squeeze(text string) string { return strings.Join(strings.Fields(text), " ") }

// Whatever a text holds, it is shown as it stands.
func TestRoff_Text(t *testing.T) {
	r := &roff{}
	r.raw(`.TH X 1 "2026-01-31"`)
	r.section("NAME")
	r.text("x - y")
	text := ".TH 'a' \\fB\\n[x] -- `c` ^~ \"d\" 店…\n'quoted' .\n.br\n\\"
	r.paragraph(text)
	r.request("SS", `"a" \b`)
	got := rendered(t, []byte(r.String()))
	for _, want := range []string{text, `"a" \b`} {
		if !strings.Contains(got, squeeze(want)) {
			t.Errorf("got %s, want %s in it", got, squeeze(want))
		}
	}
}

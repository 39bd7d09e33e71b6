// Package tools_test tries out the root's lint configuration: a rule that never fires keeps nothing apart.
package tools_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// violations maps a file that breaks one rule to the one report it must cause.
var violations = map[string]struct{ code, linter, text string }{
	// diff: the allow-list, exact to the package
	"diff/bad_files.go":   {use("os"), "depguard", "list 'core-is-pure'"},
	"diff/bad_log.go":     {use("log/slog"), "depguard", "list 'core-is-pure'"},
	"diff/bad_network.go": {use("net"), "depguard", "list 'core-is-pure'"},
	"diff/bad_ours.go":    {use("jstsync/internal/fault"), "depguard", "list 'core-is-pure'"},
	"diff/bad_random.go":  {use("math/rand/v2"), "depguard", "list 'core-is-pure'"},

	// the adapters, none of one another; each imports the next, since a circle would not compile
	"state/bad.go":             {use("jstsync/load"), "depguard", "pipeline and cmd bring the parts together"},
	"load/bad.go":              {use("jstsync/extract"), "depguard", "pipeline and cmd bring the parts together"},
	"extract/bad.go":           {use("jstsync/internal/report"), "depguard", "pipeline and cmd bring the parts together"},
	"internal/report/bad.go":   {use("jstsync/internal/mapping"), "depguard", "pipeline and cmd bring the parts together"},
	"internal/mapping/bad.go":  {use("jstsync/internal/planfile"), "depguard", "pipeline and cmd bring the parts together"},
	"internal/planfile/bad.go": {use("jstsync/internal/config"), "depguard", "pipeline and cmd bring the parts together"},
	"extract/sub/bad.go":       {use("jstsync/state"), "depguard", "pipeline and cmd bring the parts together"},

	"internal/console/bad.go":  {use("jstsync/state"), "depguard", "console declares an interface for what it shows and steers; cmd passes it in"},
	"internal/pipeline/bad.go": {use("jstsync/state"), "depguard", "cmd passes it in"},
	"internal/alert/bad.go":    {use("jstsync/state"), "depguard", "alert is told what is seen"},
	"internal/doctor/bad.go":   {use("jstsync/load"), "depguard", "doctor says what it needs to be given"},

	"internal/config/bad.go":  {use("jstsync/diff"), "depguard", "it imports nothing of ours"},
	"internal/fault/bad.go":   {use("jstsync/internal/serve"), "depguard", "it imports nothing of ours"},
	"internal/request/bad.go": {use("jstsync/diff"), "depguard", "it imports nothing of ours"},
	"internal/sandbox/bad.go": {use("jstsync/internal/fault"), "depguard", "it imports nothing of ours"},

	// libraries and their one place
	"internal/serve/bad_cli.go":       {use("github.com/urfave/cli/v2"), "depguard", "flags live in cmd/"},
	"internal/serve/bad_cli_test.go":  {use("github.com/urfave/cli/v2"), "depguard", "flags live in cmd/"},
	"internal/serve/bad_tint.go":      {use("github.com/lmittmann/tint"), "depguard", "log rendering lives in cmd/"},
	"cmd/jstsync/bad_bbolt.go":        {use("go.etcd.io/bbolt"), "depguard", "storage lives in state/"},
	"cmd/jstsync/bad_driver.go":       {use("github.com/go-sql-driver/mysql"), "depguard", "MySQL lives in load/"},
	"state/bad_sql.go":                {use("database/sql"), "depguard", "MySQL lives in load/"},
	"cmd/jstsync/bad_metrics.go":      {use("github.com/prometheus/client_golang/prometheus"), "depguard", "metrics live in internal/metrics/"},
	"internal/serve/bad_metrics.go":   {use("github.com/prometheus/client_golang/prometheus"), "depguard", "metrics live in internal/metrics/"},
	"internal/serve/bad_cron.go":      {use("github.com/netresearch/go-cron"), "depguard", "cron lines are read in internal/schedule/"},
	"internal/serve/bad_mysqltest.go": {use("jstsync/internal/mysqltest"), "depguard", "it serves tests"},

	// A directory is meant from the root: a like-named one elsewhere has no licence.
	"internal/console/state/bad.go": {use("go.etcd.io/bbolt"), "depguard", "storage lives in state/"},

	"cmd/jstsync/bad_exit.go": {"import \"os\"\n\nfunc quit() { os.Exit(1) }\n\nvar _ = quit\n", "forbidigo", "only main exits"},
	"load/bad_print.go":       {"import \"fmt\"\n\nfunc say() { fmt.Println() }\n\nvar _ = say\n", "forbidigo", "write to the io.Writer you were given"},
	"load/bad_time.go":        {"import \"time\"\n\nvar _ = time.Now\n", "forbidigo", "take the time as an argument or a field"},

	"load/bad_length.go":   {"func long() {\n\t_ = []int{\n" + strings.Repeat("\t\t0,\n", 90) + "\t}\n}\n\nvar _ = long\n", "funlen", "Function 'long' is too long (92 > 80)"},
	"load/bad_filesize.go": {"func many() {}\n\nvar _ = many\n" + strings.Repeat("\n// Filler.\n", 260), "revive", "which exceeds the limit of 500"},
}

// clean maps a file that breaks no rule to its code: what each rule must let pass.
var clean = map[string]string{
	"cmd/jstsync/main.go": "import \"os\"\n\nfunc main() { os.Exit(0) }\n",
	"cmd/jstsync/wiring.go": use("github.com/lmittmann/tint", "github.com/urfave/cli/v2",
		"jstsync/extract", "jstsync/internal/config", "jstsync/internal/pipeline", "jstsync/internal/sandbox", "jstsync/load", "jstsync/state"),
	"diff/pure.go":               use("bytes", "cmp", "errors", "fmt", "github.com/cespare/xxhash/v2", "slices", "strings", "time"),
	"diff/pure_test.go":          use("os", "time"),
	"extract/good.go":            use("jstsync/diff", "jstsync/internal/fault", "net/http"),
	"internal/alert/good.go":     use("jstsync/diff"),
	"internal/doctor/good.go":    use("jstsync/diff"),
	"internal/console/good.go":   use("jstsync/diff", "jstsync/internal/request"),
	"internal/mysqltest/good.go": use("database/sql", "github.com/go-sql-driver/mysql"),
	"internal/pipeline/good.go":  use("jstsync/diff", "jstsync/internal/fault"),
	"internal/metrics/good.go":   use("github.com/prometheus/client_golang/prometheus"),
	"internal/schedule/good.go":  use("github.com/netresearch/go-cron"),
	"load/good.go":               use("database/sql", "github.com/go-sql-driver/mysql", "jstsync/diff", "jstsync/internal/fault"),
	"load/good_test.go":          use("jstsync/extract", "jstsync/internal/mysqltest", "time") + "\nfunc late() time.Time { return time.Now() }\n\nvar _ = late\n",
	"state/good.go":              use("go.etcd.io/bbolt", "jstsync/diff", "jstsync/internal/fault"),
	"state/good_test.go":         use("database/sql"),
}

// symbols names something to use from each package of the standard library; any other has the constant Present.
var symbols = map[string]string{
	"bytes": "Equal", "cmp": "Compare[int]", "database/sql": "Open", "errors": "Is", "fmt": "Sprint", "log/slog": "Default",
	"math/rand/v2": "Int", "net": "Dial", "net/http": "NewRequest", "os": "Args", "slices": "Sort[[]int]",
	"strings": "Cut", "time": "Second",
}

// libraries are stood in for by empty modules, so that the try-out downloads nothing.
var libraries = map[string]string{ // module to the package imported, below it
	"github.com/cespare/xxhash/v2":        "",
	"github.com/go-sql-driver/mysql":      "",
	"github.com/lmittmann/tint":           "",
	"github.com/netresearch/go-cron":      "",
	"github.com/prometheus/client_golang": "prometheus",
	"github.com/urfave/cli/v2":            "",
	"go.etcd.io/bbolt":                    "",
}

func TestLint(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	linter := filepath.Join(root, ".bin", "golangci-lint")
	if runtime.GOOS == "windows" {
		linter += ".exe"
	}
	if _, err := os.Stat(linter); err != nil {
		t.Fatalf("%v: build it in tools/ by: GOWORK=off go build -o ../.bin/ tool", err)
	}
	config, err := os.ReadFile(filepath.Join(root, ".golangci.yml"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, dir, ".golangci.yml", string(config))
	writeModule(t, dir)

	got := lint(t, linter, dir)
	for _, file := range slices.Sorted(maps.Keys(violations)) {
		want := violations[file]
		reports := got[file]
		delete(got, file)
		if len(reports) != 1 || reports[0].FromLinter != want.linter || !strings.Contains(reports[0].Text, want.text) {
			t.Errorf("%s: got reports %v, want one of %s with %q", file, reports, want.linter, want.text)
		}
	}
	for _, file := range slices.Sorted(maps.Keys(got)) {
		t.Errorf("%s: got reports %v, want none: it breaks no rule", file, got[file])
	}
}

// TestLint_rules fails when a rule is added to the configuration and not to the try-out.
func TestLint_rules(t *testing.T) {
	config, err := os.ReadFile("../.golangci.yml")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(config)) {
		_, desc, found := strings.Cut(line, "desc: \"")
		if !found {
			_, desc, found = strings.Cut(line, "msg: \"")
		}
		desc, _, _ = strings.Cut(desc, "\"")
		tried := false
		for _, v := range violations {
			tried = tried || strings.HasSuffix(desc, v.text)
		}
		if found && !tried {
			t.Errorf("no violation tries out the rule that says %q", desc)
		}
	}
}

type report struct{ FromLinter, Text string }

// lint runs the linter once over all of the module and returns its reports by file.
func lint(t *testing.T, linter, dir string) map[string][]report {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), linter, "run", "--allow-parallel-runners", "--show-stats=false",
		"--output.json.path=stdout", "./...")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod", "GOPROXY=off")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) { // 1: there are reports
		t.Fatalf("run golangci-lint: %v\n%s", err, stderr.Bytes())
	}
	var out struct {
		Issues []struct {
			report
			Pos struct{ Filename string }
		}
	}
	if err := json.NewDecoder(&stdout).Decode(&out); err != nil {
		t.Fatalf("read its reports: %v\n%s", err, stderr.Bytes())
	}
	reports := map[string][]report{}
	for _, issue := range out.Issues {
		file := filepath.ToSlash(issue.Pos.Filename)
		reports[file] = append(reports[file], issue.report)
	}
	return reports
}

// writeModule writes a module of this one's name and layout with the clean files and the violations.
func writeModule(t *testing.T, dir string) {
	t.Helper()
	gomod := "module jstsync\n\ngo 1.26.0\n"
	for _, module := range slices.Sorted(maps.Keys(libraries)) {
		version := "v1.0.0"
		if path.Base(module) == "v2" {
			version = "v2.0.0"
		}
		stub := "stub/" + module
		gomod += "\nrequire " + module + " " + version + "\n\nreplace " + module + " => ./" + stub + "\n"
		write(t, dir, stub+"/go.mod", "module "+module+"\n\ngo 1.26.0\n")
		pkg := path.Join(module, libraries[module])
		write(t, dir, "stub/"+pkg+"/stub.go", "package "+packageName(pkg)+"\n\nconst Present = true\n")
	}
	write(t, dir, "go.mod", gomod)

	files := maps.Clone(clean)
	for file, v := range violations {
		files[file] = v.code
	}
	packages := map[string]bool{"internal/planfile": true}
	for file, code := range files {
		name := path.Base(path.Dir(file))
		switch {
		case strings.HasPrefix(file, "cmd/"):
			name = "main"
		case strings.HasSuffix(file, "_test.go"):
			name += "_test"
		}
		write(t, dir, file, "package "+name+"\n\n"+code)
		packages[path.Dir(file)] = true
	}
	for pkg := range packages {
		doc := "// Package " + path.Base(pkg) + " is here to be linted.\npackage " + path.Base(pkg) + "\n"
		if strings.HasPrefix(pkg, "cmd/") {
			doc = "// Command jstsync is here to be linted.\npackage main\n"
		}
		write(t, dir, pkg+"/doc.go", doc+"\n// Present lets others use the package.\nconst Present = true\n")
	}
}

func write(t *testing.T, dir, file, text string) {
	t.Helper()
	name := filepath.Join(dir, filepath.FromSlash(file))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// use returns code that imports packages and uses each, in the format the linter asks for.
func use(packages ...string) string {
	var groups [3]string // the standard library, libraries, ours
	uses := ""
	for _, pkg := range packages {
		group := 0
		symbol, standard := symbols[pkg]
		if !standard {
			symbol, group = "Present", 1
		}
		if strings.HasPrefix(pkg, "jstsync/") {
			group = 2
		}
		groups[group] += "\t\"" + pkg + "\"\n"
		uses += "\nvar _ = " + packageName(pkg) + "." + symbol + "\n"
	}
	written := slices.DeleteFunc(groups[:], func(g string) bool { return g == "" })
	return "import (\n" + strings.Join(written, "\n") + ")\n" + uses
}

// packageName returns the name of a package by its path, which may end in a major version or begin with the language's.
func packageName(pkg string) string {
	if path.Base(pkg) == "v2" {
		pkg = path.Dir(pkg)
	}
	return strings.TrimPrefix(path.Base(pkg), "go-")
}

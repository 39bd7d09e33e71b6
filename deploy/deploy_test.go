package deploy_test

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"jstsync/diff"
	"jstsync/internal/metrics"
)

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.FromSlash(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// series returns the labels of each series that the program exposes.
func series(t *testing.T) map[string][]string {
	t.Helper()
	m := metrics.New(metrics.Options{StateFile: os.Args[0], RateUsed: func() float64 { return 0 }})
	m.Expect("shops")
	m.TokenEnds(time.Unix(1, 0))
	m.Alerted("ops", true)
	m.Observe(&metrics.Run{
		Pipeline: "shops", Outcome: metrics.Committed, Calls: []metrics.Call{{Class: "success"}},
		Plan: &diff.Plan{Rules: []diff.RuleTally{{Rule: "named", OnFail: diff.Warn, Count: 1}}},
	})
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
	found := map[string][]string{}
	line := regexp.MustCompile(`(?m)^(jstsync_\w+)(?:\{(.*)\})? \S+$`)
	for _, s := range line.FindAllStringSubmatch(w.Body.String(), -1) {
		var labels []string
		for _, l := range regexp.MustCompile(`(\w+)="`).FindAllStringSubmatch(s[2], -1) {
			labels = append(labels, l[1])
		}
		found[s[1]] = labels
	}
	if len(found) < 10 {
		t.Fatalf("found only %v", found)
	}
	return found
}

// values are what labels can hold.
func values() map[string][]string {
	return map[string][]string{
		"outcome": {"unchanged", "committed", "held", "busy", "diverged", "interrupted", "failed"},
		"class":   {"success", string(diff.CodeRateLimited)},
	}
}

var (
	metricName = regexp.MustCompile(`\bjstsync_\w+`)
	selector   = regexp.MustCompile(`\b(jstsync_\w+)\{([^}]*)\}`)
	matcher    = regexp.MustCompile(`(\w+)\s*(=~|=|!=|!~)\s*"([^"]*)"`)
	grouping   = regexp.MustCompile(`by \(([^)]*)\)`)
	variable   = regexp.MustCompile(`\{\{ *\$labels\.(\w+) *\}\}|\{\{(\w+)\}\}`)
)

// checkExpr returns what an expression, and the text shown with it, name that
// does not exist.
func checkExpr(known map[string][]string, expr, text string) (wrong []string) {
	labels := map[string]bool{}
	for _, name := range metricName.FindAllString(expr, -1) {
		if _, ok := known[name]; !ok {
			wrong = append(wrong, "metric "+name)
		}
		for _, l := range known[name] {
			labels[l] = true
		}
	}
	for _, s := range selector.FindAllStringSubmatch(expr, -1) {
		for _, m := range matcher.FindAllStringSubmatch(s[2], -1) {
			if !slices.Contains(known[s[1]], m[1]) {
				wrong = append(wrong, "label "+m[1]+" of "+s[1])
			}
			for v := range strings.SplitSeq(m[3], "|") {
				if all := values()[m[1]]; all != nil && !slices.Contains(all, v) {
					wrong = append(wrong, m[1]+" "+v)
				}
			}
		}
	}
	used := variable.FindAllStringSubmatch(text, -1)
	for _, g := range grouping.FindAllStringSubmatch(expr, -1) {
		for l := range strings.SplitSeq(g[1], ",") {
			used = append(used, []string{"", strings.TrimSpace(l), ""})
		}
	}
	for _, u := range used {
		if l := u[1] + u[2]; !labels[l] {
			wrong = append(wrong, "label "+l)
		}
	}
	return wrong
}

func TestCheckExpr(t *testing.T) {
	known := map[string][]string{"jstsync_runs_total": {"pipeline", "outcome"}}
	for expr, want := range map[string]int{
		`rate(jstsync_runs_total{outcome="failed"}[5m])`: 0, `jstsync_run_total`: 1, `jstsync_runs_total{result="failed"}`: 1,
		`jstsync_runs_total{outcome="fialed"}`: 1, `sum by (pipelin) (jstsync_runs_total)`: 1, `sum by (pipeline) (jstsync_runs_total)`: 0,
	} {
		if got := checkExpr(known, expr, ""); len(got) != want {
			t.Errorf("%s: got %q, want %d", expr, got, want)
		}
	}
}

func TestRules(t *testing.T) {
	var file struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.UnmarshalWithOptions([]byte(read(t, "prometheus/jstsync.rules.yaml")), &file, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	known := series(t)
	count := 0
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			count++
			if wrong := checkExpr(known, r.Expr, r.Annotations["summary"]+r.Annotations["description"]); wrong != nil {
				t.Errorf("%s: %q do not exist", r.Alert, wrong)
			}
			if r.Alert == "" || r.Labels["severity"] == "" || r.Annotations["description"] == "" {
				t.Errorf("%+v is not complete", r)
			}
		}
	}
	if count < 6 {
		t.Errorf("read %d rules", count)
	}
}

func TestDashboard(t *testing.T) {
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr, LegendFormat string }
		}
	}
	if err := json.Unmarshal([]byte(read(t, "grafana/jstsync.json")), &board); err != nil {
		t.Fatal(err)
	}
	known, shown := series(t), map[string]bool{}
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			if wrong := checkExpr(known, target.Expr, target.LegendFormat); wrong != nil {
				t.Errorf("%s: %q do not exist", p.Title, wrong)
			}
			for _, name := range metricName.FindAllString(target.Expr, -1) {
				shown[strings.TrimSuffix(name, "_bucket")] = true
			}
		}
	}
	for _, name := range metrics.Names() {
		if !shown[name] {
			t.Errorf("%s is on no panel", name)
		}
	}
}

// Every command line that a file holds is one that the program takes.
func TestCommands(t *testing.T) {
	program := filepath.Join(t.TempDir(), "jstsync")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "../cmd/jstsync").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	line := regexp.MustCompile(`(?:ExecStart=/usr/bin/|&& )jstsync ([^>\n]*)`)
	var lines []string
	for _, name := range []string{"systemd/jstsync.service", "systemd/jstsync-sync.service", "cron/jstsync"} {
		found := line.FindStringSubmatch(read(t, name))
		if found == nil {
			t.Fatalf("%s runs nothing", name)
		}
		lines = append(lines, found[1])
	}
	args := regexp.MustCompile(`args: \[(.*)\]`).FindStringSubmatch(read(t, "kubernetes/cronjob.yaml"))
	cmd := regexp.MustCompile(`CMD \["(.*)"\]`).FindStringSubmatch(read(t, "docker/Dockerfile"))
	if args == nil || cmd == nil {
		t.Fatal("the manifest or the Dockerfile runs nothing")
	}
	lines = append(lines, strings.ReplaceAll(args[1], ",", ""), cmd[1])
	for _, l := range lines {
		if out, err := exec.CommandContext(t.Context(), program, append(strings.Fields(l), "--help")...).CombinedOutput(); err != nil || !strings.Contains(string(out), "Exit codes:") {
			t.Errorf("jstsync %s: %v\n%s", l, err, out)
		}
	}
}

// The manifest is YAML, and the configuration in it is one that the program takes.
func TestManifest(t *testing.T) {
	dec := yaml.NewDecoder(strings.NewReader(read(t, "kubernetes/cronjob.yaml")))
	kinds := map[string]map[string]any{}
	for {
		var doc map[string]any
		if dec.Decode(&doc) != nil {
			break
		}
		kinds[doc["kind"].(string)] = doc
	}
	if len(kinds) != 3 {
		t.Fatalf("got %d documents, want 3", len(kinds))
	}
	text := kinds["ConfigMap"]["data"].(map[string]any)["jstsync.yaml"].(string)
	dir := t.TempDir()
	for _, secret := range []string{"app_secret", "access_token", "dsn"} {
		if err := os.WriteFile(filepath.Join(dir, secret), []byte("u:p@tcp(127.0.0.1:3306)/d"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "jstsync.yaml")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(text, "/etc/jstsync/secret", dir)), 0o600); err != nil {
		t.Fatal(err)
	}
	check := exec.CommandContext(t.Context(), "go", "run", "../cmd/jstsync", "--config", file, "config", "check")
	check.Env = append(os.Environ(), "JST_APP_KEY=k")
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// systemd understands the units, where it is installed.
func TestUnits(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		if os.Getenv("JSTSYNC_TEST_REQUIRE_SYSTEMD") != "" {
			t.Fatal("systemd-analyze is not installed")
		}
		t.Skip("systemd-analyze is not installed")
	}
	dir := t.TempDir()
	for _, name := range []string{"jstsync.service", "jstsync-sync.service", "jstsync-sync.timer"} {
		// The program need not be installed to look at a unit.
		text := strings.ReplaceAll(read(t, "systemd/"+name), "/usr/bin/jstsync", "/bin/true")
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"jstsync.service", "jstsync-sync.timer"} {
		out, err := exec.CommandContext(t.Context(), analyze, "verify", "--man=no", filepath.Join(dir, name)).CombinedOutput()
		if err != nil || strings.Contains(string(out), dir) {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

package config_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"jstsync/internal/config"
)

// Any file gives settings that hold what the package promises, or an *Error.
func FuzzLoad(f *testing.F) {
	for _, seed := range []string{
		"", "state: a.db\n", "source: {page_size: 5, rate: {per_second: 0.5}}\n", "target:\n  dsn: u:${P:-x}@tcp(h)/d\n",
		"pipelines:\n  a:\n    guard: {max_deletes: 1}\n  b: {}\n", "state: a\nstate: b\n", "a: &x [1]\nb: *x\n<<: *x\n",
		"? |\n  k\n: >-\n  v\n", "%YAML 1.2\n---\nstate: \"\\u0041\"\n...\n---\nb: 1\n", "{state: ${A}, [a]: !!int 1}", "\ufeffstate: $$\r\n",
		"sources: {a: {app_key: k}, b: }\npipelines:\n  p:\n    source: b\n    key: [a, b]\n    cron: '0 0 * * *'\n    columns:\n    - {name: a, type: \"DECIMAL(3,1)\", default: 1.5}\n    - name: b\n      type: int\n",
		"pipelines: {p: {rules: [{name: x, expr: \"a\\n\"}], columns: [{name: shop_id, type: INT, expr: x, clean: [nfc]}]}}\n",
		"alerts: {channels: [{name: o, kind: wecom, url: 'https://h?k=v', secret: s}]}\nserve: {listen: ':1', time_zone: UTC}\n",
		"pipelines: {p: {rules: [{name: x, expr: 'a''b'}, {name: y, expr: \"\\\"a\"}, {name: z, expr: ' 店'}]}}\n",
		"pipelines:\n  p:\n    rules:\n    - name: x\n      expr: |2\n\n          a\n         b\n    - {name: y, expr: >\n        c\n        d}\n",
		"lock_timeout: 7d1h\n", "source: {app_secret_file: x, base_url: 'http://[::1]:80/'}\n", "\t- [{\n", "state: |2\n   x\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4096 {
			return
		}
		h := host(map[string]string{"A": "1"}, map[string]string{config.DefaultFile: string(data), "x": string(data)})
		_, err := config.Check("", h, anywhere)
		checkError(t, err)
		s, err := config.Load("", h)
		if err != nil {
			checkError(t, err)
			return
		}
		checkShown(t, s)
		if err := s.Require(config.NeedState, config.NeedSource, config.NeedTarget); err != nil {
			checkError(t, err)
			return
		}
		chosen, err := s.Pipeline()
		if err != nil {
			checkError(t, err)
			return
		}
		src := s.Source
		if s.State == "" || s.LockTimeout <= 0 || src.PageSize < 1 || src.PageSize > 100 || src.Timeout <= 0 ||
			!(src.Rate.PerSecond > 0) || !(src.Rate.PerMinute > 0) || src.Retry.MaxAttempts < 1 || src.Retry.MaxElapsed <= 0 {
			t.Errorf("got settings out of range: %+v", s)
		}
		for _, p := range chosen {
			if p.Name == "" || p.Resource != "shops" || len(p.Key) == 0 || (p.Every > 0) == (p.Cron != "") || s.SourceOf(p) == nil || p.Table == "" || strings.ContainsAny(p.Table, "`.\x00") || p.Guard.MaxDeletes < 0 {
				t.Errorf("got a pipeline out of range: %+v", p)
			}
		}
		for _, p := range chosen {
			for _, c := range p.Columns {
				if c.Name == "" || c.Type == "" || (c.From == "") == (c.Expr == "") || strings.ContainsAny(c.Name, "`\x00") {
					t.Errorf("got a column out of range: %+v", c)
				}
			}
		}
		if len(chosen) == 0 {
			t.Error("got no pipeline")
		}
	})
}

// anywhere finds a mistake at places of all kinds.
func anywhere(s *config.Settings) []config.Finding {
	found := []config.Finding{{Path: "", Message: "x"}, {Path: "target.dsn", At: 2, Message: "x"}, {Path: "nowhere[1].at.all", At: 1, Message: "x"}}
	for _, p := range s.Pipelines {
		for i, r := range p.Rules {
			for at := range len(r.Expr) + 2 {
				found = append(found, config.Finding{Path: fmt.Sprintf("pipelines.%s.rules[%d].expr", p.Name, i), At: at, Message: "x", Quotes: true})
			}
		}
	}
	return found
}

func checkShown(t *testing.T, s *config.Settings) {
	t.Helper()
	text, err := s.EffectiveYAML()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.EffectiveJSON(); err != nil {
		t.Fatal(err)
	}
	var v any
	if err := yaml.Unmarshal(text, &v); err != nil {
		t.Errorf("got what is no YAML: %v\n%s", err, text)
	}
}

func checkError(t *testing.T, err error) {
	t.Helper()
	var e *config.Error
	if !errors.As(err, &e) || len(e.Problems) == 0 {
		t.Fatalf("got %T %v, want an *Error with problems", err, err)
	}
	for _, p := range e.Problems {
		if p.Message == "" || p.Line < 0 || strings.ContainsAny(p.String(), "\n\r\x00") {
			t.Errorf("got a problem that is no line: %+v", p)
		}
		if strings.ContainsAny(p.Source, "\n\r\x00") || strings.Count(p.Excerpt(), "\n") > 1 {
			t.Errorf("got an excerpt of more than a line: %+v", p)
		}
	}
}

package config_test

import (
	"errors"
	"strings"
	"testing"

	"jstsync/internal/config"
)

// Any file gives settings that hold what the package promises, or an *Error.
func FuzzLoad(f *testing.F) {
	for _, seed := range []string{
		"", "state: a.db\n", "source: {page_size: 5, rate: {per_second: 0.5}}\n", "target:\n  dsn: u:${P:-x}@tcp(h)/d\n",
		"pipelines:\n  a:\n    guard: {max_deletes: 1}\n  b: {}\n", "state: a\nstate: b\n", "a: &x [1]\nb: *x\n<<: *x\n",
		"? |\n  k\n: >-\n  v\n", "%YAML 1.2\n---\nstate: \"\\u0041\"\n...\n---\nb: 1\n", "{state: ${A}, [a]: !!int 1}", "\ufeffstate: $$\r\n",
		"lock_timeout: 7d1h\n", "source: {app_secret_file: x, base_url: 'http://[::1]:80/'}\n", "\t- [{\n", "state: |2\n   x\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4096 {
			return
		}
		h := host(map[string]string{"A": "1"}, map[string]string{config.DefaultFile: string(data), "x": string(data)})
		s, err := config.Load("", h)
		if err != nil {
			checkError(t, err)
			return
		}
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
			if p.Name == "" || p.Resource != "shops" || p.Table == "" || strings.ContainsAny(p.Table, "`.\x00") || p.Guard.MaxDeletes < 0 {
				t.Errorf("got a pipeline out of range: %+v", p)
			}
		}
		if len(chosen) == 0 {
			t.Error("got no pipeline")
		}
	})
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
	}
}

package config_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"jstsync/internal/config"
)

func TestSettings_Require(t *testing.T) {
	for _, tt := range []struct {
		name, content string
		env           map[string]string
		needs         []config.Need
		want          string
	}{
		{"nothing needed", "", nil, nil, ""},
		{"defaults do", "", nil, []config.Need{config.NeedState}, ""},
		{
			"never set", "", nil,
			[]config.Need{config.NeedTarget, config.NeedSource},
			`source.app_key is not set; put it in jstsync.yaml or export JST_APP_KEY
source.app_secret is not set; put it in jstsync.yaml or export JST_APP_SECRET
source.access_token is not set; put it in jstsync.yaml or export JST_ACCESS_TOKEN
target.dsn is not set; put it in jstsync.yaml or export MYSQL_DSN`,
		},
		{"without a token", "", map[string]string{"JST_APP_KEY": "k", "JST_APP_SECRET": "s"}, []config.Need{config.NeedApp}, ""},
		{
			"only the token", "", nil,
			[]config.Need{config.NeedToken},
			"source.access_token is not set; put it in jstsync.yaml or export JST_ACCESS_TOKEN",
		},
		{"unset, not needed", "target: {dsn: '${NO}'}\nstate: ${NO}", nil, []config.Need{config.NeedToken, config.NeedTarget}, `jstsync.yaml:1:15: target.dsn is not set: the environment has no NO; export NO
source.access_token is not set; put it in jstsync.yaml or export JST_ACCESS_TOKEN`},
		{"empty variable", "target: {dsn: 'u:${NO}@${NET}/${ALSO}'}", map[string]string{"NO": "", "NET": "tcp"}, []config.Need{config.NeedTarget}, "jstsync.yaml:1:15: target.dsn is not set: the environment has no NO, ALSO; export NO, ALSO"},
		{"number", "source: {page_size: '${NO}'}", nil, []config.Need{config.NeedTarget}, "target.dsn is not set; put it in jstsync.yaml or export MYSQL_DSN"},
		{"state", "lock_timeout: ${NO}\nstate: '${NO:-}'", nil, []config.Need{config.NeedState}, `jstsync.yaml:1:15: lock_timeout is not set: the environment has no NO; export NO
jstsync.yaml:2:8: state is not set; write a value or export NO`},
		{"empty in the file is not filled", "target: {dsn: ''}", map[string]string{"MYSQL_DSN": "x"}, []config.Need{config.NeedTarget}, "jstsync.yaml:1:15: target.dsn is not set: it is empty; write a value, or remove the key and export MYSQL_DSN"},
		{"empty file name", "target: {dsn_file: }", nil, []config.Need{config.NeedTarget}, "jstsync.yaml:1:10: target.dsn is not set: dsn_file is empty; write the path of a file"},
		{"unset file name", "target: {dsn_file: '${NO}'}", nil, []config.Need{config.NeedTarget}, "jstsync.yaml:1:20: target.dsn is not set: the environment has no NO; export NO"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := errorText(t, load(t, tt.content, tt.env).Require(tt.needs...)); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

func TestSettings_Pipeline(t *testing.T) {
	s := load(t, "pipelines: {b: {}, a: {table: t}, c: {table: '${NO}'}}", nil)
	for _, tt := range []struct {
		args, want []string
	}{
		{[]string{"a"}, []string{"a"}},
		{[]string{"b", "a", "b"}, []string{"b", "a"}},
	} {
		chosen, err := s.Pipeline(tt.args...)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range chosen {
			got = append(got, p.Name)
		}
		if !reflect.DeepEqual(got, tt.want) {
			t.Errorf("Pipeline(%q): got %q, want %q", tt.args, got, tt.want)
		}
	}
	for _, args := range [][]string{nil, {"a", "c"}} {
		_, err := s.Pipeline(args...)
		want := "jstsync.yaml:1:46: pipelines.c.table is not set: the environment has no NO; export NO"
		if got := errorText(t, err); got != want {
			t.Errorf("Pipeline(%q): got %q, want %q", args, got, want)
		}
	}
	_, err := s.Pipeline("a", "y", "x", "y")
	var unknown *config.UnknownPipelineError
	if !errors.As(err, &unknown) {
		t.Fatalf("got %T %v, want an *UnknownPipelineError", err, err)
	}
	if got, want := err.Error(), `no pipeline "y", "x"; known: "a", "b", "c"`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSettings_PipelineAll(t *testing.T) {
	s := load(t, "pipelines: {b: {table: t}, a: {}}", nil)
	got, err := s.Pipeline()
	if err != nil || len(got) != 2 || got[0].Name != "a" || got[1].Name != "b" {
		t.Errorf("got %v, %v, want a and b", got, err)
	}
	got[0].Table = "changed"
	if s.Pipelines[0].Table != "jst_shops" {
		t.Error("the answer shares memory with the settings")
	}
}

func TestLoad_Expansion(t *testing.T) {
	env := map[string]string{"A": "x: #y", "EMPTY": "", "_b1": "b", "DOLLAR": "${A}$$"}
	for written, want := range map[string]string{
		"${A}":           "x: #y",
		"p${A}q${_b1}":   "px: #yqb",
		"${A:-d}":        "x: #y",
		"${NO:-d}":       "d",
		"${EMPTY:-d}":    "d",
		"${NO:-a:-b$$}":  "a:-b$",
		"x${NO:-}":       "x",
		"$$":             "$",
		"$${A}":          "${A}",
		"$$$${A}":        "$${A}",
		"$A $ $":         "$A $ $",
		"${DOLLAR}":      "${A}$$",
		"a{b}":           "a{b}",
		"${NO:-C:\\dir}": "C:\\dir",
	} {
		for _, quote := range []string{"", "'"} {
			if got := load(t, "state: "+quote+written+quote+"\n", env).State; got != want {
				t.Errorf("%s%s: got %q, want %q", quote, written, got, want)
			}
		}
	}
	numbers := load(t, "lock_timeout: ${T}\nsource: {page_size: \"${P}\"}\npipelines: {a: {guard: {allow_empty: \"${E}\"}}}", map[string]string{"T": "7d", "P": "3", "E": "TRUE"})
	if got, want := numbers.LockTimeout.Hours(), 168.0; got != want {
		t.Errorf("lock_timeout: got %v hours, want %v", got, want)
	}
	if got := numbers.Source.PageSize; got != 3 {
		t.Errorf("page_size: got %d, want 3", got)
	}
	if !numbers.Pipelines[0].Guard.AllowEmpty {
		t.Error("allow_empty: got false, want true")
	}
}

func TestLoad_WindowsLineEnds(t *testing.T) {
	got := problems(t, "source:\r\n  app_key: k\r\n  page_size: 101\r\n", nil)
	if want := `3:14: source.page_size: must be 1 to 100, not "101"`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	s := load(t, "state: a.db\r\nsource:\r\n  app_key: k\r\n", nil)
	if got, want := strings.Join([]string{s.State, s.Source.AppKey}, " "), "a.db k"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

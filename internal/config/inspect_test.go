package config_test

import (
	"slices"
	"testing"

	"jstsync/internal/config"
)

// What is wrong and what is missing hide nothing of the rest; a file that is no
// YAML leaves nothing to go on with.
func TestInspect(t *testing.T) {
	examiner := func(*config.Settings) []config.Finding {
		return []config.Finding{{Path: "target.dsn", Message: "found"}, {Path: "pipelines.shops.columns", Message: "found"}}
	}
	inspect := func(content string) (*config.Settings, []string, []string, error) {
		s, mistakes, missing, err := config.Inspect("", host(nil, map[string]string{config.DefaultFile: content}), examiner)
		return s, paths(mistakes), paths(missing), err
	}
	s, mistakes, missing, err := inspect("source: {page_size: 500, app_key: k}\nstate: ours.db\npipelines: {shops: {tabel: x}}\n")
	if err != nil || s.State != "ours.db" || s.Source.AppKey != "k" || s.Source.PageSize != 0 || s.Pipelines[0].Table != "jst_shops" {
		t.Errorf("got %+v, %v, want what is right of the settings", s, err)
	}
	if want := []string{"source.page_size", "pipelines.shops", "pipelines.shops.columns"}; !slices.Equal(mistakes, want) {
		t.Errorf("got mistakes %q, want %q", mistakes, want)
	}
	if want := []string{"source.app_secret", "source.access_token", "target.dsn"}; !slices.Equal(missing, want) {
		t.Errorf("got missing %q, want %q", missing, want)
	}
	if s, _, _, err := inspect("source: {page_size: [\n"); err == nil || s != nil {
		t.Errorf("no YAML: got %+v, %v, want an error", s, err)
	}
}

func paths(problems []config.Problem) []string {
	var list []string
	for _, p := range problems {
		list = append(list, p.Path)
	}
	return list
}

package config_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"jstsync/internal/config"
)

func TestSecret(t *testing.T) {
	s := load(t, "source: {app_secret: hunter2}\ntarget: {dsn: 'u:hunter2@tcp(h)/d'}", nil)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%10.3f", "%t", "%T"} {
		for _, v := range []any{s.Source.AppSecret, &s.Source.AppSecret, s.Source, *s, s} {
			if got := fmt.Sprintf(verb, v); strings.Contains(got, "hunter2") || strings.Contains(got, fmt.Sprintf("%x", "hunter2")) {
				t.Errorf("%s of %T shows the secret: %s", verb, v, got)
			}
		}
	}
	var logged bytes.Buffer
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("m", "secret", s.Target.DSN, "all", s)
	slog.New(slog.NewTextHandler(&logged, nil)).Info("m", "secret", s.Target.DSN, "all", s)
	encoded, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	logged.Write(encoded)
	if got := logged.String(); strings.Contains(got, "hunter2") || !strings.Contains(got, "***") {
		t.Errorf("got %s, want the secrets masked", got)
	}
	if got, want := s.Source.AppSecret.Reveal(), "hunter2"; got != want {
		t.Errorf("Reveal: got %q, want %q", got, want)
	}
	if got := s.Source.AccessToken.String(); got != "" {
		t.Errorf("an empty secret: got %q, want nothing", got)
	}
}

// A secret is wrong in every way the decoder knows, and no message repeats it.
func TestLoad_SecretsStayOutOfErrors(t *testing.T) {
	for _, form := range []string{
		"source: {app_secret: [%s]}", "source: {app_secret: {%s: x}}", "source: {app_secret: \"%s\\n\"}",
		"source: {app_secret: \"%s\\q\"}", "source:\n  app_secret: |%s\n", "source:\n  app_secret:%s\n  app_key: x\n",
		"source:\n  app_secret: '%s\n", "source:\n  app_secret: a: %s\n", "source:\n  app_secret: &%s\n", "source:\n  app_secret: *%s\n",
		"source:\n  app_secret: !%s x\n", "source:\n  app_secret: ${%s\n", "source:\n  app_secret: ${%s!}\n", "source:\n  app_secret: @%s\n",
		"source:\n  app_secret: >-%s\n", "source:\n  'app_secret=%s': x\n", "source: %s\n", "source: {base_url: 'https://u:%s@h'}",
		"source:\n  app_secret: x\n%s\n", "source: {app_secret_file: '%s'}\ntarget: {dsn: }", "source: {app_secret: '%s'}\nstate: ''",
		"source: {record: {dir: 'u:%s@h', keep: x}}", "alerts: {channels: [{name: a, kind: wecom, url: 'ftp://h/%s'}]}",
		"alerts: {channels: [{name: a, kind: b, secret: %s, url_file: '%s'}]}", "pipelines: {a: {source: {%s: x}, key: %s}}", "sorce: {app_secret: %s}",
		"serve: {token: \"%s\", language: x} # %s", "serve: {token: >\n    %s\n    , language: x}", "alerts: [%s]", "pipelines:\n  a:\n  - app_secret: '%s",
		"source: {page_size: '${S}'}", "state: \"${S}\\0\"", "lock_timeout: ${S}", "source: {base_url: '${S}'}", "pipelines: {a: {table: '${S}.'}}",
	} {
		h := host(map[string]string{"S": "hunter2"}, map[string]string{config.DefaultFile: strings.ReplaceAll(form, "%s", "hunter2")})
		s, err := config.Load("", h)
		if err == nil {
			err = s.Require(config.NeedSource, config.NeedTarget)
		}
		got := errorText(t, err)
		if e, ok := errors.AsType[*config.Error](err); ok {
			for _, p := range e.Problems {
				got += "\n" + p.Excerpt()
			}
		}
		if got == "" {
			t.Errorf("%q: want an error", form)
		}
		if strings.Contains(got, "hunter2") {
			t.Errorf("%q: the error shows the secret: %s", form, got)
		}
	}
}

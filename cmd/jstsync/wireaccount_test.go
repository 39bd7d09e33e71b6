package main

import (
	"bytes"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"jstsync/diff"
	"jstsync/internal/config"
)

// wired makes the wiring of sources without a pipeline.
func wired(t *testing.T, sources ...config.Source) *wiring {
	t.Helper()
	p := &program{environment: environment{now: time.Now}, log: slog.New(slog.DiscardHandler)}
	w, err := p.wire(&config.Settings{State: filepath.Join(t.TempDir(), "jstsync.db"), Sources: sources})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.close)
	return w
}

func sourceOf(name, baseURL, key, token string, perSecond, perMinute float64) config.Source {
	return config.Source{
		Name: name, BaseURL: baseURL, AppKey: key, AppSecret: config.Secret("secret of " + key), AccessToken: config.Secret(token),
		Rate: config.Rate{PerSecond: perSecond, PerMinute: perMinute},
	}
}

func TestWiring_accounts(t *testing.T) {
	const here, there = "https://here", "https://there"
	w := wired(t,
		sourceOf("alone", here, "own", "", 5, 100),
		sourceOf("merchant1", here, "service", "t1", 5, 50),
		sourceOf("merchant2", here, "service", "t2", 2, 100),
		sourceOf("merchant2b", here, "service", "t2", 3, 100),
		sourceOf("sandbox", there, "service", "t1", 9, 900),
		sourceOf("x", here, "twice", "", 5, 100),
		sourceOf("y", here, "twice", "", 5, 100),
	)
	t.Run("one pacer an app, with the tightest limits", func(t *testing.T) {
		for _, tt := range []struct {
			a, b string
			want bool
		}{
			{"merchant1", "merchant2", true},
			{"merchant1", "merchant2b", true},
			{"x", "y", true},
			{"merchant1", "sandbox", false},
			{"merchant1", "alone", false},
		} {
			if got := w.accounts[tt.a].pacer == w.accounts[tt.b].pacer; got != tt.want {
				t.Errorf("%s and %s share a pacer: got %v, want %v", tt.a, tt.b, got, tt.want)
			}
		}
		got := rates(w.settings.Sources)[app{here, "service"}]
		if want := (config.Rate{PerSecond: 2, PerMinute: 50}); got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	})
	t.Run("one source of tokens an account", func(t *testing.T) {
		names := []string{"alone", "merchant1", "merchant2", "merchant2b", "sandbox", "x", "y"}
		for _, a := range names {
			for _, b := range names {
				one, err := w.renewing(w.accounts[a])
				if err != nil {
					t.Fatal(err)
				}
				other, err := w.renewing(w.accounts[b])
				if err != nil {
					t.Fatal(err)
				}
				want := a == b || a[:1] == "m" && b[:1] == "m" && a != "merchant1" && b != "merchant1" || a > "w" && b > "w"
				if got := one == other; got != want {
					t.Errorf("%s and %s share tokens: got %v, want %v", a, b, got, want)
				}
			}
		}
	})
	t.Run("a stored token is its account's alone", func(t *testing.T) {
		reads := map[string]string{
			"alone": "alone", "merchant1": "merchant1", "merchant2": "merchant2", "merchant2b": "merchant2",
			"sandbox": "sandbox", "x": "x", "y": "x",
		}
		for name, of := range reads {
			if name == of {
				if err := w.vault(w.accounts[name]).Store(&diff.Token{Access: "token of " + name}); err != nil {
					t.Fatal(err)
				}
			}
		}
		for name, of := range reads {
			token, err := w.vault(w.accounts[name]).Token()
			if err != nil || token == nil || token.Access != "token of "+of {
				t.Errorf("%s: got %+v, %v; want that of %s", name, token, err, of)
			}
		}
	})
}

// What is advised names the source that is meant, once.
func TestAccount_addressed(t *testing.T) {
	const advice = "run jstsync auth init for a new token, or check source.access_token"
	named := &account{Source: &config.Source{Name: "a"}}
	err := named.address(&diff.Error{Remedy: advice})
	var out bytes.Buffer
	(&program{environment: environment{stderr: &out}}).explain(err)
	if got, want := out.String(), "jstsync: ; run jstsync auth init --source a for a new token, or check sources.a.access_token\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := (&account{Source: &config.Source{}}).addressed(advice); got != advice {
		t.Errorf("got %q, want %q", got, advice)
	}
	if err := named.address(nil); err != nil {
		t.Errorf("got %v, want nil", err)
	}
}

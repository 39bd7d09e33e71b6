package extract_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"jstsync/diff"
	"jstsync/extract"
	"jstsync/internal/sandbox"
)

// sources makes both kinds of source over one store.
func sources(a *authority, store *drawer, configured string) map[string]extract.TokenSource {
	return map[string]extract.TokenSource{
		"run":     extract.NewTokens(a.auth, store, configured),
		"dry run": extract.NewSavedToken(store, configured, a.o.Logger),
	}
}

func TestTokenSource_which(t *testing.T) {
	stored := &diff.Token{Access: "stored"}
	broken := &diff.Error{Code: diff.CodeState, Message: "broken"}
	for _, tt := range []struct {
		name       string
		store      *drawer
		configured string
		want       string
		code       diff.Code
		warning    string
	}{
		{"stored", &drawer{token: stored}, "configured", "stored", "", ""},
		{"configured", &drawer{}, "configured", "configured", "", ""},
		{"sealed, and configured", &drawer{readErr: sealed()}, "configured", "configured", "", "run jstsync auth init"},
		{"sealed", &drawer{readErr: sealed()}, "", "", diff.CodeToken, ""},
		{"none", &drawer{}, "", "", diff.CodeToken, ""},
		{"unreadable", &drawer{readErr: broken}, "configured", "", diff.CodeState, ""},
	} {
		a := newAuthority(t, sandbox.Options{})
		for kind, source := range sources(a, tt.store, tt.configured) {
			a.log.Reset()
			for range 2 {
				got, err := source.Token(t.Context())
				if got != tt.want || (err == nil) != (tt.code == "") || err != nil && diff.CodeOf(err) != tt.code {
					t.Errorf("%s, %s: got %q, %v", tt.name, kind, got, err)
				}
			}
			if log := a.log.String(); (log == "") != (tt.warning == "") || !strings.Contains(log, tt.warning) || strings.Count(log, "\n") > 1 {
				t.Errorf("%s, %s: logged %q", tt.name, kind, log)
			}
		}
	}
}

func TestTokenSource_configuredEnds(t *testing.T) {
	a := newAuthority(t, sandbox.Options{Shops: 1})
	for kind, source := range sources(a, &drawer{}, "bad") {
		_, _, err := scan(t, a.shops(t, source), 0)
		e, ok := errors.AsType[*diff.Error](err)
		if !ok || e.Code != diff.CodeToken || !errors.Is(err, extract.ErrToken) {
			t.Fatalf("%s: got %v", kind, err)
		}
		contains(t, kind, e.Remedy, "jstsync auth init", "source.access_token")
	}
	if a.count(sandbox.PathInitToken)+a.count(sandbox.PathRefreshToken) != 0 {
		t.Error("a configured token was renewed")
	}
}

// A dry run takes the token that a run has stored meanwhile, and else says how
// to renew it.
func TestSavedToken_Renew(t *testing.T) {
	a := newAuthority(t, sandbox.Options{Shops: 1})
	a.ExpireToken()
	store := a.saved(month)
	s := a.shops(t, extract.NewSavedToken(store, "", slog.New(slog.DiscardHandler)))
	_, _, err := scan(t, s, 0)
	e, ok := errors.AsType[*diff.Error](err)
	if !ok || e.Code != diff.CodeToken || !errors.Is(err, extract.ErrToken) || e.Remedy != "run jstsync auth refresh" {
		t.Fatalf("got %v", err)
	}
	if got := len(a.Calls()); got != 1 {
		t.Errorf("got %d calls, want 1", got)
	}
	if _, err := extract.NewTokens(a.auth, store, "").Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := scan(t, s, 0); err != nil {
		t.Errorf("after auth refresh: %v", err)
	}
}

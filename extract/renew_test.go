package extract_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"jstsync/diff"
	"jstsync/extract"
	"jstsync/internal/sandbox"
)

const (
	day   = 24 * time.Hour
	month = 30 * day
)

// drawer is a token store.
type drawer struct {
	mu       sync.Mutex
	token    *diff.Token
	readErr  error
	storeErr error
	stores   int
	onStore  func()
}

func (d *drawer) Token() (*diff.Token, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.token, d.readErr
}

func (d *drawer) Store(t *diff.Token) error {
	if d.onStore != nil {
		d.onStore()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.storeErr != nil {
		return d.storeErr
	}
	d.token, d.readErr = t, nil
	d.stores++
	return nil
}

// saved is the sandbox's first token as the store keeps it.
func (a *authority) saved(life time.Duration) *drawer {
	now := a.clock.Now()
	return &drawer{token: &diff.Token{
		Access: "sandbox-token", Refresh: "sandbox-refresh", Obtained: now, Expires: now.Add(life),
	}}
}

// shops returns a reader of shops that uses the source's tokens.
func (a *authority) shops(t *testing.T, source extract.TokenSource) *extract.Shops {
	t.Helper()
	o := a.o
	o.Token = source
	s, err := extract.NewShops(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func sealed() error {
	return &diff.Error{Code: diff.CodeToken, Message: "it is sealed", Remedy: "run jstsync auth init"}
}

// A token that ends at page 7 of 13 is renewed once, stored, and the run goes on.
func TestTokens_midScan(t *testing.T) {
	for _, tt := range []struct {
		name           string
		o              sandbox.Options
		refresh        string
		refreshes, own int
	}{
		{"default", sandbox.Options{}, "sandbox-refresh", 1, 0},
		{"kept", sandbox.Options{KeepTokenOnRefresh: true}, "sandbox-refresh", 1, 0},
		{"the old one stays valid", sandbox.Options{OldTokenStaysValid: true}, "sandbox-refresh", 1, 0},
		{"in the window", sandbox.Options{RefreshWindow: 12 * time.Hour}, "sandbox-refresh", 1, 0},
		{"refresh forbidden", sandbox.Options{ForbidRefresh: true}, "sandbox-refresh", 1, 1},
		{"refresh token stale", sandbox.Options{}, "stale", 1, 1},
		{"no refresh token", sandbox.Options{}, "", 0, 1},
		{"the other table", sandbox.Options{Table: sandbox.TableB}, "sandbox-refresh", 1, 0},
	} {
		for _, expect := range []int{0, 1300} {
			t.Run(tt.name, func(t *testing.T) {
				tt.o.Seed, tt.o.Shops = 1, 1300
				tt.o.Faults = []sandbox.Fault{{Kind: sandbox.KindExpireToken, Page: 7}}
				a := newAuthority(t, tt.o)
				store := a.saved(month)
				store.token.Refresh = tt.refresh
				s := a.shops(t, extract.NewTokens(a.auth, store, ""))
				ids, info, err := scan(t, s, expect)
				if err != nil || len(ids) != 1300 || info.Pages != 13 || info.Verdict != diff.Complete {
					t.Fatalf("got %d ids, %+v, %v", len(ids), info, err)
				}
				if r, n := a.count(sandbox.PathRefreshToken), a.count(sandbox.PathInitToken); r != tt.refreshes || n != tt.own {
					t.Errorf("got %d refreshes and %d new tokens, want %d and %d", r, n, tt.refreshes, tt.own)
				}
				if store.stores != 1 || store.token.Access != a.AccessToken() {
					t.Errorf("stored %d times, %t", store.stores, store.token.Access == a.AccessToken())
				}
				// The run's record has the calls that renewed the token too.
				if got, want := len(s.Calls()), len(a.Calls()); got != want {
					t.Errorf("got %d calls on record, want %d", got, want)
				}
			})
		}
	}
}

func TestTokens_ahead(t *testing.T) {
	a := newAuthority(t, sandbox.Options{Shops: 1})
	store := a.saved(month)
	s := a.shops(t, extract.NewTokens(a.auth, store, ""))
	for _, step := range []struct {
		pass   time.Duration
		stores int
	}{{0, 0}, {month - 12*time.Hour - time.Second, 0}, {time.Second, 1}, {0, 1}, {29 * day, 1}, {13 * time.Hour, 2}} {
		a.clock.pass(step.pass)
		if _, _, err := scan(t, s, 0); err != nil {
			t.Fatal(err)
		}
		if store.stores != step.stores {
			t.Errorf("after another %s: stored %d times, want %d", step.pass, store.stores, step.stores)
		}
	}
	for _, c := range a.Calls() {
		if c.Code != 0 {
			t.Errorf("%s was answered %d", c.Path, c.Code)
		}
	}
}

// A renewal that fails ahead of the end is tried again each hour, and only
// after the end does it fail the call.
func TestTokens_aheadFails(t *testing.T) {
	a := newAuthority(t, sandbox.Options{Shops: 1})
	const down = "sandbox-token"
	for _, path := range []string{sandbox.PathRefreshToken, sandbox.PathInitToken} {
		if err := a.Inject(sandbox.Fault{Kind: sandbox.KindReset, Path: path, Times: -1}); err != nil {
			t.Fatal(err)
		}
	}
	tokens := extract.NewTokens(a.auth, a.saved(month), "")
	a.clock.pass(month - 3*time.Hour)
	for range 5 {
		if got, err := tokens.Token(t.Context()); err != nil || got != down {
			t.Fatalf("got %v", err)
		}
	}
	if got := a.count(sandbox.PathRefreshToken); got != 6 {
		t.Errorf("got %d attempts, want those of one call, 6", got)
	}
	contains(t, "log", a.log.String(), "level=WARN", "could not be renewed ahead of its end at 2026-12-22T12:00:00Z")
	a.clock.pass(time.Hour)
	if _, err := tokens.Token(t.Context()); err != nil || a.count(sandbox.PathRefreshToken) != 12 {
		t.Errorf("got %d attempts, %v", a.count(sandbox.PathRefreshToken), err)
	}
	a.clock.pass(2 * time.Hour)
	if _, err := tokens.Token(t.Context()); diff.CodeOf(err) != diff.CodeUnreachable {
		t.Errorf("after the end: got %v", err)
	}
	a.ClearFaults()
	if got, err := tokens.Token(t.Context()); err != nil || got != a.AccessToken() {
		t.Errorf("at last: got %v", err)
	}
}

// A refresh that is too early for the API leaves the token as it is; a new one
// is obtained then.
func TestTokens_noEffect(t *testing.T) {
	a := newAuthority(t, sandbox.Options{RefreshWindow: time.Hour})
	store := a.saved(month)
	tokens := extract.NewTokens(a.auth, store, "")
	a.clock.pass(month - 11*time.Hour)
	got, err := tokens.Token(t.Context())
	if err != nil || got == "sandbox-token" || got != a.AccessToken() || store.stores != 1 {
		t.Errorf("got %v, stored %d times", err, store.stores)
	}
	if r, n := a.count(sandbox.PathRefreshToken), a.count(sandbox.PathInitToken); r != 1 || n != 1 {
		t.Errorf("got %d refreshes and %d new tokens", r, n)
	}
}

func TestTokens_concurrent(t *testing.T) {
	for _, keep := range []bool{false, true} {
		a := newAuthority(t, sandbox.Options{KeepTokenOnRefresh: keep})
		store := a.saved(month)
		a.clock.pass(time.Hour)
		tokens := extract.NewTokens(a.auth, store, "")
		together := func(call func() (string, error)) {
			t.Helper()
			var group sync.WaitGroup
			for range 20 {
				group.Go(func() {
					if got, err := call(); err != nil || got != a.AccessToken() {
						t.Errorf("got %v", err)
					}
				})
			}
			group.Wait()
		}
		together(func() (string, error) { return tokens.Renew(t.Context(), "sandbox-token") })
		if store.stores != 1 || a.count(sandbox.PathRefreshToken) != 1 {
			t.Errorf("not accepted: stored %d times", store.stores)
		}
		a.clock.pass(month - time.Hour)
		together(func() (string, error) { return tokens.Token(t.Context()) })
		if store.stores != 2 || a.count(sandbox.PathRefreshToken) != 2 {
			t.Errorf("near its end: stored %d times", store.stores)
		}
		if keep != (a.AccessToken() == "sandbox-token") {
			t.Errorf("the token's value kept: %t, want %t", !keep, keep)
		}
	}
}

// No call is made with a token that is not stored.
func TestTokens_storedFirst(t *testing.T) {
	full := &diff.Error{Code: diff.CodeState, Message: "write state file", Remedy: "make room", Err: errors.New("no space left")}
	for _, ahead := range []bool{false, true} {
		a := newAuthority(t, sandbox.Options{Shops: 1})
		store := a.saved(month)
		store.storeErr = full
		if ahead {
			a.clock.pass(month - time.Hour)
		} else {
			a.ExpireToken()
		}
		tokens := extract.NewTokens(a.auth, store, "")
		s := a.shops(t, tokens)
		before := 0
		store.onStore = func() { before = a.count(sandbox.PathShops) }
		_, _, err := scan(t, s, 0)
		e, ok := errors.AsType[*diff.Error](err)
		if !ok || e.Code != diff.CodeState || e.Remedy != "make room" || !strings.Contains(err.Error(), "store the new access token: ") {
			t.Fatalf("got %v", err)
		}
		if got := a.count(sandbox.PathShops); got != before {
			t.Errorf("got %d shop calls after the renewal", got-before)
		}
		// Nor is it used by a later call.
		if token, err := tokens.Token(t.Context()); err == nil && token != "sandbox-token" {
			t.Error("a token that is not stored is in use")
		}
		store.storeErr = nil
		if _, _, err := scan(t, s, 0); err != nil || store.stores != 1 || store.token.Access != a.AccessToken() {
			t.Errorf("with room again: %v, stored %d times", err, store.stores)
		}
	}
}

func TestTokens_serviceProvider(t *testing.T) {
	a := newAuthority(t, sandbox.Options{Shops: 1, ForbidRefresh: true, ServiceProvider: true})
	a.ExpireToken()
	store := a.saved(month)
	_, _, err := scan(t, a.shops(t, extract.NewTokens(a.auth, store, "")), 0)
	e, ok := errors.AsType[*diff.Error](err)
	if !ok || e.Code != diff.CodeAppKind || store.stores != 0 {
		t.Fatalf("got %v", err)
	}
	contains(t, "error", err.Error(), "code 100: ", "code 21024: 仅支持自有应用", "code 150: 服务商应用不允许刷新token")
	contains(t, "remedy", e.Remedy, "not supported yet", "set source.access_token")
}

// An answer to a refresh that holds no token is a refusal too.
func TestTokens_emptyRefresh(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == sandbox.PathRefreshToken {
			body(200, `{"code":0,"data":{}}`)(w, r)
			return
		}
		body(200, `{"code":0,"data":{"access_token":"new"}}`)(w, r)
	}))
	defer srv.Close()
	store := &drawer{token: &diff.Token{Access: "old", Refresh: "r"}}
	got, err := extract.NewTokens(authAt(t, srv.URL), store, "").Renew(t.Context(), "old")
	if err != nil || got != "new" || store.token.Access != "new" {
		t.Errorf("got %q, %v", got, err)
	}
}

// What is wrong with the renewal for another reason is not tried in another way.
func TestTokens_notRefused(t *testing.T) {
	a := newAuthority(t, sandbox.Options{}, func(o *extract.Options) { o.AppSecret = "wrong" })
	_, err := extract.NewTokens(a.auth, a.saved(month), "").Renew(t.Context(), "sandbox-token")
	if diff.CodeOf(err) != diff.CodeSignature || a.count(sandbox.PathInitToken) != 0 {
		t.Errorf("got %v", err)
	}
}

func TestTokens_cancelled(t *testing.T) {
	a := newAuthority(t, sandbox.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	tokens := extract.NewTokens(a.auth, a.saved(time.Hour), "")
	_, err := tokens.Token(ctx)
	if _, renewErr := tokens.Renew(ctx, "sandbox-token"); !errors.Is(err, context.Canceled) || !errors.Is(renewErr, context.Canceled) {
		t.Errorf("got %v and %v", err, renewErr)
	}
}

func TestTokens_Obtain(t *testing.T) {
	a := newAuthority(t, sandbox.Options{})
	store := &drawer{readErr: sealed()}
	tokens := extract.NewTokens(a.auth, store, "")
	got, err := tokens.Obtain(t.Context())
	if err != nil || got.Access != a.AccessToken() || store.token != got {
		t.Errorf("got %v", err)
	}
	if token, err := tokens.Token(t.Context()); err != nil || token != got.Access {
		t.Errorf("Token: got %v", err)
	}
	a.ResetCalls()
	store.readErr = &diff.Error{Code: diff.CodeState, Message: "broken"}
	if _, err := tokens.Obtain(t.Context()); diff.CodeOf(err) != diff.CodeState || len(a.Calls()) != 0 {
		t.Errorf("with a broken store: got %v after %d calls", err, len(a.Calls()))
	}
}

func TestTokens_Refresh(t *testing.T) {
	a := newAuthority(t, sandbox.Options{})
	store := &drawer{}
	tokens := extract.NewTokens(a.auth, store, "configured")
	_, err := tokens.Refresh(t.Context())
	if e, ok := errors.AsType[*diff.Error](err); !ok || e.Code != diff.CodeToken || e.Remedy != "run jstsync auth init" {
		t.Errorf("got %v", err)
	}
	store.readErr = sealed()
	if _, err := tokens.Refresh(t.Context()); diff.CodeOf(err) != diff.CodeToken || len(a.Calls()) != 0 {
		t.Errorf("got %v after %d calls", err, len(a.Calls()))
	}
	*store = drawer{token: a.saved(month).token}
	if got, err := tokens.Refresh(t.Context()); err != nil || got.Access != a.AccessToken() || store.token != got {
		t.Errorf("got %v", err)
	}
}

// Nothing of a token is in what a run with renewals leaves behind.
func TestTokens_secrets(t *testing.T) {
	a := newAuthority(t, sandbox.Options{Shops: 300, Faults: []sandbox.Fault{{Kind: sandbox.KindExpireToken, Page: 2}}})
	store := a.saved(month)
	s := a.shops(t, extract.NewTokens(a.auth, store, ""))
	if _, _, err := scan(t, s, 0); err != nil {
		t.Fatal(err)
	}
	a.ExpireToken()
	store.token.Refresh, store.storeErr = "stale-refresh", errors.New("full")
	_, _, err := scan(t, s, 0)
	if err == nil {
		t.Fatal("got no error")
	}
	var all bytes.Buffer
	all.WriteString(a.log.String() + err.Error())
	for _, c := range append(s.Calls(), a.auth.Calls()...) {
		all.WriteString(c.Params + c.Message + c.Err + c.Body)
	}
	for _, secret := range []string{"sandbox-secret", "sandbox-token", "sandbox-refresh", "stale-refresh", store.token.Access, a.AccessToken()} {
		if strings.Contains(all.String(), secret) {
			t.Errorf("%q is in %s", secret, all.String())
		}
	}
}

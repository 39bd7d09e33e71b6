package state_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"jstsync/diff"
	"jstsync/state"
)

func vault(path, app, secret string) *state.Vault {
	return state.NewVault(path, app, secret, func() time.Time { return start })
}

func sample(access string) *diff.Token {
	return &diff.Token{
		Access: access, Refresh: "refresh-" + access, Obtained: start, Expires: start.Add(30 * 24 * time.Hour),
	}
}

// wantToken reads the vault; nil wants none.
func wantToken(t *testing.T, v *state.Vault, want *diff.Token) {
	t.Helper()
	got, err := v.Token()
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
}

func store(t *testing.T, v *state.Vault, token *diff.Token) {
	t.Helper()
	if err := v.Store(token); err != nil {
		t.Fatalf("Store: %v", err)
	}
}

func TestVault(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jstsync.db")
	v := vault(path, "app", "secret")
	wantToken(t, v, nil)
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("reading made a file: %v", err)
	}
	store(t, v, sample("one"))
	wantToken(t, vault(path, "app", "secret"), sample("one"))
	store(t, v, sample("two"))
	wantToken(t, v, sample("two"))
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got mode %v, %v", info.Mode(), err)
	}
	// Each app has its own.
	wantToken(t, vault(path, "other", "secret"), nil)
	store(t, vault(path, "other", "secret of it"), &diff.Token{Access: "three"})
	wantToken(t, v, sample("two"))
	wantToken(t, vault(path, "other", "secret of it"), &diff.Token{Access: "three"})
}

// Accounts that share an app key have a token each, beside the app's own.
func TestVault_Of(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jstsync.db")
	app := vault(path, "app", "secret")
	store(t, app, sample("of the app"))
	wantToken(t, app.Of("a"), nil)
	store(t, app.Of("a"), sample("of a"))
	store(t, app.Of("b"), sample("of b"))
	store(t, vault(path, "b/app", "secret"), sample("of an app with an odd key"))
	wantToken(t, app, sample("of the app"))
	wantToken(t, app.Of("a"), sample("of a"))
	wantToken(t, app.Of("b"), sample("of b"))
	wantToken(t, app.Of("c"), nil)

	// One does not open in the place of another.
	onTokens(t, path, func(b *bbolt.Bucket) error {
		return b.Put([]byte("source/a/app/app"), bytes.Clone(b.Get([]byte("source/b/app/app"))))
	})
	if got, err := app.Of("a").Token(); !errors.Is(err, state.ErrSealed) {
		t.Errorf("got %+v, %v; want ErrSealed", got, err)
	}
}

// The token is beside what a pipeline keeps and disturbs none of it.
func TestVault_beside(t *testing.T) {
	w := inTemp(t)
	w.commit(t, inserts(3), nil)
	v := vault(w.path, "app", "secret")
	wantToken(t, v, nil)
	store(t, v, sample("one"))
	w.check(t)
	w.commit(t, []change{{key: key(1)}}, nil)
	w.check(t)
	wantToken(t, v, sample("one"))
}

func TestVault_sealed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jstsync.db")
	store(t, vault(path, "app", "secret"), sample("one"))
	wantSealed := func(v *state.Vault) {
		t.Helper()
		got, err := v.Token()
		e, ok := errors.AsType[*diff.Error](err)
		if got != nil || !ok || e.Code != diff.CodeToken || !errors.Is(err, state.ErrSealed) {
			t.Fatalf("got %+v, %v", got, err)
		}
		if want := "run jstsync auth init, or set source.app_secret back"; e.Remedy != want {
			t.Errorf("got remedy %q, want %q", e.Remedy, want)
		}
	}
	changed := vault(path, "app", "another secret")
	wantSealed(changed)
	wantToken(t, vault(path, "app", "secret"), sample("one"))
	store(t, changed, sample("two"))
	wantToken(t, changed, sample("two"))
	wantSealed(vault(path, "app", "secret"))

	// One bit, a cut, or another app's token in its place: none of it opens.
	var whole []byte
	for _, damage := range []func(b []byte) []byte{
		func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
		func(b []byte) []byte { b[0] ^= 1; return b },
		func(b []byte) []byte { return b[:5] },
	} {
		onTokens(t, path, func(b *bbolt.Bucket) error {
			if whole == nil {
				whole = bytes.Clone(b.Get([]byte("app/app")))
			}
			return errors.Join(b.Put([]byte("app/app"), damage(bytes.Clone(whole))), b.Put([]byte("app/b"), whole))
		})
		wantSealed(changed)
		wantSealed(vault(path, "b", "another secret"))
	}
}

func onTokens(t *testing.T, path string, f func(b *bbolt.Bucket) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error { return f(tx.Bucket([]byte("tokens"))) })
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

// The file gives away neither a token, present or past, nor the secret.
func TestVault_bytes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jstsync.db")
	const secret, access = "the-secret-of-the-app", "token-in-plain-text"
	v := vault(path, "app", secret)
	for range 3 {
		store(t, v, sample(access))
	}
	all, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, plain := range []string{secret, access, "access_token", "refresh_token"} {
		if bytes.Contains(all, []byte(plain)) {
			t.Errorf("%q is in the file", plain)
		}
	}
	if !bytes.Contains(all, []byte("app/app")) {
		t.Error("the file is not searched as it should be")
	}
}

func TestVault_badFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jstsync.db")
	if err := os.WriteFile(path, []byte("something else"), 0o600); err != nil {
		t.Fatal(err)
	}
	v := vault(path, "app", "secret")
	_, err := v.Token()
	for _, err := range []error{err, v.Store(sample("one")), vault(filepath.Join(path, "x"), "app", "secret").Store(sample("one"))} {
		if e, ok := errors.AsType[*diff.Error](err); !ok || e.Code != diff.CodeState || e.Remedy == "" {
			t.Errorf("got %v (%T), want an error of code state with a remedy", err, err)
		}
	}
}

package state

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"jstsync/diff"
	"jstsync/internal/fault"
)

var (
	bucketTokens = []byte("tokens")
	keySalt      = []byte("salt")
)

// ErrSealed is the cause of the error of [Vault.Token] when the stored token
// was sealed under another app secret, or is damaged, which looks the same.
var ErrSealed = errors.New("it was sealed under another app secret")

// Vault keeps the access token of one app, or of one of its accounts, in a state file, sealed with AES-256-GCM
// under a key made by HKDF-SHA256 of the app secret and a salt in the file.
// The file alone does not give the token away.
type Vault struct {
	path   string
	source string // with the app names the token; "" for the app alone
	app    string // the app key
	secret string
	now    func() time.Time
}

// NewVault returns the vault of the app in the file at path, which need not
// exist yet.
func NewVault(path, app, secret string, now func() time.Time) *Vault {
	return &Vault{path, "", app, secret, now}
}

// Of returns the vault of one of several accounts that share the app key, each
// with a token of its own.
func (v *Vault) Of(source string) *Vault {
	of := *v
	of.source = source
	return &of
}

// Token returns the stored token, or nil when there is none. The error is a
// [diff.Error] of [diff.CodeToken] that wraps [ErrSealed] when there is one
// that cannot be opened, and of [diff.CodeState] when the file cannot be read.
func (v *Vault) Token() (*diff.Token, error) {
	var salt, sealed []byte
	broken := false // which looks the same as another secret, and has the same remedy
	err := NewReader(v.path, "").view(func(tx *bbolt.Tx, _ *bbolt.Bucket) error {
		if tx == nil || tx.Bucket(bucketTokens) == nil {
			return nil
		}
		b := tx.Bucket(bucketTokens)
		s, err1 := get(b, keySalt)
		t, err2 := get(b, v.key())
		salt, sealed = append(salt, s...), append(sealed, t...)
		broken = b.Get(v.key()) != nil && (err1 != nil || err2 != nil)
		return nil
	})
	if err == nil && broken {
		return nil, errSealed()
	}
	if err != nil || len(sealed) == 0 {
		return nil, err
	}
	box, err := v.box(salt)
	if err != nil {
		return nil, err
	}
	if len(sealed) < box.NonceSize() {
		return nil, errSealed()
	}
	text, err := box.Open(nil, sealed[:box.NonceSize()], sealed[box.NonceSize():], v.key())
	if err != nil {
		return nil, errSealed()
	}
	t := &diff.Token{}
	if err := json.Unmarshal(text, t); err != nil {
		return nil, fmt.Errorf("read stored token: %w", err)
	}
	return t, nil
}

func errSealed() error {
	return &diff.Error{
		Code: diff.CodeToken, Message: "open the stored access token", Err: ErrSealed,
		Remedy: "run jstsync auth init, or set source.app_secret back",
	}
}

// Store seals the token and makes it durable, in place of the one that is
// stored. It creates the file when there is none. Its caller holds the run
// lock. Every error is a [diff.Error] of [diff.CodeState]; after one the
// outcome is unknown.
func (v *Vault) Store(t *diff.Token) error {
	j := &Journal{Reader: NewReader(v.path, ""), now: v.now}
	if err := j.wrap("create", j.ensureFile()); err != nil {
		return err
	}
	text, err := json.Marshal(t)
	if err != nil {
		return err
	}
	return j.update("store the access token in", func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists(bucketTokens)
		if err != nil {
			return err
		}
		salt, err := get(b, keySalt)
		if salt == nil || err != nil {
			salt = random(32)
			if err := put(b, keySalt, salt); err != nil {
				return err
			}
		}
		box, err := v.box(salt)
		if err != nil {
			return err
		}
		nonce := random(box.NonceSize())
		return errors.Join(put(b, v.key(), box.Seal(nonce, nonce, text, v.key())), fault.Hit(fault.TokenStore))
	})
}

func (v *Vault) key() []byte {
	key := "app/" + v.app
	if v.source != "" {
		key = "source/" + v.source + "/" + key
	}
	return []byte(key)
}

func (v *Vault) box(salt []byte) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, []byte(v.secret), salt, "jstsync access token", 32)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("make cipher: %w", err)
	}
	return cipher.NewGCM(block)
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}

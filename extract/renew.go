package extract

import (
	"context"
	"errors"
	"fmt"
	"time"

	"jstsync/diff"
	"jstsync/internal/fault"
)

const (
	// renewAhead is how long before its end a token is renewed. The vendor says
	// that a refresh is valid within the last 12 hours only, in words that its
	// clients read in different ways.
	renewAhead = 12 * time.Hour
	// renewPause is how long after a vain attempt to renew ahead the next is made.
	renewPause = time.Hour
	// justExtended is how long a token whose life was extended is taken for
	// renewed by those who used it before.
	justExtended = time.Minute
)

// TokenStore keeps the tokens of one app.
type TokenStore interface {
	TokenReader
	// Store makes the token durable. After an error it may or may not be.
	Store(t *diff.Token) error
}

// Tokens is the [TokenSource] of a run: it renews the stored token when it has
// less than 12 hours left, and when the API no longer accepts it; one renewal
// at a time, and each new token is stored before it is used. To renew is to
// refresh, and where that is refused or without effect, to obtain a new token.
//
// A configured token, which is used when none is stored, is not renewed. It is
// to be shared by all who call with the same app key.
type Tokens struct {
	*SavedToken
	auth  *Auth
	store TokenStore

	// Both are looked at in turn.
	pauseUntil time.Time // no renewal ahead before
	extended   time.Time // when the token in use was last renewed with its value kept
}

// NewTokens returns a source over the store; configured is the token to use
// when nothing is stored, or "".
func NewTokens(auth *Auth, store TokenStore, configured string) *Tokens {
	return &Tokens{SavedToken: NewSavedToken(store, configured, auth.o.Logger), auth: auth, store: store}
}

// Token returns the token to use now, renewed when its end is near. When that
// fails, it returns the old one as long as it lasts; but an error of the store
// is returned, for the API may have ended the old one.
func (t *Tokens) Token(ctx context.Context) (string, error) {
	leave, err := t.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	token, err := t.current()
	if err != nil {
		return "", err
	}
	now := t.auth.o.Now()
	if token.Expires.IsZero() || now.Before(token.Expires.Add(-renewAhead)) || now.Before(t.pauseUntil) {
		return token.Access, nil
	}
	fresh, err := t.replacement(ctx, token)
	switch {
	case err == nil:
		return t.keep(fresh)
	case ctx.Err() != nil || !now.Before(token.Expires):
		return "", err
	}
	t.pauseUntil = now.Add(renewPause)
	t.log.WarnContext(ctx, "the access token could not be renewed ahead of its end at "+
		token.Expires.UTC().Format(time.RFC3339), "err", err.Error())
	return token.Access, nil
}

// Renew replaces the token that was used. The error of a configured token
// wraps [ErrToken]; any other is the API's or the store's.
func (t *Tokens) Renew(ctx context.Context, used string) (string, error) {
	leave, err := t.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	token, err := t.reload()
	switch {
	case err != nil:
		return "", err
	case token.Access != used, t.auth.o.Now().Sub(t.extended) < justExtended:
		return token.Access, nil
	case !t.stored:
		return "", t.configuredEnded()
	}
	fresh, err := t.replacement(ctx, token)
	if err != nil {
		return "", err
	}
	return t.keep(fresh)
}

// Obtain stores a new token, whatever is stored, and returns it. A store that
// cannot even be read is an error before any call.
func (t *Tokens) Obtain(ctx context.Context) (*diff.Token, error) {
	leave, err := t.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	if _, err := t.reader.Token(); err != nil && diff.CodeOf(err) != diff.CodeToken {
		return nil, err
	}
	fresh, err := t.auth.Init(ctx)
	if err != nil {
		return nil, err
	}
	_, err = t.keep(fresh)
	return fresh, err
}

// Refresh renews the stored token, whatever is left of its life, and returns
// the new one. When none is stored the error is of [diff.CodeToken].
func (t *Tokens) Refresh(ctx context.Context) (*diff.Token, error) {
	leave, err := t.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	old, err := t.reader.Token()
	if err != nil {
		return nil, err
	}
	if old == nil {
		return nil, noToken("there is no stored access token to refresh", "run jstsync auth init")
	}
	fresh, err := t.replacement(ctx, old)
	if err != nil {
		return nil, err
	}
	_, err = t.keep(fresh)
	return fresh, err
}

// replacement returns a token to use instead of the old one.
func (t *Tokens) replacement(ctx context.Context, old *diff.Token) (*diff.Token, error) {
	why := errors.New("there is no refresh token")
	if old.Refresh != "" {
		fresh, err := t.auth.Refresh(ctx, old.Refresh)
		switch {
		case err == nil && (fresh.Access != old.Access || fresh.Expires.After(old.Expires.Add(time.Minute))):
			return fresh, nil
		case err == nil:
			why = errors.New("refreshing it had no effect")
		case !refused(err):
			return nil, err
		default:
			why = err
		}
	}
	fresh, err := t.auth.Init(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w (tried because: %w)", err, why)
	}
	return fresh, nil
}

// refused reports whether the API answered that it does not refresh, for a
// reason that may not keep it from giving out a new token.
func refused(err error) bool {
	f, ok := errors.AsType[*failure](err)
	if !ok {
		return false
	}
	switch f.class {
	case BadSignature, BadClock, NotAllowed, RateLimited:
		return false
	case BadShape:
		return true
	default:
		return f.code != 0
	}
}

// keep stores the token, and only then puts it to use.
func (t *Tokens) keep(fresh *diff.Token) (string, error) {
	if err := fault.Hit(fault.TokenRenewed); err != nil {
		return "", err
	}
	if err := t.store.Store(fresh); err != nil {
		return "", fmt.Errorf("store the new access token: %w", err)
	}
	if err := fault.Hit(fault.TokenStored); err != nil {
		return "", err
	}
	t.extended = time.Time{}
	if t.token != nil && t.token.Access == fresh.Access {
		t.extended = t.auth.o.Now()
	}
	t.token, t.stored, t.pauseUntil = fresh, true, time.Time{}
	return fresh.Access, nil
}

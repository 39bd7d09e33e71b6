package extract

import (
	"context"
	"fmt"

	"jstsync/diff"
)

// TokenSource supplies the access token of calls. Implementations must be
// safe for concurrent use.
type TokenSource interface {
	// Token returns the token to use now. An error ends the call.
	Token(ctx context.Context) (string, error)
	// Renew is called when the API no longer accepts the token that was used,
	// at most once a call and one at a time for each [Shops]. It returns
	// another token, which later calls of Token return too. When the token in
	// use is already another one, it returns that.
	Renew(ctx context.Context, used string) (string, error)
}

// StaticToken is a token that cannot be renewed.
type StaticToken string

// Token returns the token.
func (t StaticToken) Token(context.Context) (string, error) { return string(t), nil }

// Renew always returns a [diff.Error] that wraps [ErrToken].
func (t StaticToken) Renew(context.Context, string) (string, error) {
	return "", tokenError("the access token cannot be renewed here", BadToken.Remedy())
}

func tokenError(message, remedy string) error {
	return &diff.Error{Code: diff.CodeToken, Message: message, Remedy: remedy, Err: ErrToken}
}

// call asks for shops. The token is read for each attempt, since another call
// may have renewed it; a recording needs none.
func (s *Shops) call(ctx context.Context, r request) (*answer, error) {
	r.path, r.decode, r.renew = shopsPath, decodeAnswer, s.renew
	if s.o.Replay != nil {
		r.form = func(context.Context) (map[string]string, error) { return nil, nil }
		r.renew = func(context.Context, string) error { return s.o.Replay.renewed(r) }
		return s.do(ctx, r)
	}
	r.form = func(ctx context.Context) (map[string]string, error) {
		token, err := s.token(ctx)
		return map[string]string{"access_token": token, "biz": r.biz, "version": "2"}, err
	}
	return s.do(ctx, r)
}

func (s *Shops) token(ctx context.Context) (string, error) {
	token, err := s.o.Token.Token(s.calls.into(ctx))
	if err != nil {
		return "", fmt.Errorf("read access token: %w", err)
	}
	if token == "" {
		return "", tokenError("the access token is empty", BadToken.Remedy())
	}
	s.calls.hide(token)
	return token, nil
}

// renew replaces the token that was used, once however many calls found it
// expired.
func (s *Shops) renew(ctx context.Context, used string) error {
	select {
	case s.renewing <- struct{}{}:
		defer func() { <-s.renewing }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.renewed[used] {
		return nil
	}
	token, err := s.o.Token.Renew(s.calls.into(ctx), used)
	if err != nil {
		return err
	}
	s.calls.hide(token)
	if token != used { // the vendor may extend a token's life and keep its value
		s.renewed[used] = true
	}
	return nil
}

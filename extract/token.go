package extract

import (
	"context"

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
	return "", &diff.Error{
		Code:    diff.CodeToken,
		Message: "the access token cannot be renewed here",
		Remedy:  BadToken.Remedy(),
		Err:     ErrToken,
	}
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
	token, err := s.o.Token.Renew(ctx, used)
	if err != nil {
		return err
	}
	s.calls.hide(token)
	if token != used { // the vendor may extend a token's life and keep its value
		s.renewed[used] = true
	}
	return nil
}

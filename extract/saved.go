package extract

import (
	"context"
	"log/slog"

	"jstsync/diff"
)

// What tells a person how to come by a token.
const (
	remedyInit    = "run jstsync auth init (own-merchant apps), or set source.access_token to a new one"
	remedyRefresh = "run jstsync auth refresh"
	remedyAppKind = "service-provider apps (服务商) are not supported yet: obtain a token in the vendor's platform " +
		"(openweb.jushuitan.com) and set source.access_token, or use an own-merchant app (自有商城)"
)

// TokenReader reads the stored token of one app.
type TokenReader interface {
	// Token returns the stored token, or nil when there is none. A
	// [diff.Error] of [diff.CodeToken] says that there is one and that it
	// cannot be read, as after a change of the app secret.
	Token() (*diff.Token, error)
}

// SavedToken is the [TokenSource] of a dry run: the stored token, or the
// configured one when none is stored. It holds nothing that could renew a
// token or store one.
type SavedToken struct {
	reader     TokenReader
	configured string
	log        *slog.Logger

	turn   chan struct{} // held by whoever looks at what follows
	token  *diff.Token   // nil until it is read
	stored bool          // it is not the configured one
	warned bool
}

// NewSavedToken returns a source over the stored token; configured is the one
// to use when nothing is stored, or "".
func NewSavedToken(reader TokenReader, configured string, log *slog.Logger) *SavedToken {
	return &SavedToken{reader: reader, configured: configured, log: log, turn: make(chan struct{}, 1)}
}

// Token returns the stored token, or else the configured one.
func (t *SavedToken) Token(ctx context.Context) (string, error) {
	leave, err := t.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	token, err := t.current()
	if err != nil {
		return "", err
	}
	return token.Access, nil
}

// Renew returns the stored token when it is another one by now, as after a
// renewal by a run, or else a [diff.Error] that wraps [ErrToken].
func (t *SavedToken) Renew(ctx context.Context, used string) (string, error) {
	leave, err := t.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	token, err := t.reload()
	switch {
	case err != nil:
		return "", err
	case token.Access != used:
		return token.Access, nil
	case !t.stored:
		return "", t.configuredEnded()
	}
	return "", tokenError("the stored access token has ended, and a dry run does not renew it", remedyRefresh)
}

func noToken(message, remedy string) error {
	return &diff.Error{Code: diff.CodeToken, Message: message, Remedy: remedy}
}

// configuredEnded says that the configured token is no longer accepted.
func (t *SavedToken) configuredEnded() error {
	return tokenError("the configured access token cannot be renewed", remedyInit)
}

// enter waits for the turn; leave gives it back. The error is ctx's.
func (t *SavedToken) enter(ctx context.Context) (leave func(), err error) {
	select {
	case t.turn <- struct{}{}:
		return func() { <-t.turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// current returns the token in use.
func (t *SavedToken) current() (*diff.Token, error) {
	if t.token != nil {
		return t.token, nil
	}
	return t.reload()
}

// reload reads the store again and returns the token to use.
func (t *SavedToken) reload() (*diff.Token, error) {
	token, err := t.reader.Token()
	switch {
	case err != nil && (diff.CodeOf(err) != diff.CodeToken || t.configured == ""):
		return nil, err
	case err != nil && !t.warned:
		t.warned = true
		t.log.Warn("the configured access token is used; run jstsync auth init", "err", err.Error())
	}
	if t.stored = token != nil && err == nil; t.stored {
		t.token = token
		return token, nil
	}
	if t.configured == "" {
		return nil, noToken("there is no access token", remedyInit)
	}
	t.token = &diff.Token{Access: t.configured}
	return t.token, nil
}

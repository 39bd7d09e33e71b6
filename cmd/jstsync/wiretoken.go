package main

import (
	"errors"

	"jstsync/diff"
	"jstsync/extract"
	"jstsync/internal/config"
	"jstsync/state"
)

// vault is where the app's token is stored.
func (w *wiring) vault() *state.Vault {
	src := &w.settings.Source
	return state.NewVault(w.settings.State, src.AppKey, src.AppSecret.Reveal(), w.now)
}

// readOnly is a vault without what writes to it.
type readOnly struct{ extract.TokenReader }

// savedToken wires a source of tokens that can neither renew nor store one.
func (w *wiring) savedToken() *extract.SavedToken {
	return extract.NewSavedToken(readOnly{w.vault()}, w.settings.Source.AccessToken.Reveal(), w.log)
}

// renewing wires the source of tokens of what writes, one for all pipelines.
// Its user holds the run lock.
func (w *wiring) renewing() (*extract.Tokens, error) {
	if w.tokens != nil {
		return w.tokens, nil
	}
	auth, err := extract.NewAuth(w.callOptions())
	if err != nil {
		return nil, err
	}
	w.auth = auth
	w.tokens = extract.NewTokens(auth, w.vault(), w.settings.Source.AccessToken.Reveal())
	return w.tokens, nil
}

// needToken returns an error when there is neither a stored token nor a
// configured one. That of a stored one that cannot be read is left to its use.
// A replay needs none.
func (w *wiring) needToken() error {
	if w.answers.replay != "" {
		return nil
	}
	if w.settings.Source.AccessToken != "" {
		return nil
	}
	if stored, err := w.vault().Token(); stored != nil || err != nil {
		return nil //nolint:nilerr // whoever uses it reads it again
	}
	missing, ok := errors.AsType[*config.Error](w.settings.Require(config.NeedToken))
	if ok && missing.Problems[0].File != "" { // it says where, and which variable is meant
		p := missing.Problems[0]
		p.Remedy = "run jstsync auth init, or " + p.Remedy
		return &config.Error{Problems: []config.Problem{p}}
	}
	return &diff.Error{
		Code: diff.CodeConfig, Message: "source.access_token is not set",
		Remedy: "run jstsync auth init, or export JST_ACCESS_TOKEN",
	}
}

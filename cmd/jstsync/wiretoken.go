package main

import (
	"errors"

	"jstsync/diff"
	"jstsync/extract"
	"jstsync/internal/config"
)

// readOnly is a vault without what writes to it.
type readOnly struct{ extract.TokenReader }

// savedToken wires a source of tokens that can neither renew nor store one.
func (w *wiring) savedToken(a *account) *extract.SavedToken {
	return extract.NewSavedToken(readOnly{w.vault(a)}, a.AccessToken.Reveal(), w.logOf(a))
}

// renewing wires the source of tokens of what writes, one for all pipelines of
// the account. Its user holds the run lock.
func (w *wiring) renewing(a *account) (*extract.Tokens, error) {
	for _, other := range w.accounts {
		if other.tokens != nil && sameAccount(other.Source, a.Source) {
			return other.tokens, nil
		}
	}
	auth, err := extract.NewAuth(w.callOptions(a))
	if err != nil {
		return nil, a.address(err)
	}
	a.auth = auth
	a.tokens = extract.NewTokens(auth, w.vault(a), a.AccessToken.Reveal())
	return a.tokens, nil
}

// needToken returns an error when there is neither a stored token nor a
// configured one. That of a stored one that cannot be read is left to its use.
// A replay needs none.
func (w *wiring) needToken(a *account) error {
	if w.answers.replay != "" || a.AccessToken != "" {
		return nil
	}
	if stored, err := w.vault(a).Token(); stored != nil || err != nil {
		return nil //nolint:nilerr // whoever uses it reads it again
	}
	advice := a.addressed("run jstsync auth init, or ")
	missing, ok := errors.AsType[*config.Error](w.settings.RequireOf([]string{a.Name}, config.NeedToken))
	if ok && (missing.Problems[0].File != "" || a.Name != "") { // it says where, and which variable is meant
		p := missing.Problems[0]
		p.Remedy = advice + p.Remedy
		return &config.Error{Problems: []config.Problem{p}}
	}
	return &diff.Error{
		Code: diff.CodeConfig, Message: settingOf(a.Source, "access_token") + " is not set",
		Remedy: advice + "export JST_ACCESS_TOKEN",
	}
}

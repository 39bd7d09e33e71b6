package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"jstsync/diff"
	"jstsync/extract"
	"jstsync/internal/config"
	"jstsync/state"
)

// account is one source as calls are made to it. Sources that are the same
// account share its tokens, those that only call with the same app share its
// pacer: the API counts an app's calls.
type account struct {
	*config.Source
	base   *url.URL
	pacer  *extract.Pacer
	keeper string          // the source under whose name its token is stored; "" for the app's only account
	auth   *extract.Auth   // these of what writes; nil until they are asked for
	tokens *extract.Tokens // by all sources of the account
}

// accounts makes an account of every source.
func (p *program) accounts(settings *config.Settings) (map[string]*account, error) {
	sources := sourcesOf(settings)
	pacers := map[app]*extract.Pacer{}
	for of, rate := range rates(sources) {
		pacers[of] = p.pacers.of(of, rate, p.now)
	}
	all := map[string]*account{}
	for i := range sources {
		src := &sources[i]
		base, err := url.Parse(src.BaseURL)
		if err != nil {
			return nil, fmt.Errorf("parse %s: %w", settingOf(src, "base_url"), err)
		}
		all[src.Name] = &account{Source: src, base: base, pacer: pacers[appOf(src)], keeper: keeper(sources, src)}
	}
	return all, nil
}

// sourcesOf returns every source that is configured.
func sourcesOf(settings *config.Settings) []config.Source {
	if len(settings.Sources) == 0 {
		return []config.Source{settings.Source}
	}
	return settings.Sources
}

// app is what the API counts the calls of.
type app struct{ baseURL, key string }

func appOf(s *config.Source) app { return app{s.BaseURL, s.AppKey} }

// rates returns the tightest limits that the sources of each app set.
func rates(sources []config.Source) map[app]config.Rate {
	tightest := map[app]config.Rate{}
	for i := range sources {
		of, rate := appOf(&sources[i]), sources[i].Rate
		if r, ok := tightest[of]; ok {
			rate = config.Rate{PerSecond: min(r.PerSecond, rate.PerSecond), PerMinute: min(r.PerMinute, rate.PerMinute)}
		}
		tightest[of] = rate
	}
	return tightest
}

// keeper returns the name of the source under which the token of this one is
// stored, the first of those that are the same account; it is "" where all that
// name the app key are.
//
// A token is a merchant's, and an app may serve several: a service-provider
// app (服务商) has one app key and a token for each. Sources with one app key and
// different tokens, secrets or addresses are therefore different accounts, and
// neither may ever be given the other's token.
func keeper(sources []config.Source, src *config.Source) string {
	first, alone := "", true
	for i := range sources {
		switch s := &sources[i]; {
		case s.AppKey != src.AppKey:
		case !sameAccount(s, src):
			alone = false
		case first == "":
			first = s.Name
		}
	}
	if alone {
		return ""
	}
	return first
}

func sameAccount(a, b *config.Source) bool {
	return appOf(a) == appOf(b) && a.AppSecret == b.AppSecret && a.AccessToken == b.AccessToken
}

// settingOf returns the path of a setting of a source.
func settingOf(s *config.Source, setting string) string {
	if s.Name == "" {
		return "source." + setting
	}
	return "sources." + s.Name + "." + setting
}

// addressed returns an advice with the settings and commands that it names
// being those of this source.
func (a *account) addressed(advice string) string {
	if a.Name == "" {
		return advice
	}
	flag := " --source " + a.Name
	return strings.NewReplacer(
		"source.", "sources."+a.Name+".",
		"jstsync auth init", "jstsync auth init"+flag,
		"jstsync auth refresh", "jstsync auth refresh"+flag,
	).Replace(advice)
}

// address makes the remedy of an error be addressed.
func (a *account) address(err error) error {
	if e, ok := errors.AsType[*diff.Error](err); ok {
		e.Remedy = a.addressed(e.Remedy)
	}
	return err
}

// source is the shops of an account; its errors are addressed.
type source struct {
	*extract.Shops
	account *account
}

// Scan is that of the shops.
func (s source) Scan(ctx context.Context, expect int, visit func(diff.Page) error) (diff.ScanInfo, error) {
	info, err := s.Shops.Scan(ctx, expect, visit)
	return info, s.account.address(err)
}

// Witness is that of the shops.
func (s source) Witness(ctx context.Context, keys []diff.Key, control diff.Key) (diff.Witness, error) {
	w, err := s.Shops.Witness(ctx, keys, control)
	return w, s.account.address(err)
}

// vault is where the account's token is stored.
func (w *wiring) vault(a *account) *state.Vault {
	v := state.NewVault(w.settings.State, a.AppKey, a.AppSecret.Reveal(), w.now)
	if a.keeper != "" {
		return v.Of(a.keeper)
	}
	return v
}

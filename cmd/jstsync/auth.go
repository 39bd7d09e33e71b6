package main

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"jstsync/diff"
	"jstsync/extract"
	"jstsync/internal/config"
	"jstsync/internal/lang"
	"jstsync/internal/report"
	"jstsync/state"
)

// authCodes are the exit codes of the verbs that store a token, but for 0.
const authCodes = "1 failed, 5 busy with another run,\n64 wrong usage, 78 configuration error, 130 or 143 stopped by a signal."

func (p *program) authCommand() *cli.Command {
	return &cli.Command{
		Name:  "auth",
		Usage: "obtain, renew and show the access token",
		Description: "The token lives sealed in the state file; sync renews it by itself. Once one is\n" +
			"stored, source.access_token (JST_ACCESS_TOKEN) is not needed and not used.\n" +
			"With several accounts under sources, --source names the one that is meant.\n\n" +
			"Example: jstsync auth init\n\n" +
			"Exit codes: 0 success, " + authCodes,
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usage("auth has no command %q", c.Args().First())
			}
			return usage("auth takes one of init, refresh, status")
		},
		Subcommands: p.authVerbs(),
	}
}

func (p *program) authVerbs() []*cli.Command {
	flags := []cli.Flag{
		&cli.StringFlag{Name: "source", Usage: "of the account `NAME` under sources; needed when there are several, but status shows all"},
		formatFlag("text or json"),
	}
	return []*cli.Command{
		{
			Name: "init", Usage: "obtain a token and store it",
			Description: "For an own-merchant app (自有商城), which needs nobody's consent for it. The\n" +
				"token that was current before may end. A service-provider app (服务商) is not\n" +
				"supported yet: obtain its token in the vendor's platform and set\n" +
				"source.access_token (JST_ACCESS_TOKEN).\n\n" +
				"Example: jstsync auth init\n\n" +
				"Exit codes: 0 stored, " + authCodes,
			Flags: flags, Action: p.authChange((*extract.Tokens).Obtain),
		},
		{
			Name: "refresh", Usage: "renew the stored token",
			Description: "Refreshes it, or where the API refuses that or leaves the token as it is,\n" +
				"obtains a new one.\n\n" +
				"Example: jstsync auth refresh\n\n" +
				"Exit codes: 0 stored, " + authCodes,
			Flags: flags, Action: p.authChange((*extract.Tokens).Refresh),
		},
		{
			Name: "status", Usage: "show which token is used and how long it lasts",
			Description: "Makes no call and never shows the token.\n\n" +
				"Example: jstsync auth status --format json\n\n" +
				"Exit codes: 0 shown, also when there is no token or it has ended, 1 failed or\n" +
				"the stored token cannot be read, 64 wrong usage, 78 configuration error.",
			Flags: flags, Action: p.authStatus,
		},
	}
}

// authChange returns the action of a verb that stores a token.
func (p *program) authChange(change func(*extract.Tokens, context.Context) (*diff.Token, error)) cli.ActionFunc {
	return func(c *cli.Context) (err error) {
		w, accounts, show, err := p.wireAuth(c)
		if err != nil {
			return err
		}
		defer w.close()
		if len(accounts) > 1 {
			return usage("there are %d sources: name one with --source; known: %s", len(accounts), knownSources(w.settings))
		}
		a := accounts[0]
		if err := w.settings.RequireOf([]string{a.Name}, config.NeedApp); err != nil {
			return err
		}
		tokens, err := w.renewing(a)
		if err != nil {
			return err
		}
		lock, err := state.Acquire(c.Context, w.settings.State, w.settings.LockTimeout, p.now())
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, lock.Release()) }()
		token, err := change(tokens, c.Context)
		if err != nil {
			return a.address(err)
		}
		return show(tokenLife{Source: a.Name, Token: tokenStored, token: token}.at(p.now()))
	}
}

// authStatus shows one token after another; one that cannot be read does not
// keep the next from being shown.
func (p *program) authStatus(c *cli.Context) error {
	w, accounts, show, err := p.wireAuth(c)
	if err != nil {
		return err
	}
	names := make([]string, len(accounts))
	for i, a := range accounts {
		names[i] = a.Name
	}
	if err := w.settings.RequireOf(names, config.NeedApp); err != nil {
		return err
	}
	for _, a := range accounts {
		life, err := w.life(a)
		if err != nil {
			p.explain(err)
			p.status.add(failureCode(err))
			continue
		}
		if err := show(life); err != nil {
			return err
		}
	}
	return nil
}

// life returns what is to be told of the account's token.
func (w *wiring) life(a *account) (tokenLife, error) {
	life := tokenLife{Source: a.Name, Token: tokenStored}
	token, err := w.vault(a).Token()
	configured := a.AccessToken != ""
	switch {
	case err != nil && (!configured || diff.CodeOf(err) != diff.CodeToken):
		return life, a.address(err)
	case err != nil:
		w.explain(a.address(err)) // a sync goes on with the configured one
		life.Token = tokenConfigured
	case token != nil:
		life.token = token
	case configured:
		life.Token = tokenConfigured
	default:
		life.Token, life.Remedy = tokenNone, "run jstsync auth init, or set source.access_token"
	}
	life = life.at(w.now())
	life.Remedy = a.addressed(life.Remedy)
	return life, nil
}

// wireAuth reads the flags and settings, and returns the accounts that are
// meant: the named one, or all.
func (p *program) wireAuth(c *cli.Context) (*wiring, []*account, func(tokenLife) error, error) {
	if c.Args().Present() {
		return nil, nil, nil, usage("auth %s takes no argument %q", c.Command.Name, c.Args().First())
	}
	show := p.tokenText
	switch f := c.String("format"); f {
	case "text":
	case "json":
		show = p.tokenJSON
	default:
		return nil, nil, nil, usage("--format %q is neither text nor json", f)
	}
	settings, err := p.settings(c, config.NeedState)
	if err != nil {
		return nil, nil, nil, err
	}
	w, err := p.wire(settings)
	if err != nil {
		return nil, nil, nil, err
	}
	if name := c.String("source"); c.IsSet("source") {
		a, ok := w.accounts[name]
		switch {
		case len(settings.Sources) == 0:
			return nil, nil, nil, usage("there is no source %q: the file has no sources", name)
		case !ok:
			return nil, nil, nil, usage("there is no source %q; known: %s", name, knownSources(settings))
		}
		return w, []*account{a}, show, nil
	}
	var all []*account
	for _, name := range slices.Sorted(maps.Keys(w.accounts)) {
		all = append(all, w.accounts[name])
	}
	return w, all, show, nil
}

func knownSources(settings *config.Settings) string {
	names := make([]string, len(settings.Sources))
	for i, s := range settings.Sources {
		names[i] = strconv.Quote(s.Name)
	}
	return strings.Join(names, ", ")
}

// Where the token in use comes from.
const (
	tokenStored     = "stored"
	tokenConfigured = "configured"
	tokenNone       = "none"
)

// tokenLife is what is told of a token.
type tokenLife struct {
	token *diff.Token // nil when nothing is known of its life

	Format   int    `json:"format"`
	Source   string `json:"source,omitempty"` // "" for the nameless one
	Token    string `json:"token"`
	Obtained string `json:"obtained"`     // "" when it is not known, as the next two
	Expires  string `json:"expires"`      // RFC 3339
	Left     *int64 `json:"left_seconds"` // negative when it has ended
	Remedy   string `json:"remedy"`
}

// at fills in what the token's life is like now.
func (l tokenLife) at(now time.Time) tokenLife {
	l.Format = 1
	if l.token == nil {
		return l
	}
	const millis = "2006-01-02T15:04:05.000Z"
	l.Obtained = l.token.Obtained.UTC().Format(millis)
	if l.token.Expires.IsZero() {
		return l
	}
	l.Expires = l.token.Expires.UTC().Format(millis)
	left := int64(l.token.Expires.Sub(now) / time.Second)
	if l.Left = &left; left <= 0 {
		l.Remedy = "run jstsync auth refresh"
	}
	return l
}

func (p *program) tokenJSON(l tokenLife) error { return json.NewEncoder(p.stdout).Encode(l) }

func (p *program) tokenText(l tokenLife) error {
	var b strings.Builder
	line := func(name, text string) { b.WriteString(report.Padded(p.lang.Text(name), 8) + "  " + text + "\n") }
	if l.Source != "" {
		line("source", l.Source)
	}
	line("token", p.lang.Text(l.Token))
	if l.Obtained != "" {
		line("obtained", l.Obtained)
	}
	switch {
	case l.Left != nil:
		line("expires", p.lang.Sprintf("%s, %s", l.Expires, lifeLeft(p.lang, time.Duration(*l.Left)*time.Second)))
	case l.Token != tokenNone:
		line("expires", p.lang.Text("not known"))
	}
	if l.Remedy != "" {
		line("remedy", p.lang.Sentence(l.Remedy))
	}
	_, err := p.stdout.Write([]byte(b.String()))
	return err
}

// lifeLeft says how long it is to the end of a token's life, or was.
func lifeLeft(l lang.Language, d time.Duration) string {
	format := "%s left"
	if d <= 0 {
		d, format = -d, "ended %s ago"
	}
	days, text := d/(24*time.Hour), d.Truncate(time.Minute).String()
	switch {
	case days > 0:
		text = l.Sprintf("%d d %d h", days, d%(24*time.Hour)/time.Hour)
	case d < time.Minute:
		text = d.Truncate(time.Second).String()
	default:
		text = strings.TrimSuffix(text, "0s")
	}
	return l.Sprintf(format, text)
}

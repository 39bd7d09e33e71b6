package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"jstsync/diff"
	"jstsync/extract"
	"jstsync/internal/config"
	"jstsync/state"
)

// authCodes are the exit codes of the verbs that store a token, but for 0.
const authCodes = "1 failed, 5 busy with another run,\n64 wrong usage, 78 configuration error, 130 or 143 stopped by a signal."

func (p *program) authCommand() *cli.Command {
	return &cli.Command{
		Name:  "auth",
		Usage: "obtain, renew and show the access token",
		Description: "The token lives sealed in the state file; sync renews it by itself. Once one is\n" +
			"stored, source.access_token (JST_ACCESS_TOKEN) is not needed and not used.\n\n" +
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
	format := []cli.Flag{formatFlag("text or json")}
	return []*cli.Command{
		{
			Name: "init", Usage: "obtain a token and store it",
			Description: "For an own-merchant app (自有商城), which needs nobody's consent for it. The\n" +
				"token that was current before may end. A service-provider app (服务商) is not\n" +
				"supported yet: obtain its token in the vendor's platform and set\n" +
				"source.access_token (JST_ACCESS_TOKEN).\n\n" +
				"Example: jstsync auth init\n\n" +
				"Exit codes: 0 stored, " + authCodes,
			Flags: format, Action: p.authChange((*extract.Tokens).Obtain),
		},
		{
			Name: "refresh", Usage: "renew the stored token",
			Description: "Refreshes it, or where the API refuses that or leaves the token as it is,\n" +
				"obtains a new one.\n\n" +
				"Example: jstsync auth refresh\n\n" +
				"Exit codes: 0 stored, " + authCodes,
			Flags: format, Action: p.authChange((*extract.Tokens).Refresh),
		},
		{
			Name: "status", Usage: "show which token is used and how long it lasts",
			Description: "Makes no call and never shows the token.\n\n" +
				"Example: jstsync auth status --format json\n\n" +
				"Exit codes: 0 shown, also when there is no token or it has ended, 1 failed or\n" +
				"the stored token cannot be read, 64 wrong usage, 78 configuration error.",
			Flags: format, Action: p.authStatus,
		},
	}
}

// authChange returns the action of a verb that stores a token.
func (p *program) authChange(change func(*extract.Tokens, context.Context) (*diff.Token, error)) cli.ActionFunc {
	return func(c *cli.Context) (err error) {
		w, show, err := p.wireAuth(c)
		if err != nil {
			return err
		}
		defer w.close()
		tokens, err := w.renewing()
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
			return err
		}
		return show(tokenLife{Token: tokenStored, token: token})
	}
}

func (p *program) authStatus(c *cli.Context) error {
	w, show, err := p.wireAuth(c)
	if err != nil {
		return err
	}
	token, err := w.vault().Token()
	configured := w.settings.Source.AccessToken != ""
	switch {
	case err != nil && (!configured || diff.CodeOf(err) != diff.CodeToken):
		return err
	case err != nil:
		p.explain(err) // a sync goes on with the configured one
		return show(tokenLife{Token: tokenConfigured})
	case token != nil:
		return show(tokenLife{Token: tokenStored, token: token})
	case configured:
		return show(tokenLife{Token: tokenConfigured})
	default:
		return show(tokenLife{Token: tokenNone, Remedy: "run jstsync auth init, or set source.access_token"})
	}
}

func (p *program) wireAuth(c *cli.Context) (*wiring, func(tokenLife) error, error) {
	if c.Args().Present() {
		return nil, nil, usage("auth %s takes no argument %q", c.Command.Name, c.Args().First())
	}
	show := p.tokenText
	switch f := c.String("format"); f {
	case "text":
	case "json":
		show = p.tokenJSON
	default:
		return nil, nil, usage("--format %q is neither text nor json", f)
	}
	settings, err := p.settings(c, config.NeedState, config.NeedApp)
	if err != nil {
		return nil, nil, err
	}
	w, err := p.wire(settings)
	return w, func(l tokenLife) error { return show(l.at(p.now())) }, err
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
	fmt.Fprintf(&b, "token     %s\n", l.Token)
	if l.Obtained != "" {
		fmt.Fprintf(&b, "obtained  %s\n", l.Obtained)
	}
	switch {
	case l.Left != nil:
		fmt.Fprintf(&b, "expires   %s, %s\n", l.Expires, lifeLeft(time.Duration(*l.Left)*time.Second))
	case l.Token != tokenNone:
		b.WriteString("expires   not known\n")
	}
	if l.Remedy != "" {
		fmt.Fprintf(&b, "remedy    %s\n", l.Remedy)
	}
	_, err := p.stdout.Write([]byte(b.String()))
	return err
}

// lifeLeft says how long it is to the end of a token's life, or was.
func lifeLeft(d time.Duration) string {
	format := "%s left"
	if d <= 0 {
		d, format = -d, "ended %s ago"
	}
	days, text := d/(24*time.Hour), d.Truncate(time.Minute).String()
	switch {
	case days > 0:
		text = fmt.Sprintf("%d d %d h", days, d%(24*time.Hour)/time.Hour)
	case d < time.Minute:
		text = d.Truncate(time.Second).String()
	default:
		text = strings.TrimSuffix(text, "0s")
	}
	return fmt.Sprintf(format, text)
}

package doctor

import (
	"context"
	"strings"
	"time"

	"jstsync/diff"
)

// How far this machine's clock may be off. Beyond the greater the API refuses
// calls.
const (
	skewWarning = 2 * time.Minute
	skewError   = 10 * time.Minute
)

// Source is one account as its API is called.
type Source struct {
	Name    string // "" for the nameless one
	Host    string
	Setting string   // that has the address
	Lacks   []string // settings without which no call can be made
	// Token returns the token in use, nil when there is none, and whether it is
	// the stored one. With the error of one that cannot be opened it returns the
	// configured one that is used instead, if there is one.
	Token func() (token *diff.Token, stored bool, err error)
	// Call asks for one shop, once.
	Call func(ctx context.Context, access string) (Answer, error)
	// Address puts the names of the source's settings into a remedy.
	Address func(remedy string) string
}

// Answer is what one call showed, whether it succeeded or not.
type Answer struct {
	Took  time.Duration
	Ahead time.Duration // of this machine's clock before the API's; negative when behind
	Dated bool          // the answer told the time
}

// noToken stands for a token where there is none, so that an answer can be had.
const noToken = "none"

// visit is the look at one source.
type visit struct {
	*round
	*Source
	tokenTold bool // the token is known to be no good
}

func (r *round) source(s *Source) {
	v := &visit{round: r, Source: s}
	access := v.token()
	if len(s.Lacks) > 0 {
		v.add(diff.SeverityNote, "call", diff.Say("was not called, for want of %s", strings.Join(s.Lacks, ", ")), diff.Say("set what is missing, and run jstsync doctor again"))
		return
	}
	answer, err := s.Call(r.ctx, access)
	v.answer(answer, err)
	v.clock(answer, err)
}

func (v *visit) add(severity diff.Severity, id string, evidence, remedy diff.Phrase) {
	if v.Address != nil {
		remedy.Format = v.Address(remedy.Format)
	}
	v.say(diff.Finding{Severity: severity, ID: "api." + id, Source: v.Name, Subject: v.Host, Evidence: evidence, Remedy: remedy})
}

// token tells of the token's life and returns what to call with.
func (v *visit) token() (access string) {
	token, stored, err := v.Token()
	switch {
	case err != nil && token == nil:
		v.tokenTold = true
		v.add(diff.SeverityError, "token", diff.Say(err.Error()), remedyOf(err))
		return noToken
	case err != nil:
		v.add(diff.SeverityWarning, "token", diff.Say("%s; the configured one is used", diff.Say(err.Error())), remedyOf(err))
		return token.Access
	case token == nil:
		v.tokenTold = true
		v.add(diff.SeverityError, "token", diff.Say("there is no access token"),
			diff.Say("run jstsync auth init (own-merchant apps), or set source.access_token"))
		return noToken
	}
	v.life(token, stored)
	return token.Access
}

// life tells how long the token lasts.
func (v *visit) life(token *diff.Token, stored bool) {
	if !stored || token.Expires.IsZero() {
		v.add(diff.SeverityOK, "token", diff.Say("a token is there; how long it lasts is not known"), diff.Phrase{})
		return
	}
	left := token.Expires.Sub(v.Now)
	at := token.Expires.UTC().Format(time.RFC3339)
	switch days := int(left / (24 * time.Hour)); {
	case left <= 0:
		v.tokenTold = true
		v.add(diff.SeverityError, "token", diff.Say("the stored token ended at %s", at), diff.Say("run jstsync auth refresh"))
	case left < time.Duration(v.TokenDays)*24*time.Hour:
		v.add(diff.SeverityWarning, "token", diff.Say("the stored token ends at %s, in %d days and %d hours", at, days, int(left/time.Hour)%24),
			diff.Say("jstsync sync renews it in its last 12 hours; run jstsync auth refresh to renew it now"))
	default:
		v.add(diff.SeverityOK, "token", diff.Say("the stored token ends at %s, in %d days", at, days), diff.Phrase{})
	}
}

// clock tells how far this machine's clock is off.
func (v *visit) clock(a Answer, err error) {
	refused := diff.CodeOf(err) == diff.CodeClock && err != nil
	if !a.Dated {
		if refused {
			v.add(diff.SeverityError, "clock", diff.Say(err.Error()), remedyOf(err))
		}
		return
	}
	seen := diff.Say("this machine's clock agrees with the API's")
	switch by := int(a.Ahead.Seconds()); {
	case by > 0:
		seen = diff.Say("this machine's clock is %d s ahead of the API's", by)
	case by < 0:
		seen = diff.Say("this machine's clock is %d s behind the API's", -by)
	}
	remedy := diff.Say("set this machine's clock (NTP): the API refuses calls that are 10 minutes off")
	switch off := a.Ahead.Abs(); {
	case refused || off >= skewError:
		v.add(diff.SeverityError, "clock", seen, remedy)
	case off >= skewWarning:
		v.add(diff.SeverityWarning, "clock", seen, remedy)
	default:
		v.add(diff.SeverityOK, "clock", seen, diff.Phrase{})
	}
}

// answer tells what the call was answered.
func (v *visit) answer(a Answer, err error) {
	reached := func() {
		v.add(diff.SeverityOK, "connection", diff.Say("answered in %d ms", a.Took.Milliseconds()), diff.Phrase{})
	}
	fails := func(severity diff.Severity, id string) { v.add(severity, id, diff.Say(err.Error()), remedyOf(err)) }
	if err == nil {
		reached()
		v.add(diff.SeverityOK, "credentials", diff.Say("app_key, app_secret and access_token are accepted"), diff.Phrase{})
		v.add(diff.SeverityOK, "rights", diff.Say("shops may be asked for"), diff.Phrase{})
		return
	}
	switch code := diff.CodeOf(err); code {
	case diff.CodeUnreachable:
		v.add(diff.SeverityError, "connection", diff.Say(err.Error()), connecting(err, v.Setting))
	case diff.CodeConfig:
		fails(diff.SeverityError, "call")
	case diff.CodeBadAnswer, diff.CodeVendorFault:
		fails(diff.SeverityError, "answer")
	case diff.CodeToken:
		reached()
		v.refusedToken(err)
	default:
		reached()
		id, severity := kindOf(code)
		if id != "clock" { // of which more was told
			fails(severity, id)
		}
	}
}

// kindOf returns the kind of finding that a refusal is.
func kindOf(code diff.Code) (id string, severity diff.Severity) {
	switch code {
	case diff.CodeClock:
		return "clock", diff.SeverityError
	case diff.CodeNotAllowed:
		return "whitelist", diff.SeverityError
	case diff.CodeNoRight:
		return "rights", diff.SeverityError
	case diff.CodeRateLimited:
		return "rate", diff.SeverityWarning
	case diff.CodeSignature, diff.CodeParameter, diff.CodeAppKind:
		return "credentials", diff.SeverityError
	default:
		return "answer", diff.SeverityError
	}
}

// refusedToken tells of a token that the API does not take.
func (v *visit) refusedToken(err error) {
	if !v.tokenTold {
		v.add(diff.SeverityError, "token", diff.Say(err.Error()), v.renewal())
	}
	v.add(diff.SeverityNote, "credentials", diff.Say("the API looked no further than the token: app_key and app_secret are not proved"),
		diff.Say("see to the token, and run jstsync doctor again"))
}

// renewal says how to come by another token.
func (v *visit) renewal() diff.Phrase {
	if _, stored, _ := v.Token(); stored {
		return diff.Say("run jstsync auth refresh")
	}
	return diff.Say("run jstsync auth init (own-merchant apps), or set source.access_token to a new one")
}

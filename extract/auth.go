package extract

import (
	"context"
	"crypto/rand"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"jstsync/diff"
)

const (
	initPath    = "/openWeb/auth/getInitToken"
	refreshPath = "/openWeb/auth/refreshToken"

	// longestLife is the longest life of a token that is believed.
	longestLife = 100 * 365 * 24 * time.Hour
)

// Auth makes the calls that obtain access tokens. They are signed, paced,
// repeated and recorded as those of [Shops] are; nothing that is a token, nor
// the body of any answer, is in a record, an error or a log. It keeps no token.
type Auth struct{ *caller }

// NewAuth checks the options and that this build signs as the vendor does. The
// error is a [diff.Error] of [diff.CodeConfig] naming the setting.
func NewAuth(o Options) (*Auth, error) {
	c, err := newCaller(o)
	if err != nil {
		return nil, err
	}
	return &Auth{c}, nil
}

// Init obtains a new token. An own-merchant app (自有商城) needs nobody's
// consent for it: the code that the call wants is any six characters (openweb
// docId=23). A service-provider app is refused with [diff.CodeAppKind].
//
// The API may end the token that was current before. The error wraps ctx's or
// is a [diff.Error].
func (a *Auth) Init(ctx context.Context) (*diff.Token, error) {
	code := rand.Text()[:6]
	a.calls.hide(code)
	return a.obtain(ctx, request{
		path: initPath, doing: "obtain an access token", biz: `{"grant_type":"authorization_code"}`,
	}, map[string]string{"grant_type": "authorization_code", "code": code})
}

// Refresh exchanges a refresh token. The API may answer another access token
// or the same one, its life extended or, where it finds the call too early, as
// it was. The error is as that of [Auth.Init].
func (a *Auth) Refresh(ctx context.Context, refreshToken string) (*diff.Token, error) {
	a.calls.hide(refreshToken)
	t, err := a.obtain(ctx, request{
		path: refreshPath, doing: "refresh the access token", biz: `{"grant_type":"refresh_token","scope":"all"}`,
	}, map[string]string{"grant_type": "refresh_token", "refresh_token": refreshToken, "scope": "all"})
	if err == nil && t.Refresh == "" {
		t.Refresh = refreshToken
	}
	return t, err
}

// obtain makes a token call. The life of what it answers is counted from
// before the call, so that it never seems longer than it is.
func (a *Auth) obtain(ctx context.Context, r request, form map[string]string) (*diff.Token, error) {
	r.secret, r.decode = true, decodeGrant
	r.form = func(context.Context) (map[string]string, error) { return form, nil }
	began := a.o.Now().UTC()
	answer, err := a.do(ctx, r)
	if err != nil {
		return nil, err
	}
	t := &diff.Token{Access: answer.grant.access, Refresh: answer.grant.refresh, Obtained: began}
	if answer.grant.life > 0 {
		t.Expires = began.Add(answer.grant.life)
	}
	return t, nil
}

// grant is what a token call answers.
type grant struct {
	access, refresh string
	life            time.Duration // 0 when the answer does not say
}

// decodeGrant decodes the answer of a token call. The error is an
// *answerError whose text holds nothing of the answer.
func decodeGrant(body []byte) (*answer, error) {
	p, err := parse(body, (*parser).grantTop)
	if err != nil {
		return nil, err
	}
	a := &answer{message: first(text(p.raw["msg"]), text(p.raw["message"]))}
	if err := p.outcome(a); err != nil {
		return nil, err
	}
	a.grant.access, a.grant.refresh = p.tokenText("access_token"), p.tokenText("refresh_token")
	if a.code == 0 && a.grant.access == "" {
		return nil, misshapen("the answer has no readable access_token")
	}
	seconds, err := strconv.ParseInt(scalarText(p.raw["data.expires_in"]), 10, 64)
	if err == nil && seconds > 0 && seconds <= int64(longestLife/time.Second) {
		a.grant.life = time.Duration(seconds) * time.Second
	}
	return a, nil
}

func (p *parser) grantTop(path string) error {
	switch path {
	case "data":
		if p.dec.PeekKind() == jsontext.KindBeginObject {
			return p.object("data.", p.grantData)
		}
	case "code", "msg", "message", "issuccess":
		return p.scalar(path)
	}
	_, err := p.value()
	return err
}

func (p *parser) grantData(path string) error {
	switch path {
	case "data.access_token", "data.refresh_token", "data.expires_in":
		return p.scalar(path)
	}
	_, err := p.value()
	return err
}

// tokenText returns a member of data that is a text of visible ASCII, which
// every token is, or "".
func (p *parser) tokenText(name string) string {
	raw := p.raw["data."+name]
	if len(raw) == 0 || raw[0] != '"' {
		return ""
	}
	t := text(raw)
	if strings.ContainsFunc(t, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return ""
	}
	return t
}

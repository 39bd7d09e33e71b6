package sandbox_test

import (
	"net/url"
	"testing"
	"time"

	"jstsync/internal/sandbox"
)

func (c *client) tokenForm(more ...string) url.Values {
	form := c.form("{}")
	for _, name := range []string{"access_token", "version", "biz"} {
		form.Del(name)
	}
	for i := 0; i < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return form
}

func (c *client) initToken(code string) answer {
	c.t.Helper()
	return c.post(sandbox.PathInitToken, c.tokenForm("grant_type", "authorization_code", "code", code))
}

func (c *client) refresh(token string) answer {
	c.t.Helper()
	return c.post(sandbox.PathRefreshToken, c.tokenForm("grant_type", "refresh_token", "refresh_token", token, "scope", "all"))
}

func TestServer_InitToken(t *testing.T) {
	c := open(t, sandbox.Options{})
	a := c.initToken("a1B2c3")
	check(t, "code", a.Code, 0)
	check(t, "data", words(len(a.Data.AccessToken), len(a.Data.RefreshToken), a.Data.ExpiresIn, a.Data.Scope), "32 32 2592000 all")
	check(t, "old token", c.query("{}").Code, 100)
	c.token = a.Data.AccessToken
	check(t, "new token", c.query("{}").Code, 0)
	check(t, "AccessToken", c.s.AccessToken(), c.token)

	check(t, "five characters", c.initToken("12345").Code, 140)
	check(t, "no code", c.initToken("").Msg, "入参缺少code")
	wrong := c.tokenForm("grant_type", "refresh_token", "code", "123456")
	check(t, "wrong grant_type", c.post(sandbox.PathInitToken, wrong).Code, 140)

	c = open(t, sandbox.Options{ServiceProvider: true})
	a = c.initToken("123456")
	check(t, "service provider", words(a.Code, a.Msg), "21024 仅支持自有应用")
	a = c.post(sandbox.PathAccessToken, c.tokenForm("grant_type", "authorization_code", "code", "a-long-code"))
	check(t, "accessToken", a.Code, 0)
}

func TestServer_RefreshToken(t *testing.T) {
	tests := []struct {
		name                 string
		o                    sandbox.Options
		changed, oldIsGood   bool
		left                 int
		wait                 time.Duration
		refreshTokenUnharmed bool
	}{
		{name: "default", changed: true, left: 2592000},
		{name: "old stays", o: sandbox.Options{OldTokenStaysValid: true}, changed: true, oldIsGood: true, left: 2592000},
		{name: "kept", o: sandbox.Options{KeepTokenOnRefresh: true}, wait: time.Hour, oldIsGood: true, left: 2592000, refreshTokenUnharmed: true},
		{
			name: "too early", o: sandbox.Options{RefreshWindow: 12 * time.Hour, TokenLife: 24 * time.Hour},
			wait: time.Hour, oldIsGood: true, left: 23 * 3600, refreshTokenUnharmed: true,
		},
		{
			name: "in the window", o: sandbox.Options{RefreshWindow: 12 * time.Hour, TokenLife: 24 * time.Hour},
			wait: 13 * time.Hour, changed: true, left: 24 * 3600,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := open(t, tt.o)
			c.clock.add(tt.wait)
			a := c.refresh("sandbox-refresh")
			check(t, "code", a.Code, 0)
			check(t, "token changed", a.Data.AccessToken != "sandbox-token", tt.changed)
			check(t, "expires_in", a.Data.ExpiresIn, tt.left)
			check(t, "old token is good", c.query("{}").Code == 0, tt.oldIsGood)
			check(t, "old refresh token is good", c.refresh("sandbox-refresh").Code == 0, tt.refreshTokenUnharmed)
			c.token = c.s.AccessToken()
			check(t, "new token", c.query("{}").Code, 0)
		})
	}
	c := open(t, sandbox.Options{ForbidRefresh: true})
	check(t, "forbidden", c.refresh("sandbox-refresh").Code, 150)
	c = open(t, sandbox.Options{})
	check(t, "wrong refresh token", c.refresh("x").Code, 100)
}

func TestServer_TokenEnds(t *testing.T) {
	c := open(t, sandbox.Options{TokenLife: time.Hour, KeepTokenOnRefresh: true})
	check(t, "fresh", c.query("{}").Code, 0)
	c.clock.add(time.Hour)
	check(t, "after its life", c.query("{}").Code, 100)
	a := c.refresh("sandbox-refresh")
	c.token = a.Data.AccessToken
	check(t, "refreshed", c.query("{}").Code, 0)
	c.s.ExpireToken()
	check(t, "ended", c.query("{}").Code, 100)
	c.token = c.refresh(a.Data.RefreshToken).Data.AccessToken
	check(t, "refreshed again", c.query("{}").Code, 0)
}

package sandbox

import (
	"encoding/hex"
	"math/rand/v2"
	"net/url"
	"time"
	"unicode/utf8"
)

// tokens are the access tokens ever issued that may be valid, the current one
// and the refresh token that belongs to it.
type tokens struct {
	current, refresh string
	expires          map[string]time.Time
	rng              *rand.Rand
}

func newTokens(o Options) tokens {
	return tokens{
		current: o.AccessToken,
		refresh: o.RefreshToken,
		expires: map[string]time.Time{o.AccessToken: o.Now().Add(o.TokenLife)},
		rng:     newRand(o.Seed, streamTokens),
	}
}

func (t *tokens) valid(token string, now time.Time) bool {
	expires, ok := t.expires[token]
	return ok && now.Before(expires)
}

// left is how long the current token lasts, 0 when it is expired.
func (t *tokens) left(now time.Time) time.Duration {
	return max(t.expires[t.current].Sub(now), 0)
}

// issue makes a new pair current; the old access token ends unless it may stay.
func (t *tokens) issue(now time.Time, life time.Duration, oldStays bool) {
	if !oldStays {
		delete(t.expires, t.current)
	}
	t.current, t.refresh = t.hex(), t.hex()
	t.expires[t.current] = now.Add(life)
}

func (t *tokens) hex() string {
	var raw [16]byte
	for i := range raw {
		raw[i] = byte(t.rng.Uint32())
	}
	return hex.EncodeToString(raw[:])
}

// AccessToken is the current access token.
func (s *Server) AccessToken() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tokens.current
}

// ExpireToken ends the current access token: from now on it is answered with
// code 100. The refresh token stays good.
func (s *Server) ExpireToken() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expireToken()
}

func (s *Server) expireToken() { delete(s.tokens.expires, s.tokens.current) }

// answerToken answers one of the three token calls. The caller holds s.mu.
func (s *Server) answerToken(c *Call, form url.Values) reply {
	wire, _ := s.takeFaults(c, false)
	if wire != nil {
		if a, replaced := s.replaceAnswer(c, wire); replaced {
			return a
		}
	}
	if f := s.renew(c, form); f.code != 0 {
		return s.fail(c, f)
	}
	left := int(s.tokens.left(c.At) / time.Second)
	a := s.succeed(member{"data", s.appendRow(nil, row{
		{"access_token", quote(s.tokens.current)},
		{"expires_in", rawInt(left)},
		{"refresh_token", quote(s.tokens.refresh)},
		{"scope", quote("all")},
	})})
	return a.through(wire)
}

// renew issues or extends a token as the path says.
func (s *Server) renew(c *Call, form url.Values) failure {
	o := &s.opt
	if c.Path != PathRefreshToken {
		switch {
		case form.Get("grant_type") != "authorization_code":
			return badParameter()
		case c.Path == PathInitToken && o.ServiceProvider:
			return ownAppsOnly()
		case c.Path == PathInitToken && utf8.RuneCountInString(form.Get("code")) != 6:
			return badParameter()
		}
		s.tokens.issue(c.At, o.TokenLife, o.OldTokenStaysValid)
		return failure{}
	}
	alive := s.tokens.valid(s.tokens.current, c.At)
	switch {
	case form.Get("grant_type") != "refresh_token":
		return badParameter()
	case o.ForbidRefresh:
		return refreshForbidden()
	case form.Get("refresh_token") != s.tokens.refresh:
		return badRefreshToken()
	case alive && o.RefreshWindow > 0 && s.tokens.left(c.At) > o.RefreshWindow:
		// too early: answered, and without effect
	case alive && o.KeepTokenOnRefresh:
		s.tokens.expires[s.tokens.current] = c.At.Add(o.TokenLife)
	default:
		s.tokens.issue(c.At, o.TokenLife, o.OldTokenStaysValid)
	}
	return failure{}
}

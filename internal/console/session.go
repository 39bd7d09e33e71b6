package console

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"sync"
	"time"
)

// The life of a session, and how many there may be. The oldest goes when there
// is no room.
const (
	sessionLife  = 12 * time.Hour
	sessionLimit = 256
	idBytes      = 32
)

// After so many wrong tokens from one address it has to wait, twice as long each
// time.
const (
	freeFailures = 5
	firstWait    = time.Second
	longestWait  = time.Minute
	addressLimit = 1024
)

// sessions are those who logged in. Nothing of them outlives the process.
type sessions struct {
	secret []byte // of this process, makes the tokens of forms
	now    func() time.Time

	mu       sync.Mutex
	of       map[string]session // by the hash of their IDs
	failures map[string]failure // by address
}

type session struct {
	ends  time.Time
	token [sha256.Size]byte // the token it was given for: with another one it ends
}

type failure struct {
	count int
	again time.Time // when the next try is looked at
}

func newSessions(now func() time.Time) *sessions {
	return &sessions{secret: random(), now: now, of: map[string]session{}, failures: map[string]failure{}}
}

func random() []byte {
	b := make([]byte, idBytes)
	_, _ = rand.Read(b) // never fails
	return b
}

func newID() string { return base64.RawURLEncoding.EncodeToString(random()) }

func hashed(id string) string {
	sum := sha256.Sum256([]byte(id))
	return string(sum[:])
}

// begin makes a session.
func (s *sessions) begin(token string) (id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, oldest := s.now(), ""
	for k, one := range s.of {
		if !one.ends.After(now) {
			delete(s.of, k)
		} else if oldest == "" || one.ends.Before(s.of[oldest].ends) {
			oldest = k
		}
	}
	if len(s.of) >= sessionLimit {
		delete(s.of, oldest)
	}
	id = newID()
	s.of[hashed(id)] = session{ends: now.Add(sessionLife), token: sha256.Sum256([]byte(token))}
	return id
}

// valid reports whether there is such a session, begun with this token.
func (s *sessions) valid(id, token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	one, ok := s.of[hashed(id)]
	return ok && one.ends.After(s.now()) && one.token == sha256.Sum256([]byte(token))
}

func (s *sessions) end(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.of, hashed(id))
}

// formToken returns what a form of the session has to bring. Who has the cookie
// alone cannot make it.
func (s *sessions) formToken(id string) string {
	m := hmac.New(sha256.New, s.secret)
	m.Write([]byte(id))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// wait returns how long the address has to wait before a token is looked at.
func (s *sessions) wait(address string) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failures[address].again.Sub(s.now())
}

// failed notes a wrong token.
func (s *sessions) failed(address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if len(s.failures) >= addressLimit {
		for a, f := range s.failures {
			if now.Sub(f.again) > longestWait || len(s.failures) >= addressLimit {
				delete(s.failures, a)
			}
		}
	}
	f := s.failures[address]
	if now.Sub(f.again) > 10*longestWait {
		f.count = 0
	}
	f.count++
	f.again = now
	if over := f.count - freeFailures; over >= 0 {
		f.again = now.Add(min(firstWait<<min(over, 10), longestWait))
	}
	s.failures[address] = f
}

func (s *sessions) succeeded(address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.failures, address)
}

// encrypted reports whether the browser talks TLS, to a proxy as a rule. Who
// lies about it only makes the cookie of a connection of its own useless.
func encrypted(r *http.Request) bool {
	return r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

// cookieName is one that a page of another host, or one that was not encrypted,
// cannot set where the browser talks TLS.
func cookieName(r *http.Request) string {
	if encrypted(r) {
		return "__Host-jstsync"
	}
	return "jstsync"
}

func (c *Console) setCookie(w http.ResponseWriter, r *http.Request, id string, age int) {
	http.SetCookie(w, &http.Cookie{
		Name: cookieName(r), Value: id, Path: "/", MaxAge: age,
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: encrypted(r),
	})
}

// visitor returns the ID in the cookie, "" where there is none of the right form.
func visitor(r *http.Request) string {
	cookie, err := r.Cookie(cookieName(r))
	if err != nil || len(cookie.Value) != base64.RawURLEncoding.EncodedLen(idBytes) {
		return ""
	}
	return cookie.Value
}

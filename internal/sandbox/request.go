package sandbox

import (
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxForm limits the body of a call, in bytes.
const maxForm = 4 << 20

// reply is an answer ready to be sent: its body, and how the wire treats it.
type reply struct {
	status int
	body   []byte
	wire   *Fault
	delay  time.Duration
	after  []func(*Server)
}

// readForm gives the parameters of the body; a body that is no form has none.
func readForm(w http.ResponseWriter, r *http.Request) url.Values {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return url.Values{}
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if r.ParseForm() != nil {
		return url.Values{}
	}
	return r.PostForm
}

// answer decides what a call is answered with and records it.
func (s *Server) answer(w http.ResponseWriter, r *http.Request) reply {
	form := readForm(w, r)
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &Call{Path: r.URL.Path, At: s.opt.Now().Add(s.opt.Ahead)}
	if s.opt.Ahead != 0 {
		w.Header().Set("Date", c.At.UTC().Format(http.TimeFormat))
	}
	a := s.dispatch(c, r.Method, form)
	c.Status = a.status
	s.record(*c)
	return a
}

func (s *Server) dispatch(c *Call, method string, form url.Values) reply {
	names := parametersOf(c.Path)
	if names == nil {
		return s.fail(c, unknownPath())
	}
	if method != http.MethodPost {
		return s.fail(c, badParameter())
	}
	for _, check := range s.opt.Checks {
		if f := s.check(check, c, form, names); f.code != 0 {
			return s.fail(c, f)
		}
	}
	if c.Path == PathShops {
		return s.answerShops(c, form.Get("biz"))
	}
	return s.answerToken(c, form)
}

// parametersOf names the required fields of a path, nil for a path not served.
func parametersOf(path string) []string {
	switch path {
	case PathShops:
		return []string{"app_key", "access_token", "timestamp", "charset", "version", "biz", "sign"}
	case PathInitToken, PathAccessToken:
		return []string{"app_key", "timestamp", "charset", "grant_type", "code", "sign"}
	case PathRefreshToken:
		return []string{"app_key", "timestamp", "charset", "grant_type", "refresh_token", "scope", "sign"}
	}
	return nil
}

func (s *Server) check(check Check, c *Call, form url.Values, names []string) failure {
	business := c.Path == PathShops
	switch check {
	case CheckArguments:
		return s.checkArguments(form, names)
	case CheckTimestamp:
		return s.checkTimestamp(form.Get("timestamp"), c.At)
	case CheckSignature:
		if !signed(s.opt.AppSecret, form) {
			return s.opt.Table.badSignature()
		}
	case CheckToken:
		if business && !s.tokens.valid(form.Get("access_token"), c.At) {
			return s.opt.Table.badToken()
		}
	case CheckRate:
		if business {
			return s.checkRate(c.At)
		}
	}
	return failure{}
}

// checkArguments finds missing, repeated and wrong fixed fields. An empty value
// counts as missing, since it is no part of the signature.
func (s *Server) checkArguments(form url.Values, names []string) failure {
	for _, name := range names {
		if form.Get(name) == "" {
			return missing(name)
		}
		if len(form[name]) > 1 || !utf8.ValidString(form.Get(name)) {
			return badParameter()
		}
	}
	fixed := [][2]string{{"version", "2"}, {"scope", "all"}, {"app_key", s.opt.AppKey}}
	for _, f := range fixed {
		if got := form.Get(f[0]); got != "" && got != f[1] {
			return badParameter()
		}
	}
	if !strings.EqualFold(form.Get("charset"), "utf-8") {
		return badParameter()
	}
	return failure{}
}

func (s *Server) checkTimestamp(text string, now time.Time) failure {
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || len(text) != 10 {
		return s.opt.Table.badTimestamp()
	}
	skew := now.Unix() - seconds
	if limit := s.opt.Table.skewSeconds(); skew > limit || skew < -limit {
		return s.opt.Table.badTimestamp()
	}
	return failure{}
}

// fail answers with an error body. The caller holds s.mu.
func (s *Server) fail(c *Call, f failure) reply {
	c.Code = f.code
	return reply{status: s.opt.ErrorStatus, body: s.failureBody(f)}
}

// succeed answers with data. The caller holds s.mu.
func (s *Server) succeed(members ...member) reply {
	members = append(members, member{"msg", quote("执行成功")}, member{"code", []byte("0")})
	return reply{status: http.StatusOK, body: s.appendRow(nil, members)}
}

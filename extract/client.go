package extract

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"time"

	"jstsync/diff"
)

// request is one call, however often it is attempted.
type request struct {
	page int    // 0 when it asks by id
	biz  string // the business object, as it is sent
}

// reply is what one attempt brought.
type reply struct {
	status int
	header http.Header
	body   []byte
	err    error // nil when the body came whole
}

// newTransport returns a transport with bounds on everything that waits.
func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxIdleConnsPerHost:    8,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 256 << 10,
	}
}

// sameHostOnly hands back any redirect that leads elsewhere as the answer.
func sameHostOnly(r *http.Request, via []*http.Request) error {
	from := via[0].URL
	if len(via) > 3 || r.URL.Scheme != from.Scheme || r.URL.Host != from.Host {
		return http.ErrUseLastResponse
	}
	return nil
}

// attempt makes the call once, when the pacer lets it, and records it. The
// failure is nil when the answer is a success; the error is ctx's.
func (s *Shops) attempt(ctx context.Context, r request, token string, n int) (*answer, *failure, error) {
	start, err := s.o.Pacer.Wait(ctx)
	if err != nil {
		return nil, nil, err
	}
	form, signature := encodeForm(s.o.AppSecret, map[string]string{
		"access_token": token,
		"app_key":      s.o.AppKey,
		"biz":          r.biz,
		"charset":      "utf-8",
		"timestamp":    strconv.FormatInt(start.Unix(), 10),
		"version":      "2",
	})
	rep := s.post(ctx, form, start)
	end := s.o.Now()
	mask := func(text string) string { return s.calls.mask(text, signature) }
	a, f := s.judge(r, rep, mask)
	call := diff.Call{
		Path: shopsPath, Params: r.biz, Page: r.page, Attempt: n, At: start,
		Duration: end.Sub(start), Status: rep.status, Bytes: int64(len(rep.body)),
	}
	if a != nil {
		call.Code, call.Message = a.code, mask(a.message)
	}
	if f != nil {
		f.at, f.now = start, end
		call.Err, call.Body = f.Error(), f.firstOf(rep.body)
		if ctx.Err() != nil {
			call.Err = ctx.Err().Error()
		}
	}
	s.record(ctx, call)
	if overload := f != nil && f.overload(); f == nil || overload {
		s.o.Pacer.Done(overload, call.Duration)
	}
	return a, f, ctx.Err()
}

func (s *Shops) token(ctx context.Context) (string, error) {
	token, err := s.o.Token.Token(ctx)
	if err != nil {
		return "", fmt.Errorf("read access token: %w", err)
	}
	if token == "" {
		return "", &diff.Error{
			Code: diff.CodeToken, Message: "the access token is empty", Remedy: BadToken.Remedy(), Err: ErrToken,
		}
	}
	s.calls.hide(token)
	return token, nil
}

// post sends the form and reads the answer, both within the timeout.
func (s *Shops) post(ctx context.Context, form string, start time.Time) reply {
	ctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteHeaders: func() { s.o.Pacer.Sent(start) },
	})
	address := s.o.BaseURL.JoinPath(shopsPath).String()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form))
	if err != nil {
		return reply{err: err}
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded;charset=UTF-8")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "jstsync")
	resp, err := s.client.Do(req)
	if err != nil {
		return reply{err: bare(err)}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	return reply{status: resp.StatusCode, header: resp.Header, body: body, err: err}
}

// bare takes the method and address off a client's error.
func bare(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// judge decides how an attempt ended. Exactly when it failed is the failure
// not nil; the answer is there whenever it could be decoded.
func (s *Shops) judge(r request, rep reply, mask func(string) string) (*answer, *failure) {
	f := &failure{status: rep.status, header: rep.header, host: s.o.BaseURL.Host, page: r.page, mask: mask}
	switch {
	case rep.err != nil:
		f.broken(rep, s.o.Timeout)
		return nil, f
	case len(rep.body) > maxBody:
		f.class, f.what = BadShape, fmt.Sprintf("the answer is larger than %d MiB", maxBody>>20)
		return nil, f
	}
	a, err := decodeAnswer(rep.body)
	if err != nil {
		f.undecoded(err, rep.body)
		return nil, f
	}
	f.class = Classify(rep.status, a.code, a.message)
	if f.class == Success {
		return a, nil
	}
	f.code, f.message = a.code, a.message
	if a.code == 0 {
		f.what = "HTTP " + strconv.Itoa(rep.status)
	}
	return a, f
}

// broken takes over why no answer, or half of one, came. The timeout of an
// attempt is not passed on as an error: it is not the caller's context that
// ended.
func (f *failure) broken(rep reply, timeout time.Duration) {
	f.class, f.err = Unreachable, rep.err
	if untrusted(rep.err) {
		f.class = Untrusted
	}
	if rep.status != 0 {
		f.what = fmt.Sprintf("the answer broke off after %d bytes", len(rep.body))
	}
	if errors.Is(rep.err, context.DeadlineExceeded) {
		f.slow, f.err = true, nil
		f.what = fmt.Sprintf("no whole answer within %s", timeout)
	}
}

// untrusted reports whether the host's certificate was refused, or it does
// not speak TLS at all.
func untrusted(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return true
	}
	_, ok := errors.AsType[tls.RecordHeaderError](err)
	return ok
}

func (s *Shops) record(ctx context.Context, c diff.Call) {
	s.calls.add(c)
	attrs := []slog.Attr{
		slog.Int("page", c.Page), slog.Int("attempt", c.Attempt), slog.Int("status", c.Status),
		slog.Int("code", c.Code), slog.Int64("bytes", c.Bytes), slog.Int64("dur_ms", c.Duration.Milliseconds()),
	}
	if c.Err != "" {
		attrs = append(attrs, slog.String("err", c.Err))
	}
	s.o.Logger.LogAttrs(ctx, slog.LevelDebug, "call", attrs...)
}

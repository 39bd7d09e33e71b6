package extract

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"jstsync/diff"
)

// caller makes calls for one app: signed, paced, repeated, judged, recorded.
type caller struct {
	o         Options
	client    *http.Client
	transport *http.Transport // nil when it is not ours
	calls     *callLog
	recorder  *recorder // nil when answers are not kept
}

// request is one call, however often it is attempted.
type request struct {
	scan int    // which reading of all pages it is of, from 1; 0 when of none
	page int    // 0 when it asks for no page
	biz  string // the parameters, as the call's record shows them

	path   string
	doing  string // what it is for, where that is not reading shops
	secret bool   // the answer holds tokens: nothing of its body is shown or kept
	// form returns the fields of an attempt that are this call's own.
	form func(ctx context.Context) (map[string]string, error)
	// renew replaces the access token that was used; nil when it has none.
	renew  func(ctx context.Context, used string) error
	decode func(body []byte) (*answer, error)
}

// reply is what one attempt brought.
type reply struct {
	status int
	header http.Header
	body   []byte
	room   *bytes.Buffer // that the body is in, or nil
	err    error         // nil when the body came whole
}

// exchange is one attempt as it went over the wire, or is told to have gone.
type exchange struct {
	reply
	start, end time.Time
	signature  string // "" when it is not known
	ended      error  // why nobody waits for the answer any more, or nil
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

// newCaller checks the options and that this build signs as the vendor does.
func newCaller(o Options) (*caller, error) {
	if err := SelfCheck(); err != nil {
		return nil, err
	}
	if o.Replay != nil {
		o.Replay.settle(&o)
	} else if err := o.check(); err != nil {
		return nil, err
	}
	o.setDefaults()
	c := &caller{o: o, calls: newCallLog(o.AppSecret)}
	if o.Transport == nil {
		c.transport = newTransport()
		o.Transport = c.transport
	}
	c.client = &http.Client{Transport: o.Transport, CheckRedirect: sameHostOnly}
	return c, nil
}

// Close lets go of idle connections and ends the recording. Calls under way
// are not disturbed, but no longer recorded.
func (s *caller) Close() {
	s.recorder.close()
	if s.transport != nil {
		s.transport.CloseIdleConnections()
	}
}

// Calls returns the record of every attempt so far, in the order in which
// they ended; those made to renew the token on the way are among them.
func (s *caller) Calls() []diff.Call { return s.calls.list() }

// attempt makes the call once and records it. The failure is nil when the
// answer is a success; the error is ctx's, or a recording's that ends here.
func (s *caller) attempt(ctx context.Context, r request, own map[string]string, n int) (*answer, *failure, error) {
	_, a, f, err := s.tried(ctx, r, own, n)
	return a, f, err
}

// tried is attempt, and returns what went over the wire as well.
func (s *caller) tried(ctx context.Context, r request, own map[string]string, n int) (exchange, *answer, *failure, error) {
	x, err := s.exchange(ctx, r, own, n)
	if err != nil {
		return x, nil, nil, err
	}
	mask := func(text string) string { return s.calls.mask(text, x.signature) }
	a, f := s.judge(r, x.reply, mask)
	call := diff.Call{
		Path: r.path, Params: r.biz, Page: r.page, Attempt: n, At: x.start,
		Duration: x.end.Sub(x.start), Status: x.status, Bytes: int64(len(x.body)),
	}
	if a != nil {
		call.Code, call.Message = a.code, mask(a.message)
	}
	if f != nil {
		f.at, f.now = x.start, x.end
		call.Err, call.Body = f.Error(), f.firstOf(x.body)
		if x.ended != nil {
			call.Err = x.ended.Error()
		}
	}
	s.recorder.keep(r, n, &x, mask)
	s.record(ctx, call)
	if overload := f != nil && f.overload(); f == nil || overload {
		s.o.Pacer.Done(overload, call.Duration)
	}
	return x, a, f, x.ended
}

// exchange sends an attempt when the pacer lets it, or looks it up in the
// recording that is replayed. The error is ctx's or the recording's; nothing
// was sent then.
func (s *caller) exchange(ctx context.Context, r request, own map[string]string, n int) (exchange, error) {
	if s.o.Replay != nil {
		return s.o.Replay.exchange(ctx, r, n)
	}
	start, err := s.o.Pacer.Wait(ctx)
	if err != nil {
		return exchange{}, err
	}
	fields := map[string]string{
		"app_key":   s.o.AppKey,
		"charset":   "utf-8",
		"timestamp": strconv.FormatInt(start.Unix(), 10),
	}
	maps.Copy(fields, own)
	form, signature := encodeForm(s.o.AppSecret, fields)
	rep := s.post(ctx, r.path, form, start)
	return exchange{rep, start, s.o.Now(), signature, endOf(ctx)}, nil
}

// endOf returns why a context has ended, nil when it has not.
func endOf(ctx context.Context) error {
	if context.Cause(ctx) == errUnneeded { //nolint:errorlint // as it is made
		return errUnneeded
	}
	return ctx.Err()
}

// post sends the form and reads the answer, both within the timeout.
func (s *caller) post(ctx context.Context, path, form string, start time.Time) reply {
	ctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteHeaders: func() { s.o.Pacer.Sent(start) },
	})
	address := s.o.BaseURL.JoinPath(path).String()
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
	body := rooms.Get().(*bytes.Buffer)
	body.Reset()
	if n := resp.ContentLength; 0 < n && n <= maxBody {
		body.Grow(int(n) + bytes.MinRead) // the room that ReadFrom wants left over
	}
	_, err = body.ReadFrom(io.LimitReader(resp.Body, maxBody+1))
	return reply{status: resp.StatusCode, header: resp.Header, body: body.Bytes(), room: body, err: err}
}

// rooms holds buffers of bodies that nobody looks at any more.
var rooms = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// bare takes the method and address off a client's error.
func bare(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// judge decides how an attempt ended. Exactly when it failed is the failure
// not nil; the answer is there whenever it could be decoded.
func (s *caller) judge(r request, rep reply, mask func(string) string) (*answer, *failure) {
	f := &failure{status: rep.status, header: rep.header, host: s.o.BaseURL.Host, request: r, mask: mask}
	switch {
	case rep.err != nil:
		f.broken(rep, s.o.Timeout)
		return nil, f
	case len(rep.body) > maxBody:
		f.class, f.what = BadShape, fmt.Sprintf("the answer is larger than %d MiB", maxBody>>20)
		return nil, f
	}
	a, err := r.decode(rep.body)
	if err != nil {
		f.undecoded(err, rep.body)
		return nil, f
	}
	s.calls.hide(a.grant.access)
	s.calls.hide(a.grant.refresh)
	f.class = Classify(rep.status, a.code, a.message)
	if f.class == Success {
		a.room = rep.room
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
	if e, ok := errors.AsType[*recordedError](err); ok {
		return e.fault == faultUntrusted
	}
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

func (s *caller) record(ctx context.Context, c diff.Call) {
	s.calls.add(c)
	if also := callLogOf(ctx); also != nil && also != s.calls {
		also.add(c)
	}
	var attrs []slog.Attr
	if c.Path != shopsPath {
		attrs = append(attrs, slog.String("path", c.Path))
	}
	attrs = append(attrs,
		slog.Int("page", c.Page), slog.Int("attempt", c.Attempt), slog.Int("status", c.Status),
		slog.Int("code", c.Code), slog.Int64("bytes", c.Bytes), slog.Int64("dur_ms", c.Duration.Milliseconds()),
	)
	if c.Err != "" {
		attrs = append(attrs, slog.String("err", c.Err))
	}
	s.o.Logger.LogAttrs(ctx, slog.LevelDebug, "call", attrs...)
}

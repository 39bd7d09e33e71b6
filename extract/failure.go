package extract

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"jstsync/diff"
)

// strippedTLS is what the API's gateway says to a call that reaches it so.
const strippedTLS = "plain HTTP request was sent to HTTPS port"

// failure is how one attempt failed. As an error it is the cause that a
// [diff.Error] gives, and wraps the sentinel of its class.
type failure struct {
	request
	class Class
	host  string

	status  int
	header  http.Header
	code    int    // the vendor's, 0 for none
	message string // the vendor's
	what    string // what is wrong with the answer, when it is not the vendor who says so
	err     error  // of the transport or the decoder

	at, now  time.Time // when the attempt started and ended
	slow     bool      // it ran into its timeout
	stripped bool      // a proxy sent it on without TLS
	mask     func(string) string
}

// undecoded takes over why an answer could not be decoded, and shows how it
// begins.
func (f *failure) undecoded(err error, body []byte) {
	f.class, f.what = BadShape, err.Error()
	if e, ok := errors.AsType[*answerError](err); ok {
		f.class = e.class
		if f.secret {
			f.what = e.what
		}
	}
	if class := classifyStatus(f.status, BadShape); class != Success {
		f.class = class // a status that explains itself
	}
	f.stripped = bytes.Contains(body[:min(len(body), maxBodyKept)], []byte(strippedTLS))
	if to, err := url.Parse(f.header.Get("Location")); f.status/100 == 3 && err == nil {
		f.what = fmt.Sprintf("redirected to %s://%s", to.Scheme, to.Host)
		return
	}
	kind := strings.TrimSpace(strings.Split(f.header.Get("Content-Type"), ";")[0])
	if f.secret {
		f.what += fmt.Sprintf(" (HTTP %d %s)", f.status, kind)
		return
	}
	// Masked before it is cut, so that no secret is cut in two.
	begins := clip([]byte(f.mask(string(body[:min(len(body), maxBodyKept)]))), 200)
	f.what += fmt.Sprintf(" (HTTP %d %s): %q", f.status, kind, begins)
}

// overload reports whether the API is asking for fewer calls.
func (f *failure) overload() bool {
	return f.slow || f.class == RateLimited || f.class == VendorFault
}

// Error returns what was answered, or what kept an answer from coming.
func (f *failure) Error() string {
	text := f.what
	switch {
	case f.code != 0:
		text = fmt.Sprintf("code %d: %s", f.code, clip([]byte(f.mask(f.message)), 500))
	case f.err != nil && text != "":
		text += ": " + f.err.Error()
	case f.err != nil:
		text = f.err.Error()
	}
	return f.mask(text)
}

// Unwrap returns the sentinel of the class, and the transport's error.
func (f *failure) Unwrap() []error {
	if f.err == nil {
		return []error{f.class.cause()}
	}
	return []error{f.class.cause(), f.err}
}

// firstOf returns the beginning of an answer's body, masked; nothing of one
// that may hold tokens.
func (f *failure) firstOf(body []byte) string {
	if f.secret {
		return ""
	}
	text := f.mask(string(body[:min(len(body), 32*maxBodyKept)]))
	return strings.ToValidUTF8(text[:min(len(text), maxBodyKept)], "")
}

// report returns the failure as an error for a person, after so many attempts.
func (f *failure) report(attempts int) error {
	where := f.where()
	if attempts > 1 {
		where += fmt.Sprintf(" (%d attempts)", attempts)
	}
	return &diff.Error{
		Code:    f.class.Code(),
		Message: where + ": " + f.headline(),
		Remedy:  f.remedy(),
		Err:     f,
	}
}

func (f *failure) headline() string {
	switch f.class {
	case BadSignature:
		return f.host + " does not accept the signature"
	case BadToken:
		if f.path == refreshPath {
			return f.host + " does not accept the refresh token"
		}
		return f.host + " does not accept the access token"
	case BadClock:
		if skew, ok := f.skew(); ok {
			return fmt.Sprintf("%s does not accept the time: this machine's clock is %s", f.host, skew)
		}
		return f.host + " does not accept the time"
	case NotAllowed:
		return f.host + " does not allow this address"
	case NoRight:
		return f.host + " does not permit " + f.path
	case BadParameter:
		return f.host + " does not accept a parameter"
	case AppKind:
		return f.host + " does not offer this to this kind of app"
	case RateLimited:
		return f.host + " asks for fewer calls"
	case VendorFault:
		return f.host + " failed on its side"
	case Untrusted:
		return "no trusted connection to " + f.host
	case Unreachable:
		return "no answer from " + f.host
	default:
		return "unexpected answer from " + f.host
	}
}

func (f *failure) remedy() string {
	switch f.class {
	case BadClock:
		if skew, ok := f.skew(); ok {
			return f.class.Remedy() + ": it is " + skew
		}
	case BadSignature:
		if skew, ok := f.skew(); ok {
			return f.class.Remedy() + "; also, this machine's clock is " + skew
		}
	case NoRight:
		return "apply for " + f.path + " in the app's API permissions at openweb.jushuitan.com"
	case BadShape, NotJSON:
		if f.stripped {
			return "a proxy takes the TLS away: make source.base_url an https address, or mend the proxy"
		}
		if f.status/100 == 3 {
			return "redirects to another host are not followed: set source.base_url to the host that is meant"
		}
	}
	return f.class.Remedy()
}

// skew says how this machine's clock differs from the API's, when the answer
// tells and it is more than a call's length and the header's rounding explain.
func (f *failure) skew() (string, bool) {
	switch by, _ := clockAhead(f.header, f.at, f.now); {
	case by > 0:
		return fmt.Sprintf("%d s ahead of the API's", int(by.Seconds())), true
	case by < 0:
		return fmt.Sprintf("%d s behind the API's", int(-by.Seconds())), true
	}
	return "", false
}

// unrenewed returns the failure of a token that could not be renewed either.
func (f *failure) unrenewed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return f.wrap(ctx.Err())
	}
	report := &diff.Error{
		Code:    f.class.Code(),
		Message: fmt.Sprintf("%s: %s (%s)", f.where(), f.headline(), f.Error()),
		Remedy:  f.remedy(),
		Err:     err,
	}
	if e, ok := errors.AsType[*diff.Error](err); ok && e.Remedy != "" {
		report.Code, report.Remedy = e.Code, e.Remedy
	}
	return report
}

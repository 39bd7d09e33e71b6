package extract

import (
	"context"
	"html"
	"net/url"
	"slices"
	"strings"
	"sync"

	"jstsync/diff"
)

// maxBodyKept is how much of a failed attempt's answer its record keeps.
const maxBodyKept = 2 << 10

// masked is what stands in a secret's place.
const masked = "***"

// callLog keeps the attempts, and knows the texts that may not leave.
type callLog struct {
	mu      sync.Mutex
	calls   []diff.Call
	secrets []string
}

func newCallLog(secret string) *callLog {
	l := &callLog{}
	l.hide(secret)
	return l
}

// hide adds a text that mask takes out, in each spelling it may come back in.
func (l *callLog) hide(secret string) {
	if secret == "" {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if slices.Contains(l.secrets, secret) { // with all its spellings
		return
	}
	for _, s := range spellings(secret) {
		if !slices.Contains(l.secrets, s) {
			l.secrets = append(l.secrets, s)
		}
	}
	// A longer secret is taken out before one that it contains.
	slices.SortStableFunc(l.secrets, func(a, b string) int { return len(b) - len(a) })
}

// spellings returns a text as it is and as forms, paths, JSON and HTML spell
// it.
func spellings(s string) []string {
	inJSON := strings.NewReplacer(`"`, `\"`, `\`, `\\`).Replace(s)
	return []string{
		s, url.QueryEscape(s), url.PathEscape(s), lowerPercents(url.QueryEscape(s)),
		inJSON, strings.ReplaceAll(inJSON, "/", `\/`),
		strings.NewReplacer("<", `\u003c`, ">", `\u003e`, "&", `\u0026`).Replace(inJSON),
		html.EscapeString(s), strings.ReplaceAll(html.EscapeString(s), "+", "&#43;"),
	}
}

// lowerPercents turns %2F into %2f.
func lowerPercents(s string) string {
	parts := strings.Split(s, "%")
	for i, part := range parts[1:] {
		parts[i+1] = strings.ToLower(part[:2]) + part[2:]
	}
	return strings.Join(parts, "%")
}

// mask returns s without any secret, and without also, the attempt's own.
func (l *callLog) mask(s, also string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if also != "" {
		s = withoutTail(strings.ReplaceAll(s, also, masked), also)
	}
	for _, secret := range l.secrets {
		s = strings.ReplaceAll(s, secret, masked)
	}
	for _, secret := range l.secrets {
		s = withoutTail(s, secret)
	}
	return s
}

// withoutTail masks the beginning of a secret that s ends in, as a body does
// that broke off within it. Fewer than four bytes give nothing away.
func withoutTail(s, secret string) string {
	for n := min(len(s), len(secret)-1); n >= 4; n-- {
		if strings.HasSuffix(s, secret[:n]) {
			return s[:len(s)-n] + masked
		}
	}
	return s
}

func (l *callLog) add(c diff.Call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls = append(l.calls, c)
}

// callLogKey is the key of a context's call log.
type callLogKey struct{}

// into makes calls that others make within the context be on record here too.
func (l *callLog) into(ctx context.Context) context.Context {
	return context.WithValue(ctx, callLogKey{}, l)
}

// callLogOf returns the log that wants a record of calls made within the
// context, or nil.
func callLogOf(ctx context.Context) *callLog {
	l, _ := ctx.Value(callLogKey{}).(*callLog)
	return l
}

func (l *callLog) list() []diff.Call {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.calls)
}

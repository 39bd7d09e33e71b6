package extract

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"sync"

	"jstsync/diff"
)

// maxBodyKept is how much of a failed attempt's answer its record keeps.
const maxBodyKept = 2 << 10

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
	for _, s := range []string{
		secret, url.QueryEscape(secret), url.PathEscape(secret), strings.ReplaceAll(secret, "/", `\/`),
	} {
		if !slices.Contains(l.secrets, s) {
			l.secrets = append(l.secrets, s)
		}
	}
	// A longer secret is taken out before one that it contains.
	slices.SortStableFunc(l.secrets, func(a, b string) int { return len(b) - len(a) })
}

// mask returns s without any secret, and without also, the attempt's own.
func (l *callLog) mask(s, also string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if also != "" {
		s = strings.ReplaceAll(s, also, "***")
	}
	for _, secret := range l.secrets {
		s = strings.ReplaceAll(s, secret, "***")
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

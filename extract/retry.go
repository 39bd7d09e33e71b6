package extract

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// How long to wait between attempts.
const (
	firstBackoff = 500 * time.Millisecond
	maxBackoff   = 30 * time.Second
)

// call makes the call until it succeeds, or repeating it is no use, or its
// attempts or time are used up. An expired token is renewed once.
func (s *caller) do(ctx context.Context, r request) (*answer, error) {
	var began time.Time
	renewed := false
	for n := 1; ; n++ {
		form, err := r.form(ctx)
		if err != nil {
			return nil, r.wrap(err)
		}
		a, f, err := s.attempt(ctx, r, form, n)
		switch {
		case err != nil:
			return nil, r.wrap(err)
		case f == nil:
			return a, nil
		case n == 1:
			began = f.at
		}
		if f.class == BadToken && r.renew != nil && !renewed {
			renewed = true
			if err := r.renew(ctx, form["access_token"]); err != nil {
				s.recorder.keepRenewal(r, n, err, f)
				return nil, f.unrenewed(ctx, err)
			}
			continue
		}
		wait, again := s.backoff(f, n, f.now.Sub(began))
		if !again {
			return nil, f.report(n)
		}
		if err := s.o.Sleep(ctx, wait); err != nil {
			return nil, r.wrap(err)
		}
	}
}

// where names the call in front of what went wrong with it.
func (r request) where() string {
	switch {
	case r.doing != "":
		return r.doing
	case r.page == 0:
		return "shops by id"
	default:
		return fmt.Sprintf("page %d", r.page)
	}
}

func (r request) wrap(err error) error {
	switch {
	case r.doing != "":
		return fmt.Errorf("%s: %w", r.doing, err)
	case r.page == 0:
		return fmt.Errorf("ask for shops by id: %w", err)
	default:
		return fmt.Errorf("read page %d: %w", r.page, err)
	}
}

// backoff decides whether to repeat the call after its n-th attempt, and when.
// The last attempt starts no later than MaxElapsed after the first.
func (s *caller) backoff(f *failure, n int, elapsed time.Duration) (wait time.Duration, again bool) {
	left := s.o.MaxElapsed - elapsed
	if !f.class.Transient() || n >= s.o.MaxAttempts || left <= 0 {
		return 0, false
	}
	limit := maxBackoff
	if n < 8 { // 0.5 s · 2^6 = 32 s
		limit = min(maxBackoff, firstBackoff<<(n-1))
	}
	wait = time.Duration(s.o.Rand() * float64(limit))
	if asked, ok := retryAfter(f.header, f.now); ok {
		wait = max(wait, asked)
	}
	return min(wait, left), true
}

// retryAfter reads the header of that name: seconds, or an HTTP date, which is
// held against the answer's own Date so that a wrong clock here is no matter.
// A time that has passed is no wait.
func retryAfter(h http.Header, now time.Time) (time.Duration, bool) {
	const longest = 24 * time.Hour
	value := strings.TrimSpace(h.Get("Retry-After"))
	if value == "" {
		return 0, false
	}
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, longest), true
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	return min(max(at.Sub(now), 0), longest), true
}

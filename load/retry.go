package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"jstsync/diff"
)

// resending says how a transaction that may be sent again is: how often, for
// how long after the first failure, and with which pauses.
type resending struct {
	attempts    int           // in all, the first one included
	limit       time.Duration // nothing is sent again later than this
	first, most time.Duration // the greatest pause before the second attempt, doubling; and before any
	random      func() float64
	sleep       func(context.Context, time.Duration) error
}

// newResending outlasts a failover, and a zombie that holds the row until the
// server ends it.
func newResending() resending {
	return resending{
		attempts: 12, limit: 90 * time.Second, first: 500 * time.Millisecond, most: 10 * time.Second,
		random: rand.Float64, sleep: sleep,
	}
}

// sleep returns after the duration, or with the context's error once that ends.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// pause waits before the attempt of the given number, 2 being the first: full
// jitter, so that runners that met one another do not meet again.
func (r *resending) pause(ctx context.Context, attempt int) error {
	most := min(r.first<<min(attempt-2, 16), r.most)
	return r.sleep(ctx, time.Duration(r.random()*float64(most)))
}

// send makes one transaction, once, and makes it again on a new connection as
// long as it ended in a way that may be repeated. Every attempt sends the same
// intent, so that the first statement matches only if no attempt before it
// took effect. When it matches nothing after the first attempt, one of them
// may have: that is for [Target.Resolve] to say. A first attempt's is
// [errMoved].
func (s *Session) send(ctx context.Context, in *diff.Intent, once func() error) error {
	err := once()
	if !retryable(err) {
		return err
	}
	r := &s.target.resend
	window, cancel := context.WithTimeout(ctx, r.limit)
	defer cancel()
	for attempt := 2; attempt <= r.attempts; attempt++ {
		s.target.log.Warn("transaction is sent again", "pipeline", s.target.pipeline, "run", in.Run, "attempt", attempt, "err", err)
		if r.pause(window, attempt) != nil {
			break
		}
		if err = s.connect(window); err == nil {
			err = once()
		}
		if errors.Is(err, errMoved) {
			return s.target.sentTwice(in)
		}
		if !retryable(err) {
			return err
		}
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%w, after: %w", ctx.Err(), err)
	}
	return err
}

func (t *Target) sentTwice(in *diff.Intent) error {
	return &diff.Error{
		Code: diff.CodeInDoubt,
		Message: fmt.Sprintf("the transaction of run %d of pipeline %s was sent again and found the checkpoint moved: by its first sending, or by another writer",
			in.Run, t.pipeline),
		Remedy: "run again: the next sync finds out",
	}
}

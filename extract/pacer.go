package extract

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"
)

// paceMargin widens both windows, so that calls that reach the API a little
// closer together than they were started still keep its limits.
const paceMargin = 20 * time.Millisecond

// PacerOptions are the settings of a [Pacer]. A zero rate means the vendor's
// documented one; Now and Sleep are as in [Options].
type PacerOptions struct {
	PerSecond float64
	PerMinute float64
	Now       func() time.Time
	Sleep     func(ctx context.Context, d time.Duration) error
}

// Pacer delays the starts of calls so that no second sees more than PerSecond
// of them and no 60 seconds more than PerMinute, wherever the windows begin.
// On top it spaces calls out while the API shows signs of overload, and
// returns to the full rate by and by. It is safe for concurrent use; waiting
// callers start one after another.
type Pacer struct {
	o    PacerOptions
	turn chan struct{} // held by the caller whose start is next

	mu     sync.Mutex
	starts []time.Time // ascending, as many of the last as the windows look back on
	load   load
	second window
	minute window
}

// window bounds the starts in any span of time: at most n in every span.
type window struct {
	n    int
	span time.Duration
}

// windowOf returns the window of a rate. One that is no whole number is kept
// over a span in which it makes one: 2.5 a second is 2 in any 0.8 s.
func windowOf(rate float64, unit time.Duration) window {
	n := max(1, math.Floor(rate))
	return window{int(n), time.Duration(float64(unit) * n / rate)}
}

// next returns when the window lets another call start after the given ones.
func (w window) next(starts []time.Time) time.Time {
	if len(starts) < w.n {
		return time.Time{}
	}
	return starts[len(starts)-w.n].Add(w.span + paceMargin)
}

// NewPacer returns a pacer at its full rate.
func NewPacer(o PacerOptions) *Pacer {
	orDefault(&o.PerSecond, DefaultPerSecond)
	orDefault(&o.PerMinute, DefaultPerMinute)
	if o.Now == nil {
		o.Now = time.Now //nolint:forbidigo // the default of the clock field
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	return &Pacer{
		o: o, turn: make(chan struct{}, 1), load: newLoad(o.PerSecond, o.PerMinute),
		second: windowOf(o.PerSecond, time.Second), minute: windowOf(o.PerMinute, time.Minute),
	}
}

// Wait returns when the next call may start, and when that was. The error is
// ctx's; a wait that was given up uses up nothing.
func (p *Pacer) Wait(ctx context.Context) (time.Time, error) {
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return time.Time{}, ctx.Err()
	}
	for {
		if err := ctx.Err(); err != nil {
			return time.Time{}, err
		}
		start, wait := p.claim()
		if wait <= 0 {
			return start, nil
		}
		if err := p.o.Sleep(ctx, wait); err != nil {
			return time.Time{}, err
		}
	}
}

// claim notes a start now, or says how long to wait for one.
func (p *Pacer) claim() (start time.Time, wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.o.Now()
	if wait := p.next().Sub(now); wait > 0 {
		return now, wait
	}
	p.note(now)
	return now, 0
}

// next returns the earliest time of the next start.
func (p *Pacer) next() time.Time {
	next := later(p.second.next(p.starts), p.minute.next(p.starts))
	if n := len(p.starts); n > 0 {
		next = later(next, p.starts[n-1].Add(p.load.gap()))
	}
	return next
}

func (p *Pacer) note(t time.Time) {
	i, _ := slices.BinarySearchFunc(p.starts, t, time.Time.Compare)
	p.starts = slices.Insert(p.starts, i, t)
	if extra := len(p.starts) - max(p.second.n, p.minute.n); extra > 0 {
		p.starts = slices.Delete(p.starts, 0, extra)
	}
}

// Sent says that the call started at the given time reached the wire only
// now, as the first call does after connecting; the windows count from then.
func (p *Pacer) Sent(start time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i, ok := slices.BinarySearchFunc(p.starts, start, time.Time.Compare); ok {
		p.starts = slices.Delete(p.starts, i, i+1)
		p.note(later(start, p.o.Now()))
	}
}

// Done tells how the call ended: whether the API was overloaded, and if not
// how long it took to answer.
func (p *Pacer) Done(overloaded bool, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.load.observe(p.o.Now(), overloaded, took)
}

// Used returns which share of the calls that a minute allows was started in the
// last one.
func (p *Pacer) Used() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	since, used := p.o.Now().Add(-p.minute.span), 0
	for i := len(p.starts) - 1; i >= 0 && p.starts[i].After(since); i-- {
		used++
	}
	return float64(used) / float64(p.minute.n)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

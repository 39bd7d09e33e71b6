package extract_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"jstsync/extract"
)

// crowded returns the most starts in any half-open window of the length.
func crowded(starts []time.Time, window time.Duration) int {
	most := 0
	for i, from := 0, 0; i < len(starts); i++ {
		for starts[i].Sub(starts[from]) >= window {
			from++
		}
		most = max(most, i-from+1)
	}
	return most
}

func TestPacer_limits(t *testing.T) {
	for _, busy := range []time.Duration{0, 30 * time.Millisecond, 300 * time.Millisecond} {
		c := newClock()
		p := extract.NewPacer(extract.PacerOptions{Now: c.Now, Sleep: c.Sleep})
		rng := rand.New(rand.NewPCG(1, 2))
		begin := c.Now()
		var starts []time.Time
		for range 500 {
			at, err := p.Wait(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			starts = append(starts, at)
			if busy > 0 {
				c.pass(time.Duration(rng.Int64N(int64(busy))))
			}
		}
		if got := crowded(starts, time.Second); got > 5 {
			t.Errorf("busy %s: %d starts in a second", busy, got)
		}
		if got := crowded(starts, time.Minute); got > 100 {
			t.Errorf("busy %s: %d starts in a minute", busy, got)
		}
		// The least possible: four whole minutes, and 100 calls at 5 a second.
		if got, least := c.Now().Sub(begin), 259*time.Second; got > least*11/10 {
			t.Errorf("busy %s: took %s, want at most 10%% over %s", busy, got, least)
		}
	}
}

func TestPacer_Used(t *testing.T) {
	c := newClock()
	p := extract.NewPacer(extract.PacerOptions{PerSecond: 10, PerMinute: 40, Now: c.Now, Sleep: c.Sleep})
	used := func(want float64) {
		t.Helper()
		if got := p.Used(); got != want {
			t.Errorf("got %v used, want %v", got, want)
		}
	}
	used(0)
	for range 10 {
		if _, err := p.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	used(0.25)
	c.pass(59 * time.Second)
	used(0.25)
	c.pass(2 * time.Second)
	used(0)
}

func TestPacer_sent(t *testing.T) {
	c := newClock()
	p := extract.NewPacer(extract.PacerOptions{Now: c.Now, Sleep: c.Sleep})
	at, err := p.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c.pass(700 * time.Millisecond) // connecting
	p.Sent(at)
	sent := c.Now()
	for range 5 {
		if at, err = p.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := at.Sub(sent); got < time.Second {
		t.Errorf("six calls on the wire within %s", got)
	}
}

func TestPacer_load(t *testing.T) {
	c := newClock()
	p := extract.NewPacer(extract.PacerOptions{Now: c.Now, Sleep: c.Sleep})
	next := func() time.Duration {
		from := c.Now()
		if _, err := p.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		return c.Now().Sub(from)
	}
	next()
	p.Done(true, 0)
	first := next()
	if first < time.Second {
		t.Errorf("after one overload: waited %s, want more than a second", first)
	}
	c.pass(10 * time.Second)
	p.Done(true, 0)
	next()
	if second := next(); second < 2*first {
		t.Errorf("after two overloads: waited %s, want twice %s", second, first)
	}
	for range 50 {
		p.Done(false, 100*time.Millisecond)
	}
	c.pass(time.Minute)
	next()
	if got := next(); got != 0 {
		t.Errorf("recovered: waited %s, want 0", got)
	}
	for range 20 {
		p.Done(false, 3*time.Second)
	}
	if got := next(); got == 0 {
		t.Error("answers take thirty times as long and nothing slows down")
	}
}

func TestPacer_cancelled(t *testing.T) {
	p := extract.NewPacer(extract.PacerOptions{PerSecond: 1, PerMinute: 1})
	if _, err := p.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	ended := make(chan error)
	for range 2 { // one sleeps, one waits its turn
		go func() {
			_, err := p.Wait(ctx)
			ended <- err
		}()
	}
	for range 2 {
		select {
		case err := <-ended:
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
		case <-time.After(5 * time.Second):
			t.Fatal("still waiting")
		}
	}
}

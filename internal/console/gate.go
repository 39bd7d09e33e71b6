package console

import (
	"context"
	"errors"
	"sync"
	"time"
)

// errBusy is why a page is not built: too many others are.
var errBusy = errors.New("too many pages are being built")

// gate lets one read of the state file happen at a time, and then leaves the
// file alone for half as long as the read took: a run of another process, which
// looks for a moment when nobody reads, finds one.
type gate struct {
	lane   chan struct{}
	shared sync.Locker // keeps this process's own runs from writing meanwhile
	now    func() time.Time
	free   time.Time // when the next read may begin; guarded by the lane
}

func newGate(shared sync.Locker, now func() time.Time) *gate {
	return &gate{lane: make(chan struct{}, 1), shared: shared, now: now}
}

// do runs f when it is its turn.
func (g *gate) do(ctx context.Context, f func() error) error {
	select {
	case g.lane <- struct{}{}:
		defer func() { <-g.lane }()
	case <-ctx.Done():
		return errBusy
	}
	if wait := g.free.Sub(g.now()); wait > 0 {
		t := time.NewTimer(min(wait, time.Second)) // the clock may have been set
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
			return errBusy
		}
	}
	g.shared.Lock()
	defer g.shared.Unlock()
	began := g.now()
	defer func() {
		ended := g.now()
		g.free = ended.Add(ended.Sub(began) / 2)
	}()
	return f()
}

// memo keeps what was read for as long as nothing changes, and lets those who
// want the same thing at once wait for one reading.
type memo struct {
	gate  *gate
	stamp func() string

	mu   sync.Mutex
	kept map[string]*answer
	uses int
}

// patience is how long a page waits for what it shows.
const patience = 10 * time.Second

// memoSize is how many answers are kept, each of a page's size.
const memoSize = 48

type answer struct {
	stamp string
	done  chan struct{} // closed when it is there
	value any
	err   error
	used  int
}

func newMemo(g *gate, stamp func() string) *memo {
	return &memo{gate: g, stamp: stamp, kept: map[string]*answer{}}
}

// recall returns what read returns, or what it returned when nothing was
// different. The key names the question.
func recall[T any](ctx context.Context, m *memo, key string, read func() (T, error)) (T, error) {
	var none T
	a, mine := m.find(key)
	if mine {
		a.err = errBusy // should read panic
		func() {
			defer close(a.done)
			var v T
			own, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience) // others may wait for it too
			defer cancel()
			a.err = m.gate.do(own, func() (err error) {
				v, err = read()
				return err
			})
			a.value = v
		}()
		if a.err != nil {
			m.forget(key, a)
		}
	}
	select {
	case <-a.done:
	case <-ctx.Done():
		return none, errBusy
	}
	if a.err != nil {
		return none, a.err
	}
	v, _ := a.value.(T)
	return v, nil
}

// find returns the answer to wait for, and whether the caller is to fill it in.
func (m *memo) find(key string) (a *answer, mine bool) {
	stamp := m.stamp()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.uses++
	if a := m.kept[key]; a != nil && a.stamp == stamp && (!a.ended() || stamp != "" && a.err == nil) {
		a.used = m.uses
		return a, false
	}
	if len(m.kept) >= memoSize {
		oldest := ""
		for k, a := range m.kept {
			if oldest == "" || a.used < m.kept[oldest].used {
				oldest = k
			}
		}
		delete(m.kept, oldest)
	}
	a = &answer{stamp: stamp, done: make(chan struct{}), used: m.uses}
	m.kept[key] = a
	return a, true
}

func (a *answer) ended() bool {
	select {
	case <-a.done:
		return true
	default:
		return false
	}
}

func (m *memo) forget(key string, a *answer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.kept[key] == a {
		delete(m.kept, key)
	}
}

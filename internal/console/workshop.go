package console

import (
	"context"
	"runtime"
	"time"
)

// workshop is where pages are built: on half of the processors at most. While a
// run of this process is under way a page waits for its end, and when that takes
// long, pages are built one after the other with rests between them: any number
// of readers take no more from a run than a small share of one processor.
type workshop struct {
	benches chan struct{} // held while a page is built
	lane    chan struct{} // held by the page that waits for a run, and while it is built
	took    time.Duration // by the page before; guarded by the lane
	working func() bool   // whether a run is under way
	now     func() time.Time
}

const (
	restFor  = 15 // times as long as the page before took
	minRest  = 100 * time.Millisecond
	maxRest  = 250 * time.Millisecond
	restLook = 2 * time.Millisecond
)

func newWorkshop(working func() bool, now func() time.Time) *workshop {
	return &workshop{
		benches: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)), lane: make(chan struct{}, 1),
		working: working, now: now,
	}
}

// do builds a page when it is its turn. It returns errBusy when ctx ends before.
func (s *workshop) do(ctx context.Context, build func()) error {
	if err := enter(ctx, s.benches); err != nil {
		return err
	}
	defer func() { <-s.benches }()
	if !s.working() {
		build()
		return nil
	}
	if err := enter(ctx, s.lane); err != nil {
		return err
	}
	defer func() { <-s.lane }()
	if err := s.rest(ctx); err != nil {
		return err
	}
	began := s.now()
	build()
	s.took = s.now().Sub(began)
	return nil
}

// rest waits until no run is under way, or long enough.
func (s *workshop) rest(ctx context.Context) error {
	enough := time.NewTimer(min(max(restFor*s.took, minRest), maxRest))
	defer enough.Stop()
	look := time.NewTicker(restLook)
	defer look.Stop()
	for s.working() {
		select {
		case <-look.C:
		case <-enough.C:
			return nil
		case <-ctx.Done():
			return errBusy
		}
	}
	return nil
}

func enter(ctx context.Context, room chan struct{}) error {
	select {
	case room <- struct{}{}:
		return nil
	case <-ctx.Done():
		return errBusy
	}
}

package console

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// While a run is under way, fifty readers without pause take no more than a
// sixteenth of one processor; afterwards pages are built one upon the other again.
func TestWorkshop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const page = 10 * time.Millisecond
		var running atomic.Bool
		s := newWorkshop(running.Load, time.Now)
		ctx, stop := context.WithCancel(t.Context())
		var built atomic.Int64
		for range 50 {
			go func() {
				for err := error(nil); err == nil; {
					err = s.do(ctx, func() { time.Sleep(page); built.Add(1) })
				}
			}()
		}
		measure := func(during bool) int64 {
			running.Store(during)
			time.Sleep(5 * time.Second) // until what was begun before is over
			began := built.Load()
			time.Sleep(8 * time.Second)
			return built.Load() - began
		}
		if n := measure(true); n < 45 || n > 50 {
			t.Errorf("beside a run: got %d pages in 8 s, want 50", n)
		}
		if n, most := measure(false), int64(800*cap(s.benches)); n < most*9/10 || n > most*11/10 {
			t.Errorf("alone: got %d pages in 8 s, want %d", n, most)
		}
		running.Store(true)
		began := built.Load()
		time.Sleep(minRest - time.Millisecond)
		if n := built.Load() - began; n > int64(cap(s.benches)) {
			t.Errorf("when a run begins: got %d pages more, want those that were begun, %d", n, cap(s.benches))
		}
		stop()
		time.Sleep(2 * maxRest)
		if len(s.lane) != 0 || len(s.benches) != 0 {
			t.Errorf("who gave up still holds %d lanes and %d benches", len(s.lane), len(s.benches))
		}
	})
}

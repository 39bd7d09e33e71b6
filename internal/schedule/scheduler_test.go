package schedule_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"jstsync/internal/schedule"
)

// clock is a wall clock that can be set.
type clock struct {
	shift  atomic.Int64
	system bool // its readings are monotonic, too, as those of the system's clock
}

func (c *clock) now() time.Time {
	t := time.Now().Round(0)
	set := t.Add(time.Duration(c.shift.Load()))
	if !c.system {
		return set
	}
	// As time.Now makes it outside of a bubble: there is no other way to one.
	seconds := set.Sub(time.Date(1885, 1, 1, 0, 0, 0, 0, time.UTC)) / time.Second
	*(*[2]int64)(unsafe.Pointer(&set)) = [2]int64{math.MinInt64 | int64(seconds)<<30 | int64(set.Nanosecond()), t.UnixNano()}
	return set
}

func (c *clock) set(by time.Duration) { c.shift.Add(int64(by)) }

// record is when the runs of a job were, by a clock that nobody sets.
type record struct {
	starts  []time.Time
	running atomic.Int32
	takes   func(run int) time.Duration
	fails   func(run int) bool
}

func (r *record) run(t *testing.T) func() error {
	return func() error {
		if r.running.Add(1) != 1 {
			t.Error("two runs at once")
		}
		defer r.running.Add(-1)
		n := len(r.starts)
		r.starts = append(r.starts, time.Now())
		if r.takes != nil {
			time.Sleep(r.takes(n))
		}
		if r.fails != nil && r.fails(n) {
			return errors.New("failed")
		}
		return nil
	}
}

// start schedules jobs until the test ends, or what it returns is called.
func start(t *testing.T, c *clock, jitter func() float64, jobs ...schedule.Job) (s *schedule.Scheduler, stop func()) {
	t.Helper()
	s = schedule.New(schedule.Options{Now: c.now, Rand: jitter})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		s.Run(ctx, jobs...)
		close(done)
	}()
	return s, func() {
		cancel()
		<-done
	}
}

func none() float64 { return 0 }

// Five hundred runs of random length start on the grid of their period, give or
// take the jitter, one at a time, and leave nothing behind.
func TestScheduler_Drift(t *testing.T) {
	before := runtime.NumGoroutine()
	synctest.Test(t, func(t *testing.T) {
		const period, runs = 5 * time.Minute, 500
		began := time.Now()
		random := rand.New(rand.NewPCG(1, 2))
		r := &record{takes: func(int) time.Duration { return time.Duration(random.Int64N(int64(4 * time.Minute))) }}
		jitter := rand.New(rand.NewPCG(3, 4))
		_, stop := start(t, &clock{}, jitter.Float64, schedule.Job{Name: "a", When: schedule.Every(period, began), Run: r.run(t)})
		time.Sleep(period*(runs-1) + 4*time.Minute + 30*time.Second)
		stop()
		if len(r.starts) != runs {
			t.Fatalf("got %d runs, want %d", len(r.starts), runs)
		}
		late := map[time.Duration]bool{}
		for i, at := range r.starts {
			d := at.Sub(began.Add(time.Duration(i) * period))
			if late[d] = true; d < 0 || d > 30*time.Second {
				t.Fatalf("run %d was %s off", i, d)
			}
		}
		if len(late) < 100 {
			t.Errorf("got %d different delays: there is no jitter", len(late))
		}
	})
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("got %d goroutines, had %d", after, before)
	}
}

// Runs that take longer than their period never overlap, and what they missed
// is made up for by one run.
func TestScheduler_Coalesces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		r := &record{takes: func(run int) time.Duration {
			if run == 1 {
				return 35 * time.Minute
			}
			return time.Second
		}}
		_, stop := start(t, &clock{}, none, schedule.Job{Name: "a", When: schedule.Every(10*time.Minute, began), Run: r.run(t)})
		time.Sleep(61 * time.Minute)
		stop()
		want(t, began, r.starts, 0, 10, 45, 50, 60)
	})
}

// want compares the starts with minutes since the beginning.
func want(t *testing.T, began time.Time, got []time.Time, minutes ...int) {
	t.Helper()
	var is []int
	for _, at := range got {
		is = append(is, int(at.Sub(began)/time.Minute))
	}
	if !slices.Equal(is, minutes) {
		t.Fatalf("got runs at minutes %v, want %v", is, minutes)
	}
}

// A clock that is set forward makes a job run once at once, one that is set
// back makes none wait for it to catch up.
func TestScheduler_ClockJumps(t *testing.T) {
	shanghai := zone(t, "Asia/Shanghai")
	hourly, err := schedule.Cron("0 * * * *", shanghai)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		when   func(time.Time) schedule.Timetable
		jump   time.Duration
		during bool
		want   []int
		system []int // with the system's clock, nil for the same
	}{
		{"cron forward", func(time.Time) schedule.Timetable { return hourly }, 12 * time.Hour, false, []int{0, 60, 90, 120, 180}, nil},
		{"cron back", func(time.Time) schedule.Timetable { return hourly }, -12 * time.Hour, false, []int{0, 60, 120, 180}, nil},
		{"cron back by half a period", func(time.Time) schedule.Timetable { return hourly }, -45 * time.Minute, false, []int{0, 60, 105, 165}, nil},
		{"cron back in a run", func(time.Time) schedule.Timetable { return hourly }, -24 * time.Hour, true, []int{0, 60, 120, 180}, nil},
		{"every forward", hours, 12 * time.Hour, false, []int{0, 60, 90, 120, 180}, []int{0, 60, 120, 180}},
		{"every back", hours, -12 * time.Hour, false, []int{0, 60, 120, 180}, nil},
		{"every back in a run", hours, -24 * time.Hour, true, []int{0, 60, 120, 180}, nil},
	} {
		for _, system := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, system %t", tt.name, system), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c, began := &clock{system: system}, time.Now()
					r := &record{takes: func(run int) time.Duration {
						if tt.during && run == 1 {
							c.set(tt.jump)
						}
						return time.Second
					}}
					_, stop := start(t, c, none, schedule.Job{Name: "a", When: tt.when(c.now()), Run: r.run(t)})
					time.Sleep(90 * time.Minute)
					if !tt.during {
						c.set(tt.jump)
					}
					time.Sleep(91 * time.Minute)
					stop()
					if system && tt.system != nil {
						want(t, began, r.starts, tt.system...)
						return
					}
					want(t, began, r.starts, tt.want...)
				})
			})
		}
	}
}

func hours(anchor time.Time) schedule.Timetable { return schedule.Every(time.Hour, anchor) }

// Repeated failures make runs rarer, for a quarter of an hour at most, and the
// first good run ends that.
func TestScheduler_BacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		r := &record{fails: func(run int) bool { return run < 7 }}
		s, stop := start(t, &clock{}, none, schedule.Job{Name: "a", When: schedule.Every(time.Minute, began), Run: r.run(t)})
		time.Sleep(30*time.Minute + time.Second)
		if st := s.Jobs()[0]; st.Failures == 0 {
			t.Errorf("got %+v, want failures", st)
		}
		time.Sleep(34 * time.Minute)
		stop()
		want(t, began, r.starts, 0, 1, 3, 7, 15, 31, 47, 63, 64)
	})
}

// A paused job does not run, another one does; resumed, it runs once at once.
func TestScheduler_Pause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		a, b := &record{}, &record{}
		s, stop := start(
			t, &clock{}, none,
			schedule.Job{Name: "a", When: schedule.Every(10*time.Minute, began), Run: a.run(t)},
			schedule.Job{Name: "b", When: schedule.Every(20*time.Minute, began), Run: b.run(t)},
		)
		time.Sleep(5 * time.Minute)
		if !s.Pause("a") || s.Pause("c") || s.Resume("c") {
			t.Error("pausing tells wrongly which jobs there are")
		}
		time.Sleep(40 * time.Minute)
		if jobs := s.Jobs(); !jobs[0].Paused || jobs[1].Paused || jobs[0].Runs != 1 {
			t.Errorf("got %+v", jobs)
		}
		s.Resume("a")
		time.Sleep(10 * time.Minute)
		s.Pause("a")
		stop() // a paused job does not keep it from ending
		want(t, began, a.starts, 0, 45, 50)
		want(t, began, b.starts, 0, 20, 40)
	})
}

// A job that is wanted runs at once, again after a run that is under way, and
// when it is resumed; its due times stay.
func TestScheduler_RunNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		a := &record{takes: func(int) time.Duration { return time.Minute }}
		s, stop := start(t, &clock{}, none, schedule.Job{Name: "a", When: schedule.Every(20*time.Minute, began), Run: a.run(t)})
		time.Sleep(7 * time.Minute)
		if !s.RunNow("a") || s.RunNow("b") {
			t.Error("it tells wrongly which jobs there are")
		}
		time.Sleep(30 * time.Second) // it runs
		s.RunNow("a")
		s.RunNow("a")
		time.Sleep(14*time.Minute + 30*time.Second) // 22: it ran when it was due
		s.Pause("a")
		s.RunNow("a")
		time.Sleep(3 * time.Minute)
		s.Resume("a")
		time.Sleep(5 * time.Minute)
		stop()
		want(t, began, a.starts, 0, 7, 8, 20, 25)
	})
}

// Several jobs take turns, and none starves.
func TestScheduler_TakesTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running atomic.Int32
		runs := map[string]int{}
		job := func(name string) schedule.Job {
			return schedule.Job{Name: name, When: schedule.Every(time.Minute, time.Now()), Run: func() error {
				if running.Add(1) != 1 {
					t.Error("two runs at once")
				}
				defer running.Add(-1)
				time.Sleep(50 * time.Second)
				runs[name]++
				return nil
			}}
		}
		_, stop := start(t, &clock{}, none, job("a"), job("b"), job("c"))
		time.Sleep(time.Hour)
		stop()
		for name, n := range runs {
			if n < 23 || n > 25 {
				t.Errorf("%s ran %d times in an hour, want its third of 72", name, n)
			}
		}
	})
}

// When it is told to end, a run that is under way goes on to its end.
func TestScheduler_Stops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		r := &record{takes: func(int) time.Duration { return 10 * time.Minute }}
		_, stop := start(t, &clock{}, none, schedule.Job{Name: "a", When: schedule.Every(time.Hour, began), Run: r.run(t)})
		time.Sleep(time.Minute)
		stop()
		if took := time.Since(began); took != 10*time.Minute || r.running.Load() != 0 {
			t.Errorf("it ended after %s, with %d runs under way", took, r.running.Load())
		}
	})
}

// What is wanted of a job that waits for its turn, or to be resumed, is the run
// that comes then, and no second one.
func TestScheduler_RunNow_waiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		a, b := &record{}, &record{takes: func(run int) time.Duration { return time.Duration(run) * 5 * time.Minute }}
		s, stop := start(
			t, &clock{}, none,
			schedule.Job{Name: "a", When: schedule.Every(21*time.Minute, began), Run: a.run(t)},
			schedule.Job{Name: "b", When: schedule.Every(20*time.Minute, began), Run: b.run(t)},
		)
		time.Sleep(22 * time.Minute) // b runs, and a is due
		s.RunNow("a")
		time.Sleep(10 * time.Minute)
		s.Pause("a")
		time.Sleep(11 * time.Minute)
		s.RunNow("a")
		time.Sleep(10 * time.Minute)
		s.Resume("a")
		time.Sleep(time.Minute)
		stop()
		want(t, began, a.starts, 0, 25, 53)
	})
}

// How many runs a job had is not forgotten when it is scheduled anew.
func TestScheduler_Run_again(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := schedule.New(schedule.Options{Now: time.Now, Rand: none})
		for i := range 2 {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			go func() {
				time.Sleep(time.Second)
				if got := s.Jobs()[0]; got.Runs != i {
					t.Errorf("got %+v, want %d runs", got, i)
				}
			}()
			s.Run(ctx, schedule.Job{Name: "a", When: schedule.Every(time.Hour, time.Now()), Run: func() error {
				time.Sleep(2 * time.Second)
				return nil
			}})
			cancel()
		}
	})
}

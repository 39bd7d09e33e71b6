package schedule

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
)

// Job is what runs by a timetable.
type Job struct {
	Name string
	When Timetable
	// Run is one run. An error counts towards the back-off and goes nowhere
	// else: whoever runs tells of it.
	Run func() error
}

// Options are the clock and the chance of a [Scheduler].
type Options struct {
	Now  func() time.Time
	Rand func() float64 // uniform in [0, 1)
}

// Status is how a job stands.
type Status struct {
	Name     string
	Paused   bool
	Running  bool
	Runs     int       // that have ended
	Failures int       // in a row, up to the last run
	Due      time.Time // of the next run; in the past while it waits for its turn or is paused
}

// Scheduler runs jobs. Its zero value is not ready; [New] makes one. All methods
// may be called at any time from anywhere, but for Run, of which one call at a
// time may be under way.
type Scheduler struct {
	o    Options
	turn chan struct{} // held by the job that runs

	mu     sync.Mutex
	jobs   map[string]*Status
	wanted map[string]chan struct{} // holds a wish to run the job now
	paused map[string]chan struct{} // closed when the job is resumed
}

// New returns a scheduler without jobs.
func New(o Options) *Scheduler {
	return &Scheduler{
		o: o, turn: make(chan struct{}, 1),
		jobs: map[string]*Status{}, wanted: map[string]chan struct{}{}, paused: map[string]chan struct{}{},
	}
}

// Run runs the jobs, whose names are unique, until ctx ends; it returns when
// none is running any more. A job that was paused in an earlier Run still is, and
// the runs that it had there count.
func (s *Scheduler) Run(ctx context.Context, jobs ...Job) {
	s.mu.Lock()
	earlier := s.jobs
	s.jobs, s.wanted = map[string]*Status{}, map[string]chan struct{}{}
	for _, job := range jobs {
		s.jobs[job.Name], s.wanted[job.Name] = &Status{Name: job.Name}, make(chan struct{}, 1)
		if was := earlier[job.Name]; was != nil {
			s.jobs[job.Name].Runs = was.Runs
		}
	}
	s.mu.Unlock()
	var loops sync.WaitGroup
	for _, job := range jobs {
		loops.Go(func() { s.loop(ctx, job) })
	}
	loops.Wait()
}

// loop runs one job whenever it is due.
func (s *Scheduler) loop(ctx context.Context, job Job) {
	due, failures := s.o.Now(), 0
	for s.await(ctx, job, due) {
		started := s.o.Now()
		s.note(job.Name, func(st *Status) { st.Running = true })
		err := job.Run()
		<-s.turn
		if failures++; err == nil {
			failures = 0
		}
		due = s.next(job.When, started, failures)
		s.note(job.Name, func(st *Status) {
			st.Running, st.Runs, st.Failures, st.Due = false, st.Runs+1, failures, due
		})
	}
}

// next returns when a job is due after a run that began at started and was the
// given number of failures in a row. A due time that passed meanwhile is due
// now.
func (s *Scheduler) next(when Timetable, started time.Time, failures int) time.Time {
	now := s.o.Now()
	from := started
	if setBack(started, now) {
		from = now
	}
	if pause := backOff(when.Period(), failures); pause > 0 {
		from = now.Add(pause)
	}
	return when.Next(from).Add(time.Duration(s.o.Rand() * float64(when.Jitter())))
}

// maxBackOff is for how long at most a job that keeps failing is not run.
const maxBackOff = 15 * time.Minute

// backOff returns for how long due times are passed over: none after the first
// failure, then 1, 3, 7 … periods.
func backOff(period time.Duration, failures int) time.Duration {
	pause := time.Duration(0)
	for range failures - 1 {
		if pause = 2*pause + period; pause >= maxBackOff {
			return maxBackOff
		}
	}
	return pause
}

// setBack reports whether the clock was set back between two readings. It is the
// wall clock that is set, which a monotonic reading would hide.
func setBack(earlier, later time.Time) bool { return later.Round(0).Before(earlier.Round(0)) }

// glance is how often the clock is looked at while a job is waited for: it may
// be set, and it goes on while a machine sleeps, when a timer does not.
const glance = 30 * time.Second

// await returns true when the job is due, not paused, and has its turn; false
// when ctx ended before.
func (s *Scheduler) await(ctx context.Context, job Job, due time.Time) bool {
	s.mu.Lock()
	wanted := s.wanted[job.Name]
	s.mu.Unlock()
	for {
		now := s.o.Now()
		wait := due.Sub(now)
		if wait <= 0 {
			return s.take(ctx, job.Name)
		}
		wish, ok := sleep(ctx, min(wait, glance), wanted)
		if wish {
			s.note(job.Name, func(st *Status) { st.Due = s.o.Now() })
			return s.take(ctx, job.Name)
		}
		if !ok {
			return false
		}
		if then := s.o.Now(); setBack(now, then) {
			if again := job.When.Next(then); again.Before(due) {
				due = again
				s.note(job.Name, func(st *Status) { st.Due = due })
			}
		}
	}
}

// take waits until the job is not paused and no other runs, and makes it the
// one that does.
func (s *Scheduler) take(ctx context.Context, name string) bool {
	for {
		select {
		case s.turn <- struct{}{}:
		case <-ctx.Done():
			return false
		}
		s.mu.Lock()
		resumed, wanted := s.paused[name], s.wanted[name]
		s.mu.Unlock()
		if resumed == nil && ctx.Err() == nil {
			select {
			case <-wanted: // this is the run that was wanted
			default:
			}
			return true
		}
		<-s.turn
		select {
		case <-resumed:
		case <-ctx.Done():
			return false
		}
	}
}

// sleep returns after the time, or as soon as there is a wish; ok is false when
// ctx ended before.
func sleep(ctx context.Context, d time.Duration, wishes <-chan struct{}) (wish, ok bool) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-wishes:
		return true, true
	case <-t.C:
		return false, true
	case <-ctx.Done():
		return false, false
	}
}

func (s *Scheduler) note(name string, change func(*Status)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s.jobs[name])
}

// Pause keeps a job from being run until it is resumed; a run that is under way
// goes on. It reports whether there is such a job.
func (s *Scheduler) Pause(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.jobs[name] == nil {
		return false
	}
	if s.paused[name] == nil {
		s.paused[name] = make(chan struct{})
	}
	return true
}

// Resume lets a job be run again, at once when it was due meanwhile. It reports
// whether there is such a job.
func (s *Scheduler) Resume(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if resumed := s.paused[name]; resumed != nil {
		close(resumed)
		delete(s.paused, name)
	}
	return s.jobs[name] != nil
}

// RunNow makes a job due at once. One that is running is run again after that,
// one that is paused when it is resumed. It reports whether there is such a job.
func (s *Scheduler) RunNow(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.jobs[name] == nil {
		return false
	}
	select {
	case s.wanted[name] <- struct{}{}:
	default: // there is such a wish already
	}
	return true
}

// Jobs returns how the jobs stand, by name.
func (s *Scheduler) Jobs() []Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Status, 0, len(s.jobs))
	for _, job := range s.jobs {
		st := *job
		st.Paused = s.paused[st.Name] != nil
		all = append(all, st)
	}
	slices.SortFunc(all, func(a, b Status) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

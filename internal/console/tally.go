package console

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"jstsync/diff"
)

// How far back a tally goes, and how much one section reads.
const (
	tallyDays  = 31
	tallyHours = 24
	tallyRuns  = 48
	tallyChunk = 2000
)

// tally sums up the runs of the last month as they come, so that the overview
// and the use of the API cost nothing but the runs since they were last looked
// at.
type tally struct {
	runs Runs
	gate *gate

	mu        sync.Mutex
	begun     bool
	stamp     string
	last      uint64          // the newest run that was read
	pending   map[uint64]bool // runs whose outcome is still to come
	pipelines map[string]*standing
	days      map[day]*use
	zone      string // of the days
}

func newTally(runs Runs, g *gate) *tally { return &tally{runs: runs, gate: g} }

// standing is what is known of one pipeline's runs.
type standing struct {
	Last   *diff.Run // the newest
	Good   *diff.Run // the newest that was in step
	Recent []cell    // the newest runs, oldest first
	hours  map[int64]*hour
}

// cell is a run in a strip of runs.
type cell struct {
	Run     uint64
	Status  diff.Status
	Started time.Time
	Changes int
}

// hour sums up an hour's runs.
type hour struct {
	Insert, Update, Delete int
	Calls                  int
	Total                  time.Duration
}

// day is a pipeline's day, as the number of days since 1970 in the zone.
type day struct {
	pipeline string
	number   int64
}

// use is what a day's calls came to.
type use struct {
	Calls, Failed int
	Items         map[item]int // of those that are on record one by one
}

// item is a kind of call.
type item struct{ Path, Code string }

// maxItems bounds the kinds of calls of a day; the rest count as not itemised.
const maxItems = 64

// refresh reads the runs that came since the last time.
func (t *tally) refresh(ctx context.Context, now time.Time, zone *time.Location) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	stamp := t.runs.Stamp()
	if stamp != "" && stamp == t.stamp && t.zone == zone.String() {
		return nil
	}
	if err := t.begin(ctx, now, zone); err != nil {
		return err
	}
	if err := t.settle(ctx, zone); err != nil {
		return err
	}
	for more := true; more; {
		var runs []diff.Run
		err := t.gate.do(ctx, func() (err error) {
			runs, err = t.runs.After(t.last, tallyChunk)
			return err
		})
		if err != nil {
			return err
		}
		for i := range runs {
			t.count(&runs[i], zone)
			t.last = runs[i].Run
		}
		more = len(runs) == tallyChunk
	}
	t.forget(now, zone)
	t.stamp = stamp
	return nil
}

// begin makes ready to count: anew where the file is not the one that was counted,
// or days are other ones.
func (t *tally) begin(ctx context.Context, now time.Time, zone *time.Location) error {
	newest, err := t.newest(ctx)
	if err != nil || t.begun && newest >= t.last && t.zone == zone.String() {
		return err
	}
	t.pipelines, t.days, t.pending = map[string]*standing{}, map[day]*use{}, map[uint64]bool{}
	t.last, err = t.firstSince(ctx, newest, now.AddDate(0, 0, -tallyDays))
	t.begun, t.zone = err == nil, zone.String()
	return err
}

// newest returns the number of the newest run, 0 when there is none.
func (t *tally) newest(ctx context.Context) (number uint64, err error) {
	err = t.gate.do(ctx, func() error {
		runs, _, err := t.runs.Page(RunQuery{Limit: 1})
		if len(runs) > 0 {
			number = runs[0].Run
		}
		return err
	})
	return number, err
}

// firstSince returns the number before that of the first run that began at or
// after the time. Runs begin in the order of their numbers.
func (t *tally) firstSince(ctx context.Context, newest uint64, at time.Time) (uint64, error) {
	low, high := uint64(0), newest // the answer is in between
	for low < high {
		middle := low + (high-low)/2
		var next []diff.Run
		err := t.gate.do(ctx, func() (err error) {
			next, err = t.runs.After(middle, 1)
			return err
		})
		if err != nil {
			return 0, err
		}
		if len(next) == 0 || !next[0].Started.Before(at) {
			high = middle
		} else {
			low = next[0].Run
		}
	}
	return low, nil
}

// settle looks again at the runs whose outcome was still to come.
func (t *tally) settle(ctx context.Context, zone *time.Location) error {
	for _, number := range sortedKeys(t.pending) {
		var run *diff.Run
		err := t.gate.do(ctx, func() (err error) {
			run, err = t.runs.One(number)
			return err
		})
		if err != nil {
			return err
		}
		if run == nil || run.Status != diff.Pending {
			delete(t.pending, number)
		}
		if run != nil {
			t.count(run, zone)
		}
	}
	return nil
}

func sortedKeys(m map[uint64]bool) []uint64 {
	keys := make([]uint64, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// count adds a run. One that is pending shows, and counts when it has ended.
func (t *tally) count(run *diff.Run, zone *time.Location) {
	s := t.pipelines[run.Pipeline]
	if s == nil {
		s = &standing{hours: map[int64]*hour{}}
		t.pipelines[run.Pipeline] = s
	}
	s.show(run)
	if run.Status == diff.Pending {
		t.pending[run.Run] = true
		return
	}
	h := s.hours[run.Started.Unix()/3600]
	if h == nil {
		h = &hour{}
		s.hours[run.Started.Unix()/3600] = h
	}
	if run.Status == diff.Committed {
		h.Insert += run.Summary.Insert
		h.Update += run.Summary.Update
		h.Delete += run.Summary.Delete
	}
	h.Calls += run.CallStats.Calls
	h.Total += run.CallStats.Total
	d := day{run.Pipeline, dayOf(run.Started, zone)}
	u := t.days[d]
	if u == nil {
		u = &use{Items: map[item]int{}}
		t.days[d] = u
	}
	u.Calls += run.CallStats.Calls
	u.Failed += run.CallStats.Failed
	for i := range run.Calls {
		it := itemOf(&run.Calls[i])
		if _, known := u.Items[it]; known || len(u.Items) < maxItems {
			u.Items[it]++
		}
	}
}

// show puts a run into what is shown of its pipeline.
func (s *standing) show(run *diff.Run) {
	kept := *run
	kept.Calls = nil
	if s.Last == nil || run.Run >= s.Last.Run {
		s.Last = &kept
	}
	if good := run.Status == diff.Unchanged || run.Status == diff.Committed; good && (s.Good == nil || run.Run >= s.Good.Run) {
		s.Good = &kept
	}
	c := cell{run.Run, run.Status, run.Started, 0}
	if run.Status == diff.Committed {
		c.Changes = run.Summary.Insert + run.Summary.Update + run.Summary.Delete
	}
	i, found := slices.BinarySearchFunc(s.Recent, c, func(a, b cell) int { return cmp.Compare(a.Run, b.Run) })
	if found {
		s.Recent[i] = c
		return
	}
	s.Recent = slices.Insert(s.Recent, i, c)
	if extra := len(s.Recent) - tallyRuns; extra > 0 {
		s.Recent = slices.Delete(s.Recent, 0, extra)
	}
}

// dayOf numbers the days of a zone.
func dayOf(t time.Time, zone *time.Location) int64 {
	y, m, d := t.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400
}

// forget lets go of what is too old to be shown.
func (t *tally) forget(now time.Time, zone *time.Location) {
	oldest := dayOf(now, zone) - tallyDays
	for d := range t.days {
		if d.number < oldest {
			delete(t.days, d)
		}
	}
	for _, s := range t.pipelines {
		for n := range s.hours {
			if n < now.Unix()/3600-tallyHours {
				delete(s.hours, n)
			}
		}
	}
}

// of returns a copy of what is known of a pipeline, and of its last hours, the
// newest last.
func (t *tally) of(pipeline string, now time.Time) (s standing, hours []hour) {
	t.mu.Lock()
	defer t.mu.Unlock()
	hours = make([]hour, tallyHours)
	known := t.pipelines[pipeline]
	if known == nil {
		return s, hours
	}
	s = standing{Last: known.Last, Good: known.Good, Recent: slices.Clone(known.Recent)}
	for i := range hours {
		if h := known.hours[now.Unix()/3600-tallyHours+1+int64(i)]; h != nil {
			hours[i] = *h
		}
	}
	return s, hours
}

// used returns what the pipelines' calls came to on a day.
func (t *tally) used(pipelines []string, number int64) use {
	t.mu.Lock()
	defer t.mu.Unlock()
	sum := use{Items: map[item]int{}}
	for _, p := range pipelines {
		if u := t.days[day{p, number}]; u != nil {
			sum.Calls += u.Calls
			sum.Failed += u.Failed
			for it, n := range u.Items {
				sum.Items[it] += n
			}
		}
	}
	return sum
}

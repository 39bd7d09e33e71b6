package main

import (
	"context"
	"errors"
	"math"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"jstsync/diff"
	"jstsync/internal/config"
	"jstsync/internal/console"
	"jstsync/internal/lang"
	"jstsync/internal/report"
	"jstsync/internal/schedule"
	"jstsync/state"
)

// pages is what the console is given to read and to steer with. The settings
// are those of the present generation.
type pages struct {
	*program
	scheduler *schedule.Scheduler
	now       atomic.Pointer[present]
}

// present are settings, and what the console is told of them.
type present struct {
	*config.Settings
	shown console.Settings
}

// newPages returns the console's parts; ctx ends dry runs that are under way.
func (p *program) newPages(settings *config.Settings, scheduler *schedule.Scheduler) *pages {
	c := &pages{program: p, scheduler: scheduler}
	c.use(settings)
	return c
}

// console returns the handler of the pages.
func (c *pages) console(ctx context.Context, refused func(string, ...any)) *console.Console {
	return console.New(console.Options{
		Settings:  func() console.Settings { return c.now.Load().shown },
		Runs:      recorded{c},
		Audit:     func(pipeline string) console.Audit { return audited{c.reader(pipeline)} },
		Scheduler: steered{c.scheduler},
		Writing:   reportPieces{},
		DryRun:    c.dryRun, Key: c.key, When: c.when, Ends: endOf,
		RateUsed: c.pacers.used, Reading: c.turns.RLocker(), Context: ctx, Now: c.program.now, Log: c.log, Refused: refused,
	})
}

// use makes settings those that pages show.
func (c *pages) use(s *config.Settings) {
	zone, err := time.LoadLocation(s.Serve.TimeZone)
	if err != nil {
		zone = time.UTC // never: the settings were checked
	}
	shown := console.Settings{
		Token: s.Serve.Token.Reveal(), Language: lang.Language(s.Serve.Language), Zone: zone,
		Warning: time.Duration(s.Alerts.Rules.AuthorizationDays) * 24 * time.Hour,
	}
	sources := sourcesOf(s)
	tightest := rates(sources)
	for i := range s.Pipelines {
		pl := &s.Pipelines[i]
		src := s.SourceOf(*pl)
		one := console.Pipeline{
			Name: pl.Name, Quota: int(math.Round(tightest[appOf(src)].PerMinute * 60 * 24)), Budget: budgetOf(sources, src),
		}
		if mapper, err := mapperOf(pl); err == nil {
			one.Table = mapper.Table()
			if i := mapper.ColumnOf("session_expired"); i >= 0 {
				one.Expires = one.Table.Names()[i]
			}
		}
		shown.Pipelines = append(shown.Pipelines, one)
	}
	c.now.Store(&present{s, shown})
}

// budgetOf names the sources whose calls are counted together with those of this
// one: by the first of them, by nothing where there is only one.
func budgetOf(sources []config.Source, src *config.Source) string {
	for i := range sources {
		if appOf(&sources[i]) == appOf(src) {
			return sources[i].Name
		}
	}
	return src.Name
}

func (c *pages) path() string { return c.now.Load().State }

func (c *pages) reader(pipeline string) *state.Reader { return state.NewReader(c.path(), pipeline) }

// pipeline returns a pipeline of the present settings.
func (c *pages) pipeline(name string) (*config.Pipeline, error) {
	found, err := choose(c.now.Load().Settings, []string{name})
	if err != nil {
		return nil, err
	}
	return &found[0], nil
}

func (c *pages) key(pipeline, text string) (diff.Key, error) {
	pl, err := c.pipeline(pipeline)
	if err != nil {
		return "", err
	}
	mapper, err := mapperOf(pl)
	if err != nil {
		return "", err
	}
	return diff.ParseKey(text, mapper.Table().KeyKinds()...)
}

func (c *pages) when(text string, end bool) (run uint64, at time.Time, err error) {
	w, err := parseWhen("", text, c.program.now().In(c.now.Load().shown.Zone), end)
	return w.run, w.at, err
}

// dryRun plans one pipeline, at the pace that all calls of the process share.
func (c *pages) dryRun(ctx context.Context, pipeline string) (*diff.Plan, error) {
	pl, err := c.pipeline(pipeline)
	if err != nil {
		return nil, err
	}
	w, err := c.wire(c.now.Load().Settings)
	if err != nil {
		return nil, err
	}
	defer w.close()
	planner, err := w.planner(pl)
	if err != nil {
		return nil, err
	}
	planner.Progress = nil // a terminal shows the scheduled runs
	return w.planPatiently(ctx, &planner)
}

// recorded are the runs on record.
type recorded struct{ c *pages }

// settled is for how long a file must not have changed for its time of change to
// tell it from what comes next.
const settled = 100 * time.Millisecond

// Stamp tells by the file's size and time of change.
func (r recorded) Stamp() string {
	info, err := os.Stat(r.c.path())
	if errors.Is(err, os.ErrNotExist) {
		return "none"
	}
	if err != nil || r.c.program.now().Sub(info.ModTime()) < settled {
		return ""
	}
	return strconv.FormatInt(info.ModTime().UnixNano(), 36) + " " + strconv.FormatInt(info.Size(), 36)
}

// After is [state.RunsAfter].
func (r recorded) After(run uint64, limit int) ([]diff.Run, error) {
	return state.RunsAfter(r.c.path(), run, limit)
}

// Page is [state.RunsPage].
func (r recorded) Page(q console.RunQuery) ([]diff.Run, uint64, error) {
	return state.RunsPage(r.c.path(), state.RunQuery(q))
}

// One is [state.RunDetail].
func (r recorded) One(run uint64) (*diff.Run, error) { return state.RunDetail(r.c.path(), run) }

// audited is what changed in one pipeline's table.
type audited struct{ *state.Reader }

// Changes is that of the reader.
func (a audited) Changes(q console.ChangeQuery, at console.Place) ([]diff.Version, *console.Place, error) {
	changes, next, err := a.ChangesPage(state.Query(q), state.Place(at))
	return changes, (*console.Place)(next), err
}

// History is that of the reader.
func (a audited) History(key diff.Key, before uint64, limit int) ([]diff.Version, uint64, error) {
	return a.HistoryPage(key, before, limit)
}

// Rows is that of the reader.
func (a audited) Rows(run uint64, from diff.Key, limit int) ([]string, []diff.Row, diff.Key, error) {
	return a.RowsPage(run, from, limit)
}

// Compare is that of the reader.
func (a audited) Compare(from, to uint64, key diff.Key, limit int) ([]string, []diff.Change, diff.Key, error) {
	return a.ComparePage(from, to, key, limit)
}

// steered is the scheduler as the console sees it.
type steered struct{ *schedule.Scheduler }

// Jobs is that of the scheduler.
func (s steered) Jobs() (jobs []console.Job) {
	for _, j := range s.Scheduler.Jobs() {
		jobs = append(jobs, console.Job{Name: j.Name, Paused: j.Paused, Running: j.Running, Failures: j.Failures, Due: j.Due})
	}
	return jobs
}

// reportPieces shows values as reports do.
type reportPieces struct{}

// Shown is that of reports.
func (reportPieces) Shown(text string) []console.Piece { return pieces(report.Shown(text)) }

// Compared is that of reports.
func (reportPieces) Compared(before, after string) (old, now []console.Piece) {
	x, y := report.Compared(before, after)
	return pieces(x), pieces(y)
}

func pieces(from []report.Piece) []console.Piece {
	to := make([]console.Piece, len(from))
	for i, p := range from {
		to[i] = console.Piece(p)
	}
	return to
}

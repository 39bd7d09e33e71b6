package console

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"jstsync/diff"
	"jstsync/internal/lang"
)

// Runs are the records of past runs. Each method is one short section in which
// the state file is open.
type Runs interface {
	// Stamp differs whenever anything on record may; "" where that cannot be told.
	Stamp() string

	// After returns at most limit runs with a higher number, oldest first, with
	// their calls as far as they are kept.
	After(run uint64, limit int) ([]diff.Run, error)

	// Page returns the newest selected runs; next is the Before of the page after
	// it, 0 at the end.
	Page(q RunQuery) (runs []diff.Run, next uint64, err error)

	// One returns a run with its calls, nil when it is not on record.
	One(run uint64) (*diff.Run, error)
}

// RunQuery selects runs.
type RunQuery struct {
	Before   uint64 // only lower numbers; 0 is no bound
	Pipeline string // "" is any
	Status   diff.Status
	Limit    int
}

// Audit is what changed in one pipeline's table. Each method is one short
// section, whatever it finds: a page may be short and not be the last.
type Audit interface {
	// Changes returns changes from a place on, newest run first.
	Changes(q ChangeQuery, at Place) (changes []diff.Version, next *Place, err error)

	// History returns versions of a record made by runs below before, 0 standing
	// for above all, newest first; next is the before of the page after it.
	History(key diff.Key, before uint64, limit int) (versions []diff.Version, next uint64, err error)

	// Rows returns rows of the state after a run, from a key on.
	Rows(run uint64, from diff.Key, limit int) (columns []string, rows []diff.Row, next diff.Key, err error)

	// Compare returns the net difference between the states after two runs.
	Compare(from, to uint64, key diff.Key, limit int) (columns []string, changes []diff.Change, next diff.Key, err error)

	// RunAt returns the last commit at or before the time, 0 when there was none.
	RunAt(t time.Time) (uint64, error)

	// Quarantine returns the records that are set aside, each since when.
	Quarantine() ([]diff.SetAside, error)
}

// ChangeQuery selects changes. Its zero value selects all.
type ChangeQuery struct {
	Since, Until     time.Time
	FromRun, UpToRun uint64
	Key              diff.Key
	Field            string
	Ops              []diff.Op
	Limit            int
}

// Place is where a page of changes begins; the zero one is the newest.
type Place struct {
	Run uint64
	Key diff.Key
}

// Job is how a pipeline's schedule stands.
type Job struct {
	Name            string
	Paused, Running bool
	Failures        int       // in a row
	Due             time.Time // zero before the first run
}

// Scheduler is what runs the pipelines. The methods that steer report whether
// there is such a pipeline.
type Scheduler interface {
	Jobs() []Job
	Pause(pipeline string) bool
	Resume(pipeline string) bool
	RunNow(pipeline string) bool
}

// Pipeline is what the console knows of a pipeline's settings.
type Pipeline struct {
	Name    string
	Budget  string // names what its API calls are counted against
	Quota   int    // calls a day that the budget allows
	Table   *diff.Table
	Expires string // the column that says when an authorisation ends; "" for none
}

// Piece is a part of a value as it is shown.
type Piece struct {
	Text   string
	Mark   bool // it is in only one of the two values compared
	Escape bool // it stands for a character that cannot be shown
}

// Writing is how values are taken apart to be shown.
type Writing interface {
	// Shown returns a text as it can be shown.
	Shown(text string) []Piece
	// Compared returns two texts with what they do not share marked.
	Compared(before, after string) (old, now []Piece)
}

// Settings are those in effect. They may be others for each page.
type Settings struct {
	Token     string // "" asks for none, and answers this machine only
	Language  lang.Language
	Zone      *time.Location
	Pipelines []Pipeline
	Warning   time.Duration // how long before its end an authorisation is told of
}

// Options are what a [Console] is made of.
type Options struct {
	Settings  func() Settings
	Runs      Runs
	Audit     func(pipeline string) Audit
	Scheduler Scheduler
	Writing   Writing

	// DryRun makes a plan, which the caller closes, and writes nothing.
	DryRun func(ctx context.Context, pipeline string) (*diff.Plan, error)
	// Key reads the external form of a key of the pipeline.
	Key func(pipeline, text string) (diff.Key, error)
	// When reads a run, a time or a phrase; run is 0 for a time. A day stands for
	// its last moment where it is an end.
	When func(text string, end bool) (run uint64, at time.Time, err error)
	// Ends reads when an authorisation ends; it is not ok where it never does.
	Ends func(text string) (at time.Time, ok bool)
	// RateUsed returns the share of a minute's calls that was used in the last one.
	RateUsed func() float64
	// Reading is held while the state file is read.
	Reading sync.Locker
	// Context ends dry runs that are under way.
	Context context.Context //nolint:containedctx // dry runs outlive the request that asked for them
	Now     func() time.Time
	Log     *slog.Logger
	// Refused notes a request that was refused, in a bounded number of lines.
	Refused func(why string, args ...any)
}

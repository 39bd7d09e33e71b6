// Package pipeline is one run: extract, diff, guard, stage, load, finalise; and
// the recovery of a run that did not get to its end.
//
// [Planner] finds out what a run would do and can do nothing else: the
// interfaces it is given only read. [Runner] embeds it and commits; [Applier]
// commits a plan that was saved, and nothing but that. What a run
// needs of the world it declares here as small interfaces; cmd gives it the
// real ones.
//
// Guarantees: no change is committed to the target before it is staged with an intent;
// no intent is dropped or finalised before the checkpoint row said which; a
// delete is made only of a key that the source, asked for it beside one it must
// know, no longer answers, unless an empty scan is allowed by name.
//
// Non-guarantees: the caller holds the state file's run lock; two Runners at
// once on one file are not defended against here.
package pipeline

import (
	"context"
	"log/slog"
	"time"

	"jstsync/diff"
)

// Source reads the records of one resource.
type Source interface {
	// Scan reads every page once, in order, and passes each to visit, whose
	// error ends it. The records are valid until visit returns. expect is how
	// many records are likely to be there. An error means that a
	// page could not be had.
	Scan(ctx context.Context, expect int, visit func(diff.Page) error) (diff.ScanInfo, error)

	// Witness asks for records by their ids, as [Mapper.ID] gives them, beside
	// the control, which the source must know. An error means that the calls
	// failed.
	Witness(ctx context.Context, ids []diff.Key, control diff.Key) (diff.Witness, error)

	// Calls returns a record of every call attempted so far.
	Calls() []diff.Call
}

// Mapper turns records into rows.
type Mapper interface {
	// Key returns the record's key; the error wraps [diff.ErrKey].
	Key(r *diff.Record) (diff.Key, error)

	// ID returns the id by which the source is asked for the record; the error
	// wraps [diff.ErrKey].
	ID(r *diff.Record) (diff.Key, error)

	// KeyIsID reports whether keys and ids are the same.
	KeyIsID() bool

	// IDColumn returns the name of the column that holds the id.
	IDColumn() string

	// StoredID returns the id that is stored as the value in that column.
	StoredID(v diff.Value) (diff.Key, error)

	// Maps reports whether the row depends on the named member. The source hash is
	// one over these.
	Maps(member string) bool

	// Row returns the record's row, or why it cannot be stored exactly.
	Row(r *diff.Record) (diff.Row, error)

	// Stored returns what a column makes of a value that was stored before its type
	// changed; false where only the server can tell. A value of its own type stays
	// as it is.
	Stored(column int, v diff.Value) (diff.Value, bool)

	// Default returns what NULL becomes in a column, NULL when it stays.
	Default(column int) diff.Value

	// Broken returns the data-quality rules that the record breaks.
	Broken(r *diff.Record) []diff.BrokenRule

	// Uniques returns the rules that compare rows with each other.
	Uniques() []diff.UniqueRule
}

// Mapping is a mapper and what identifies it.
type Mapping struct {
	Mapper
	Table       *diff.Table
	Fingerprint string // of the mapping and the definition of the hash
}

// Snapshots reads the state of one pipeline. Every error is of [diff.CodeState].
type Snapshots interface {
	Stock

	// Snapshot returns the head, the unfinished run and the index.
	Snapshot() (*diff.Snapshot, error)

	// Images returns the stored rows of those of the keys that have one.
	Images(keys []diff.Key, columns []string) (map[diff.Key]diff.Row, error)

	// Missing returns, in order, the keys of the snapshot that the index has
	// not observed, and counts the adopted ones among them instead.
	Missing(seen *diff.Index) (keys []diff.Key, foreign int, err error)
}

// Journal writes the state of one pipeline. After an error the outcome of the
// write is unknown and the process must end.
type Journal interface {
	// Open creates what is absent and returns the head.
	Open() (diff.Head, error)

	// Stage makes the intent, the changes and the pending record durable.
	Stage(in *diff.Intent, plan *diff.Plan, run *diff.Run) error

	// Finalise turns what is staged into the snapshot; the run is committed.
	Finalise(in *diff.Intent, ended time.Time) error

	// Abort drops what is staged. The run can no longer commit, or it is past
	// deciding; as says which.
	Abort(in *diff.Intent, as diff.Status, ended time.Time, why string) error

	// Record adds the record of a run that changed nothing.
	Record(run *diff.Run, rehashed []diff.Rehash) error
}

// Target is the table to keep in step.
type Target interface {
	// Connect opens a session on one connection.
	Connect(ctx context.Context) (Session, error)

	// Resolve reports whether the intent is committed, and when it is not,
	// makes sure that it never will be. Errors: [diff.CodeInDoubt],
	// [diff.CodeDiverged]; the intent then stands.
	Resolve(ctx context.Context, in *diff.Intent) (committed bool, err error)
}

// Session is one connection to the target.
type Session interface {
	// Begin returns the checkpoint row, which is the head's; an empty head
	// claims it. Errors: [diff.CodeDiverged] when it is not the head's.
	Begin(ctx context.Context, head diff.Head) (diff.Checkpoint, error)

	// CheckKeys makes sure that the table tells the keys of the changes apart.
	CheckKeys(ctx context.Context, changes *diff.ChangeSet) error

	// Commit applies the changes and moves the checkpoint in one transaction,
	// whose COMMIT waits for durable: it returns once the intent is, or why it
	// cannot be. After an error its outcome is unknown.
	Commit(ctx context.Context, in *diff.Intent, changes *diff.ChangeSet, durable func() error) error

	// Close ends the connection.
	Close() error
}

// Planner finds out what a run would do. It holds nothing that could write.
type Planner struct {
	Pipeline string
	Source   Source
	Mapping  Mapping
	State    Snapshots
	Guard    diff.Guard
	Keep     bool                       // rows whose records are gone stay as they are
	Spill    func() (diff.Spill, error) // where many changes are set aside; nil keeps all in memory
	Progress func(done, total int)      // told how many records were read, of how many to be expected; nil is nobody
	Log      *slog.Logger
}

// Runner runs a pipeline.
type Runner struct {
	Planner
	Journal Journal
	Target  Target
	Trigger string
	Grace   time.Duration // for how long a commit that has begun goes on when its run is told to stop
	Now     func() time.Time
	NewID   func() diff.ID
}

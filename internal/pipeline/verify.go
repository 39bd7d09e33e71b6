package pipeline

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"jstsync/diff"
)

// Stock lists the rows of the snapshot.
type Stock interface {
	// Stored passes every row to visit, in key order, and says whether it is
	// adopted. Errors are of [diff.CodeState], or visit's.
	Stored(columns []string, visit func(key diff.Key, row diff.Row, adopted bool) error) error
}

// Inspection is a session that can compare a target with the snapshot.
type Inspection interface {
	Session

	// Claim makes the tables where there are none, and returns the checkpoint
	// row, made under the instance where there was none.
	Claim(ctx context.Context, instance diff.ID) (diff.Checkpoint, error)

	// ReadTable passes every row to visit, in key order, none where there is
	// no table, and returns the checkpoint row as of the same moment, nil when
	// there is none.
	ReadTable(ctx context.Context, visit func(diff.Key, diff.Row) error) (*diff.Checkpoint, error)

	// Repairable makes sure that the target may be brought back to the head
	// from where the row says it is. The error is of [diff.CodeDiverged].
	Repairable(cp *diff.Checkpoint, head diff.Head) error
}

// Verifier compares the target with the snapshot.
type Verifier struct {
	*Runner
	Stock   Stock
	Shared  bool // rows that the snapshot lacks are other pipelines'
	Connect func(context.Context) (Inspection, error)
}

// maxForeign is how many keys of foreign rows are named.
const maxForeign = 1000

// Drift is how a target differs from the snapshot.
type Drift struct {
	*diff.Plan            // what brings the target back; to delete is what the snapshot lacks
	Foreign    []diff.Key // the first of the rows that are nobody's of ours
	Behind     bool       // the checkpoint row is not the head's: the target went back in time

	from *diff.Checkpoint
}

// verifyTries is how often the target is read when a run comes between.
const verifyTries = 3

// Verify reads the target and compares it with the snapshot, row by row, and
// writes nothing. An unfinished run is an error of [diff.CodeUnfinished], a
// target that cannot be brought back one of [diff.CodeDiverged], a snapshot
// that moved each time the target was read one of [diff.CodeBusy].
func (v *Verifier) Verify(ctx context.Context) (*Drift, error) {
	for try := 1; ; try++ {
		snap, err := v.State.Snapshot()
		if err == nil && snap.Intent != nil {
			err = v.unfinished(snap.Intent)
		} else if err == nil {
			err = v.requireRun(snap)
		}
		if err != nil {
			return v.newDrift(&diff.Snapshot{}), err
		}
		session, err := v.Connect(ctx)
		if err != nil {
			return v.newDrift(snap), interrupted(ctx, err)
		}
		drift, err := v.verify(ctx, session, snap)
		err = errors.Join(err, session.Close())
		now, nowErr := v.State.Snapshot()
		if nowErr != nil {
			return drift, errors.Join(err, nowErr)
		}
		if now.Head.Same(snap.Head) {
			return drift, interrupted(ctx, err)
		}
		if try == verifyTries {
			return drift, &diff.Error{
				Code: diff.CodeBusy, Message: fmt.Sprintf("the snapshot of pipeline %s moved each of %d times that its table was read", v.Pipeline, try),
				Remedy: "run jstsync verify again between two runs",
			}
		}
		if err := drift.Changes.Close(); err != nil {
			return drift, err
		}
	}
}

// requireRun makes sure that there is a snapshot to compare with: without one
// every row of the table would be one too many.
func (v *Verifier) requireRun(snap *diff.Snapshot) error {
	if !snap.Head.IsEmpty() {
		return nil
	}
	return &diff.Error{
		Code: diff.CodeFailed, Message: fmt.Sprintf("pipeline %s has committed no run yet, so there is nothing to compare its table with", v.Pipeline),
		Remedy: "run jstsync sync, or adopt the rows of an existing table with jstsync state rebuild",
	}
}

func (v *Verifier) newDrift(snap *diff.Snapshot) *Drift {
	plan := v.newPlan(snap)
	plan.Fingerprint = snap.Fingerprint // no record is mapped here
	plan.Scan.Verdict = diff.Complete
	return &Drift{Plan: plan}
}

// verify compares the target with the snapshot over one session.
func (v *Verifier) verify(ctx context.Context, session Inspection, snap *diff.Snapshot) (*Drift, error) {
	d := v.newDrift(snap)
	if snap.Fingerprint != "" && snap.Fingerprint != v.Mapping.Fingerprint {
		return d, &diff.Error{
			Code: diff.CodeFailed, Message: fmt.Sprintf("the mapping of pipeline %s changed since its last run", v.Pipeline),
			Remedy: "run jstsync sync first, which brings the snapshot up to it",
		}
	}
	next, stop := iter.Pull2(v.stored())
	defer stop()
	m := &merge{drift: d, mapping: &v.Mapping, shared: v.Shared, next: next}
	if err := m.advance(); err != nil {
		return d, err
	}
	var err error
	if d.from, err = session.ReadTable(ctx, m.row); err != nil {
		return d, err
	}
	for m.more {
		if err := m.missing(); err != nil {
			return d, err
		}
	}
	d.Summary = m.summary
	d.Summary.Insert, d.Summary.Update, d.Summary.Delete = d.Changes.Count(diff.Insert), d.Changes.Count(diff.Update), d.Changes.Count(diff.Delete)
	d.Behind = d.from == nil && !snap.Head.IsEmpty() || d.from != nil && !d.from.Same(snap.Head)
	d.Status = diff.Unchanged
	if d.Changes.Len() > 0 || d.Behind {
		d.Status = diff.Planned
	}
	return d, errors.Join(session.Repairable(d.from, snap.Head), d.Changes.Err())
}

// inStock is a row of the snapshot.
type inStock struct {
	key     diff.Key
	row     diff.Row
	adopted bool
}

var errStop = errors.New("enough")

// stored lists the rows of the snapshot.
func (v *Verifier) stored() iter.Seq2[inStock, error] {
	return func(yield func(inStock, error) bool) {
		err := v.Stock.Stored(v.Mapping.Table.Names(), func(key diff.Key, row diff.Row, adopted bool) error {
			if !yield(inStock{key, row, adopted}, nil) {
				return errStop
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStop) {
			yield(inStock{}, err)
		}
	}
}

// merge walks through the rows of target and snapshot, both in key order.
type merge struct {
	drift   *Drift
	mapping *Mapping
	shared  bool
	summary diff.Summary
	next    func() (inStock, error, bool)

	stock inStock // the next row of the snapshot
	more  bool    // there is one
}

func (m *merge) advance() (err error) {
	m.stock, err, m.more = m.next()
	return err
}

// row compares a row of the target with what the snapshot has.
func (m *merge) row(key diff.Key, row diff.Row) error {
	m.summary.Read++
	for m.more && m.stock.key < key {
		if err := m.missing(); err != nil {
			return err
		}
	}
	if !m.more || m.stock.key > key {
		if m.shared {
			m.foreign(key)
			return nil
		}
		m.drift.Changes.Add(diff.Change{Op: diff.Delete, Key: key, Before: row}, 0)
		return nil
	}
	for i := range row {
		if m.stock.row[i] == row[i] {
			continue
		}
		v, known := m.mapping.Stored(i, m.stock.row[i])
		if m.stock.row[i] = v; !known || m.unwritten(i) {
			m.stock.row[i] = row[i]
		}
	}
	switch c, differs := diff.Compare(key, row, m.stock.row); {
	case m.stock.adopted:
		m.foreign(key)
	case differs:
		m.drift.Changes.Add(c, 0)
	default:
		m.summary.Unchanged++
	}
	return m.advance()
}

// unwritten reports whether no run has written the column of the row: one that
// was not mapped since the column came has NULL where the mapping gives none.
// What is there is the server's business.
func (m *merge) unwritten(column int) bool {
	c := &m.mapping.Table.Columns[column]
	return m.stock.row[column].IsNull() && (c.NotNull || c.Default != nil)
}

// missing deals with a row of the snapshot that the target lacks.
func (m *merge) missing() error {
	for i := range m.stock.row {
		if v, known := m.mapping.Stored(i, m.stock.row[i]); known {
			m.stock.row[i] = v
		}
		if m.unwritten(i) {
			m.stock.row[i] = m.preset(i)
		}
	}
	if !m.stock.adopted {
		m.drift.Changes.Add(diff.Change{Op: diff.Insert, Key: m.stock.key, After: m.stock.row}, 0)
	}
	return m.advance()
}

// preset returns what a row has in a column that no run has written: the
// mapping's default, or else what a server puts into the rows that are there when
// a column comes that takes no NULL. For dates there is none.
func (m *merge) preset(column int) diff.Value {
	v := m.mapping.Default(column)
	if !v.IsNull() {
		return v
	}
	switch m.mapping.Table.Columns[column].Type.Base {
	case diff.VarChar, diff.LongText:
		return diff.TextValue("")
	case diff.BigInt, diff.Integer, diff.Bool, diff.Decimal:
		v, _ = m.mapping.Stored(column, diff.IntValue(0))
	}
	return v
}

func (m *merge) foreign(key diff.Key) {
	if m.summary.Foreign++; len(m.drift.Foreign) < maxForeign {
		m.drift.Foreign = append(m.drift.Foreign, key)
	}
}

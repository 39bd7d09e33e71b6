package load

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"jstsync/diff"
	"jstsync/internal/fault"
)

// commitTimeout is [Target]'s patience in earnest.
const commitTimeout = 30 * time.Second

// Commit sends the change set in one transaction: first the checkpoint row
// moves from the intent's base to the intent, which fences every other writer
// and must match; then deletes, updates and inserts, each in key order, their
// matched rows checked; then the table of changes, if one is named; then
// COMMIT. Before it, [Session.CheckKeys] looks at
// the set, unless it has. A transaction that the server gave up for reasons
// that pass, or whose connection was lost before COMMIT, is sent again as it
// is on a new connection, a bounded number of times.
//
// COMMIT waits for durable, which returns once the intent is, or why it cannot
// be. What is sent before has no effect without COMMIT, and may be sent while
// the intent is on its way.
//
// An error says nothing sure about the outcome: [Target.Resolve] does. A row
// that does not match is of [diff.CodeDiverged]; a first run that finds rows
// in the table is of [diff.CodeForeignRows].
func (s *Session) Commit(ctx context.Context, in *diff.Intent, changes *diff.ChangeSet, durable func() error) error {
	err := s.CheckKeys(ctx, changes)
	if err == nil {
		err = s.send(ctx, in, func() error { return s.transact(ctx, in, changes, durable) })
	}
	if err == errMoved { //nolint:errorlint // as it is made below: nobody wraps it
		err = s.target.moved()
	}
	if err != nil {
		return errors.Join(s.target.failure("write table "+s.target.table.Name, err), s.Close())
	}
	return nil
}

func (s *Session) transact(ctx context.Context, in *diff.Intent, changes *diff.ChangeSet, durable func() error) error {
	w, err := s.newWriter(ctx, in, changes)
	if err != nil {
		return err
	}
	if err := fault.Hit(fault.TxBegin); err != nil {
		return err
	}
	if err := s.begin(ctx); err != nil {
		return err
	}
	if err := fault.Hit(fault.TxBegun); err != nil {
		return err
	}
	if err := s.moveCheckpoint(ctx, &in.From, in); err != nil {
		return err
	}
	if err := fault.Hit(fault.TxFenced); err != nil {
		return err
	}
	if err := s.checkRows(ctx, in, changes); err != nil {
		return err
	}
	for _, op := range []diff.Op{diff.Delete, diff.Update, diff.Insert} {
		if changes.Count(op) == 0 {
			continue
		}
		if err := w.write(ctx, op, changes); err != nil {
			return err
		}
	}
	if err := s.writeChanges(ctx, in, changes); err != nil {
		return err
	}
	if err := s.await(ctx, durable); err != nil {
		return err
	}
	return s.sendCommit(ctx)
}

// longSilence is how long a session says nothing before it is asked whether it
// still is there.
const longSilence = time.Second

// await returns once the intent is durable. When that takes long, the server, or
// what stands before it, may have ended the session meanwhile: a transaction that
// was lost before COMMIT can be sent again.
func (s *Session) await(ctx context.Context, durable func() error) error {
	silence := time.NewTimer(longSilence)
	defer silence.Stop()
	if err := durable(); err != nil {
		return err
	}
	select {
	case <-silence.C:
		var one int
		_, err := s.one(ctx, []any{&one}, "SELECT 1")
		return err
	default:
		return nil
	}
}

// sendCommit ends the transaction, whatever the context says meanwhile; one
// that has ended already is heeded.
func (s *Session) sendCommit(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.target.patience)
	defer cancel()
	if err := fault.Hit(fault.TxCommit); err != nil {
		return err
	}
	if _, err := s.exec(bounded, "COMMIT"); err != nil {
		return &commitError{err}
	}
	if err := fault.Hit(fault.TxCommitted); err != nil {
		return &commitError{err}
	}
	return nil
}

// errMoved says that the checkpoint row is not the one that the intent builds
// upon.
var errMoved = errors.New("the checkpoint row was moved")

func (s *Session) moveCheckpoint(ctx context.Context, from *diff.Checkpoint, in *diff.Intent) error {
	n, err := s.exec(ctx, "UPDATE "+checkpointTable+
		" SET target = ?, instance = ?, seq = ?, run_id = ?, digest = ?, hash_version = ?, committed_at = ?"+
		" WHERE pipeline = ? AND instance = ? AND epoch = ? AND seq = ? AND run_id = ?",
		s.claimed(), in.Instance[:], in.Run, in.RunID[:], in.Digest[:], diff.HashVersion, in.CommittedAt.Format(datetime6),
		s.target.pipeline, from.Instance[:], from.Epoch, from.Seq, from.RunID[:])
	if err == nil && n != 1 {
		err = errMoved
	}
	return err
}

func (t *Target) moved() error {
	return &diff.Error{
		Code:    diff.CodeDiverged,
		Message: fmt.Sprintf("another writer moved the checkpoint of pipeline %s", t.pipeline),
		Remedy:  "run again; if it persists, two state files write one table",
	}
}

// checkRows makes sure, under the lock of the checkpoint row, that a first run
// does not mix its rows with somebody else's, and that a later one that
// changes rows finds any.
func (s *Session) checkRows(ctx context.Context, in *diff.Intent, changes *diff.ChangeSet) error {
	first := in.From.RunID.IsZero() && in.Kind != diff.KindRepair
	builds := changes.Count(diff.Update) > 0 || changes.Count(diff.Delete) > 0 && s.target.deletes != DeleteKeep
	if s.target.shared || !first && !builds {
		return nil
	}
	var one int
	found, err := s.one(ctx, []any{&one}, "SELECT 1 FROM "+quote(s.target.table.Name)+" LIMIT 1")
	switch {
	case err != nil:
		return err
	case first && found:
		return &diff.Error{
			Code:    diff.CodeForeignRows,
			Message: fmt.Sprintf("table %s holds rows that no run wrote", s.target.table.Name),
			Remedy:  "empty the table, name another one, or let jstsync state rebuild adopt the rows",
		}
	case !first && !found:
		return &diff.Error{
			Code:    diff.CodeDiverged,
			Message: fmt.Sprintf("table %s is empty, while this run would change or delete rows that earlier ones left in it: somebody emptied it", s.target.table.Name),
			Remedy:  "jstsync verify --repair fills it again from the snapshot",
		}
	}
	return nil
}

// writer sends the changes of a transaction in batches.
type writer struct {
	session *Session
	stmts   *statements
	bulk    *bulk  // nil where the statements of all inserts are sent as text
	at      string // what soft deletes are marked with

	sent, total int // rows
}

func (s *Session) newWriter(ctx context.Context, in *diff.Intent, changes *diff.ChangeSet) (*writer, error) {
	w := &writer{session: s, stmts: s.statements(), at: wallTime(in.CommittedAt), total: changes.Len()}
	var err error
	w.bulk, err = s.newBulk(ctx, w.stmts, changes.Count(diff.Insert))
	return w, err
}

// batch is some changes of one kind and the statement that applies them, as text
// or the one of [bulk]; none where that depends on what the table holds.
type batch struct {
	changes []diff.Change
	query   string
	bulk    bool
	args    []any
}

// write sends the changes of one kind. While the server works on one batch the
// next is made ready.
func (w *writer) write(ctx context.Context, op diff.Op, changes *diff.ChangeSet) error {
	for b, err := range ahead(w.batches(op, changes)) {
		if err != nil {
			return err
		}
		if op == diff.Insert && w.session.target.soft() {
			err = w.insertOrRevive(ctx, b.changes)
		} else {
			err = w.send(ctx, op, b)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// batches lists the changes of one kind in batches that fit a statement, as the
// target's way of deleting has it.
func (w *writer) batches(op diff.Op, changes *diff.ChangeSet) iter.Seq2[batch, error] {
	return func(yield func(batch, error) bool) {
		if op == diff.Delete && w.session.target.deletes == DeleteKeep {
			return
		}
		var part []diff.Change
		size := 0
		for c, err := range changes.Only(op) {
			if err != nil {
				yield(batch{}, err)
				return
			}
			n := w.stmts.size(&c)
			if len(part) > 0 && (size+n > w.stmts.maxBytes || len(part) >= w.stmts.maxRows(op)) {
				if !yield(w.ready(op, part), nil) {
					return
				}
				part, size = make([]diff.Change, 0, len(part)), 0
			}
			part, size = append(part, c), size+n
		}
		yield(w.ready(op, part), nil)
	}
}

// ready makes a batch with its statement.
func (w *writer) ready(op diff.Op, changes []diff.Change) batch {
	b := batch{changes: changes}
	switch soft := w.session.target.soft(); {
	case op == diff.Delete && soft:
		b.query, b.args = w.stmts.bury(changes, w.at)
	case op == diff.Insert && soft: // decided when it is sent
	case op == diff.Insert:
		return w.insert(changes)
	default:
		b.query, b.args = literals(w.stmts.build(op, changes))
	}
	return b
}

// tell says how far the sending has come.
func (w *writer) tell(sent int) {
	w.sent += sent
	if tell := w.session.target.progress; tell != nil {
		tell(w.sent, w.total)
	}
}

// send executes a batch's statement, which must match one row for each change.
func (w *writer) send(ctx context.Context, op diff.Op, b batch) error {
	if err := fault.Hit(fault.TxBatch); err != nil {
		return err
	}
	n, err := w.exec(ctx, b)
	table, batch := w.session.target.table.Name, b.changes
	span := fmt.Sprintf("keys %s to %s", batch[0].Key, batch[len(batch)-1].Key)
	if len(batch) == 1 {
		span = "key " + batch[0].Key.String()
	}
	switch {
	case number(err) == erDupEntry && w.session.target.shared:
		return w.session.notOurs(span, err)
	case number(err) == erDupEntry:
		return divergence(fmt.Sprintf("table %s already holds a row that this run would %s (%s): %v", table, op, span, err))
	case err != nil:
		return fmt.Errorf("%s %s: %w", op, span, err)
	case n != int64(len(batch)):
		return divergence(fmt.Sprintf("table %s holds %d of %d rows that this run would %s (%s): somebody else removed rows", table, n, len(batch), op, span))
	}
	w.tell(len(batch))
	return nil
}

func (w *writer) exec(ctx context.Context, b batch) (int64, error) {
	if b.bulk {
		return w.session.execute(ctx, w.bulk.statement, b.args...)
	}
	return w.session.exec(ctx, b.query, b.args...)
}

func divergence(message string) error {
	return &diff.Error{Code: diff.CodeDiverged, Message: message, Remedy: "somebody else wrote the table: jstsync verify shows what differs, jstsync verify --repair brings it back to the snapshot"}
}

package load

import (
	"context"
	"errors"
	"fmt"
	"time"

	"jstsync/diff"
	"jstsync/internal/fault"
)

// doubtLimit is [Target]'s doubt in earnest.
const doubtLimit = 30 * time.Second

// Resolve finds out what became of an intent, and when it is not committed
// makes sure that it never will be. It reports true when it is committed. It
// reports false only once the epoch of the checkpoint row was raised and that
// was committed, so that no late message of the run can take effect.
//
// The row is read under its lock: a plain read does not see a COMMIT that is
// still on its way. While the row stays locked the answer is an error of
// [diff.CodeInDoubt], which names the session that locks it where the server
// tells; a row that is neither the intent nor its base is one of
// [diff.CodeDiverged]; one that is the intent with another digest is one of
// [diff.CodeState]. After any of them the intent stands.
func (t *Target) Resolve(ctx context.Context, in *diff.Intent) (committed bool, err error) {
	caller := ctx
	ctx, cancel := context.WithTimeout(ctx, t.doubt)
	defer cancel()
	locked := false
	for {
		committed, err = t.resolveOnce(ctx, in)
		if code := diff.CodeOf(err); err == nil || code == diff.CodeDiverged || code == diff.CodeState {
			return committed, err
		}
		locked = locked || number(err) == erLockWait
		t.log.Warn("run in doubt, asking again", "run", in.Run, "err", err)
		if sleep(ctx, time.Second) != nil {
			blocker := ""
			if caller.Err() == nil && (locked || number(err) == 0) {
				blocker = t.blocker(caller)
			}
			return false, t.inDoubt(in, blocker, err)
		}
	}
}

func (t *Target) inDoubt(in *diff.Intent, blocker string, err error) error {
	e := &diff.Error{
		Code:    diff.CodeInDoubt,
		Message: fmt.Sprintf("run %d of pipeline %s is still in doubt", in.Run, t.pipeline),
		Err:     err,
		Remedy:  fmt.Sprintf("make the server reachable, or end the session that locks the row of %s (SHOW PROCESSLIST; KILL), then run again", checkpointTable),
	}
	if blocker != "" {
		e.Message += ": " + blocker + " locks the row of " + checkpointTable
		e.Remedy = "let that session end, or KILL it, then run again"
	}
	return e
}

func (t *Target) resolveOnce(ctx context.Context, in *diff.Intent) (committed bool, err error) {
	s, err := t.Connect(ctx)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.begin(ctx); err != nil {
		return false, t.failure("begin", err)
	}
	if err := fault.Hit(fault.ResolveLock); err != nil {
		return false, err
	}
	cp, err := s.readCheckpoint(ctx, " FOR UPDATE")
	if err != nil && number(err) != erNoSuchTable { // without a table, the row is absent
		return false, t.failure("lock the row of "+checkpointTable, err)
	}
	switch {
	case cp != nil && cp.RunID == in.RunID && cp.Digest != in.Digest:
		return false, t.damaged(in)
	case cp != nil && cp.RunID == in.RunID:
		return true, nil
	case cp != nil && cp.Same(in.From.Head):
		return false, s.raiseEpoch(ctx, cp)
	default:
		return false, t.lost(in, cp)
	}
}

// raiseEpoch makes every transaction that still names the old epoch match
// nothing.
func (s *Session) raiseEpoch(ctx context.Context, cp *diff.Checkpoint) error {
	if err := fault.Hit(fault.ResolveBump); err != nil {
		return err
	}
	n, err := s.exec(ctx, "UPDATE "+checkpointTable+
		" SET epoch = epoch + 1 WHERE pipeline = ? AND instance = ? AND epoch = ? AND seq = ? AND run_id = ?",
		s.target.pipeline, cp.Instance[:], cp.Epoch, cp.Seq, cp.RunID[:])
	if err == nil && n != 1 {
		err = fmt.Errorf("raise epoch: matched %d rows", n)
	}
	if err == nil {
		_, err = s.exec(ctx, "COMMIT")
	}
	if err == nil {
		err = fault.Hit(fault.ResolveBumped)
	}
	if err != nil {
		return s.target.failure("raise the epoch in "+checkpointTable, err)
	}
	return nil
}

// damaged says that one run has two digests: what decides is sound, so one of
// the two stores is not.
func (t *Target) damaged(in *diff.Intent) error {
	return &diff.Error{
		Code: diff.CodeState,
		Message: fmt.Sprintf("run %d of pipeline %s is committed, but the digest in %s is not that of the changes staged in the state file: one of them is damaged",
			in.Run, t.pipeline, checkpointTable),
		Remedy: "keep a copy of the state file and see jstsync state check; jstsync state rebuild takes the target over as it is",
	}
}

package load

import (
	"context"

	"jstsync/diff"
)

const selectCheckpoint = "SELECT target, instance, epoch, seq, run_id, digest FROM " + checkpointTable + " WHERE pipeline = ?"

// datetime6 is how DATETIME(6) values are written.
const datetime6 = "2006-01-02 15:04:05.000000"

// readCheckpoint returns the pipeline's row, or nil when there is none.
func (s *Session) readCheckpoint(ctx context.Context, suffix string) (*diff.Checkpoint, error) {
	var cp diff.Checkpoint
	var instance, runID, digest []byte
	found, err := s.one(ctx, []any{&cp.Target, &instance, &cp.Epoch, &cp.Seq, &runID, &digest}, selectCheckpoint+suffix, s.target.pipeline)
	if err != nil || !found {
		return nil, err
	}
	copy(cp.Instance[:], instance)
	copy(cp.RunID[:], runID)
	copy(cp.Digest[:], digest)
	return &cp, nil
}

// Begin returns the checkpoint row, which must be the head's. An empty head
// makes the tables where there are none, and claims a row. A row that is not
// the head's, and a table that is gone, are errors of [diff.CodeDiverged];
// then nothing was changed.
func (s *Session) Begin(ctx context.Context, head diff.Head) (diff.Checkpoint, error) {
	tables, err := s.look(ctx)
	if err != nil {
		return diff.Checkpoint{}, err
	}
	var cp *diff.Checkpoint
	if !tables.noCheckpoint {
		cp, err = s.readCheckpoint(ctx, "")
	}
	switch {
	case err != nil:
	case cp != nil || !head.IsEmpty():
		err = s.compare(cp, head, tables)
	}
	if err == nil && head.IsEmpty() {
		err = s.create(ctx, tables)
	}
	if err == nil && cp == nil {
		if cp, err = s.claim(ctx, head.Instance); err == nil {
			err = s.compare(cp, head, tables)
		}
	}
	if err == nil {
		err = s.ensureChanges(ctx)
	}
	if err == nil && s.target.shared {
		s.sharers, err = s.others(ctx)
	}
	if err != nil {
		return diff.Checkpoint{}, s.target.failure("read "+checkpointTable, err)
	}
	return *cp, nil
}

package load

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"jstsync/diff"
)

const selectCheckpoint = "SELECT target, instance, epoch, seq, run_id, digest FROM " + checkpointTable + " WHERE pipeline = ?"

// datetime6 is how DATETIME(6) values are written.
const datetime6 = "2006-01-02 15:04:05.000000"

// readCheckpoint returns the pipeline's row, or nil when there is none.
func (s *Session) readCheckpoint(ctx context.Context, suffix string) (*diff.Checkpoint, error) {
	var cp diff.Checkpoint
	var instance, runID, digest []byte
	err := s.conn.QueryRowContext(ctx, selectCheckpoint+suffix, s.target.pipeline).
		Scan(&cp.Target, &instance, &cp.Epoch, &cp.Seq, &runID, &digest)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil //nolint:nilnil // an absent row is one of the documented cases
	}
	if err != nil {
		return nil, err
	}
	copy(cp.Instance[:], instance)
	copy(cp.RunID[:], runID)
	copy(cp.Digest[:], digest)
	return &cp, nil
}

// Begin makes sure of the tables and returns the checkpoint row, which must be
// the head's. An empty head claims a row when there is none. A row that is not
// the head's is an error of [diff.CodeDiverged].
func (s *Session) Begin(ctx context.Context, head diff.Head) (diff.Checkpoint, error) {
	if err := s.ensureTables(ctx); err != nil {
		return diff.Checkpoint{}, err
	}
	cp, err := s.readCheckpoint(ctx, "")
	if err == nil && cp == nil && head.IsEmpty() {
		cp, err = s.claim(ctx, head.Instance)
	}
	if err == nil && s.target.shared {
		s.sharers, err = s.others(ctx)
	}
	if err != nil {
		return diff.Checkpoint{}, s.target.failure("read "+checkpointTable, err)
	}
	if err := s.compare(cp, head); err != nil {
		return diff.Checkpoint{}, err
	}
	return *cp, nil
}

// compare says what it means when the row is not the head's.
func (s *Session) compare(cp *diff.Checkpoint, head diff.Head) error {
	e := &diff.Error{Code: diff.CodeDiverged}
	where := fmt.Sprintf("%s in database %s", checkpointTable, s.target.cfg.DBName)
	switch {
	case cp != nil && cp.Same(head) && cp.Target == s.claimed():
		return nil
	case cp == nil:
		e.Message = fmt.Sprintf("%s has no row for pipeline %s, which this state file left at run %d: the target was lost, restored from before the first run, or is another server", where, s.target.pipeline, head.Seq)
		e.Remedy = "check target.dsn (MYSQL_DSN); jstsync state rebuild starts from the table as it is"
	case cp.Target == s.otherForm():
		return s.otherSharing(cp)
	case cp.Target != s.claimed():
		e.Message = fmt.Sprintf("%s says that pipeline %s owns table %s, not %s", where, s.target.pipeline, tableOf(cp.Target, s.target.pipeline), s.target.table.Name)
		e.Remedy = "rename the pipeline, or give it back its table"
	case cp.Instance == head.Instance && cp.Seq < head.Seq:
		e.Message = fmt.Sprintf("%s is at run %d, this state file is at run %d: the target was restored or failed over with loss", where, cp.Seq, head.Seq)
		e.Remedy = "check target.dsn (MYSQL_DSN); jstsync state rebuild starts from the table as it is, and the next sync brings it up to the source"
	case cp.Instance == head.Instance:
		e.Message = fmt.Sprintf("%s is at run %d, this state file is at run %d: a copy of this state file has written, or this is an old copy", where, cp.Seq, head.Seq)
		e.Remedy = "use the newest state file; jstsync state rebuild takes the target over with this one"
	default:
		e.Message = fmt.Sprintf("%s says that another state file owns the rows of pipeline %s", where, s.target.pipeline)
		e.Remedy = "use that state file (setting state, JSTSYNC_STATE), or take the target over with jstsync state rebuild"
	}
	return e
}

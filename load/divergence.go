package load

import (
	"errors"
	"fmt"

	"jstsync/diff"
)

// What to do when the target is not what the state file left.
const (
	remedyLost   = "check target.dsn (MYSQL_DSN); jstsync verify --repair brings the target back to the snapshot, jstsync state rebuild starts from the table as it is"
	remedyBehind = "check target.dsn (MYSQL_DSN); jstsync verify --repair brings the target back to the snapshot"
	remedyCopy   = "use the newest state file; jstsync state rebuild takes the target over with this one"
	remedyOwner  = "use that state file (setting state, JSTSYNC_STATE), or take the target over with jstsync state rebuild"
)

func diverged(remedy, format string, args ...any) error {
	return &diff.Error{Code: diff.CodeDiverged, Message: fmt.Sprintf(format, args...), Remedy: remedy}
}

// row names where the checkpoint row is.
func (t *Target) row() string { return fmt.Sprintf("%s in database %s", checkpointTable, t.cfg.DBName) }

// behind reports whether the row is where this state file left it earlier than
// at the given head: at another commit of the file's own, or at none under the
// file's own instance.
func (t *Target) behind(cp *diff.Checkpoint, head diff.Head) (bool, error) {
	ours := cp.Instance == head.Instance
	switch {
	case cp.RunID == head.RunID:
		return false, nil
	case cp.RunID.IsZero():
		return ours, nil
	case t.commits == nil:
		return ours && cp.Seq < head.Seq, nil
	}
	known, err := t.commits(cp.RunID)
	if _, ok := errors.AsType[*diff.Error](err); err == nil || ok {
		return known, err
	}
	return false, &diff.Error{Code: diff.CodeState, Message: fmt.Sprintf("look for run %s in the state file", cp.RunID), Err: err, Remedy: "see jstsync state check"}
}

// Repairable makes sure that the row, as [Session.ReadTable] read it, is one
// from which the target may be brought back to the head: the head's, an earlier
// one of this state file, or none at all. Any other is an error of
// [diff.CodeDiverged].
func (s *Session) Repairable(cp *diff.Checkpoint, head diff.Head) error {
	if cp == nil || cp.Target == s.claimed() && cp.Same(head) {
		return nil
	}
	if cp.Target == s.claimed() {
		if behind, err := s.target.behind(cp, head); err != nil || behind {
			return err
		}
	}
	return s.compare(cp, head, tables{})
}

// compare says what it means when the row is not the head's, or is, and the
// table is gone.
func (s *Session) compare(cp *diff.Checkpoint, head diff.Head, found tables) error {
	t := s.target
	switch {
	case cp == nil && found.noCheckpoint:
		return diverged(remedyLost, "database %s has no table %s, while this state file is at run %d: the table was dropped, the target was lost, restored from before the first run, or is another server",
			t.cfg.DBName, checkpointTable, head.Seq)
	case cp == nil:
		return diverged(remedyLost, "%s has no row for pipeline %s, which this state file left at run %d: the target was lost, restored from before the first run, or is another server",
			t.row(), t.pipeline, head.Seq)
	case cp.Target == s.otherForm():
		return s.otherSharing(cp)
	case cp.Target != s.claimed():
		return diverged("rename the pipeline, or give it back its table", "%s says that pipeline %s owns table %s, not %s",
			t.row(), t.pipeline, tableOf(cp.Target, t.pipeline), t.table.Name)
	case cp.Same(head) && !head.IsEmpty() && found.noTarget:
		return diverged("jstsync verify --repair creates it again and fills it from the snapshot",
			"table %s does not exist, while %s says that run %d left rows in it: somebody dropped or renamed it", t.table.Name, checkpointTable, head.Seq)
	case cp.Same(head):
		return nil
	}
	behind, err := t.behind(cp, head)
	switch {
	case err != nil:
		return err
	case behind:
		return diverged(remedyBehind, "%s is at run %d, this state file is at run %d: the target was restored or failed over with loss, or is another server", t.row(), cp.Seq, head.Seq)
	case cp.Instance == head.Instance:
		return diverged(remedyCopy, "%s is at run %d, this state file is at run %d: a copy of this state file has written, or this is an old copy", t.row(), cp.Seq, head.Seq)
	}
	return diverged(remedyOwner, "%s says that another state file owns the rows of pipeline %s", t.row(), t.pipeline)
}

// lost says what it means when the row is neither the intent's nor its base.
func (t *Target) lost(in *diff.Intent, cp *diff.Checkpoint) error {
	unfinished := fmt.Sprintf("unfinished run %d of pipeline %s cannot be decided", in.Run, t.pipeline)
	if cp == nil {
		return diverged(remedyLost, "%s: %s has no row for it: the target was lost, restored from before the first run, or is another server", unfinished, t.row())
	}
	behind, err := t.behind(cp, in.From.Head)
	switch {
	case err != nil:
		return err
	case behind && cp.Seq < in.From.Seq:
		return diverged(remedyBehind, "%s: %s is at run %d, older than run %d that it builds upon: the target was restored or failed over with loss, or is another server",
			unfinished, t.row(), cp.Seq, in.From.Seq)
	}
	return diverged("if this state file is a copy, use the newest one; jstsync state rebuild takes the target over as it is",
		"%s: %s is at run %d, neither the run nor its base (run %d): another writer was there, and the run may have been committed before that",
		unfinished, t.row(), cp.Seq, in.From.Seq)
}

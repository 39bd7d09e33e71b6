package load

import (
	"context"
	"errors"

	"jstsync/diff"
)

// Standing compares the pipeline's checkpoint row with what its state file says:
// the head, and the unfinished run if there is one. It writes nothing and takes
// no lock, so that a row may move while it looks. The error is one of the server
// or the connection: that the two differ is a finding.
func (s *Session) Standing(ctx context.Context, head diff.Head, in *diff.Intent) ([]diff.Finding, error) {
	kinds, err := s.kinds(ctx, s.name, checkpointTable)
	if err != nil {
		return nil, s.target.failure("look for tables", err)
	}
	var found tables
	_, ok := kinds[checkpointTable]
	found.noCheckpoint = !ok
	_, ok = kinds[s.name]
	found.noTarget = !ok
	var cp *diff.Checkpoint
	if !found.noCheckpoint {
		if cp, err = s.Checkpoint(ctx); err != nil {
			return nil, err
		}
	}
	v := &survey{Session: s}
	switch {
	case in != nil:
		err = v.unfinished(in, cp)
	case cp != nil || !head.IsEmpty():
		if err = s.compare(cp, head, found); err == nil && !head.IsEmpty() {
			v.stands(diff.SeverityOK, diff.Say("is at run %d, as the state file", head.Seq), diff.Phrase{})
		}
	}
	if err == nil && in == nil && head.IsEmpty() {
		err = v.first(ctx, cp, found)
	}
	if e, ok := errors.AsType[*diff.Error](err); ok && (e.Code == diff.CodeDiverged || e.Code == diff.CodeState) {
		v.stands(diff.SeverityError, diff.Say(e.Error()), diff.Say(e.Remedy))
		err = nil
	}
	return v.found, err
}

func (s *survey) stands(severity diff.Severity, evidence, remedy diff.Phrase) {
	s.add(severity, "checkpoint", checkpointTable, evidence, remedy)
}

// unfinished says what the next run will find out about the unfinished one.
func (s *survey) unfinished(in *diff.Intent, cp *diff.Checkpoint) error {
	switch {
	case cp != nil && cp.RunID == in.RunID && cp.Digest != in.Digest:
		return s.target.damaged(in)
	case cp != nil && cp.RunID == in.RunID:
		s.stands(diff.SeverityNote, diff.Say("run %d is committed here, and unfinished in the state file", in.Run), diff.Say("the next jstsync sync finishes it"))
	case cp != nil && cp.Same(in.From.Head):
		s.stands(diff.SeverityNote, diff.Say("run %d is unfinished in the state file, and not committed here", in.Run), diff.Say("the next jstsync sync decides it"))
	default:
		return s.target.lost(in, cp)
	}
	return nil
}

// first looks for what a first run would meet.
func (s *survey) first(ctx context.Context, cp *diff.Checkpoint, found tables) error {
	if cp == nil && !found.noCheckpoint {
		taken, err := s.taken(ctx)
		if err == nil && taken {
			err = s.refused(ctx)
		}
		if err != nil {
			return s.target.failure("read "+checkpointTable, err)
		}
	}
	if !found.noTarget && !s.target.shared {
		var one int
		filled, err := s.one(ctx, []any{&one}, "SELECT 1 FROM "+quote(s.target.table.Name)+" LIMIT 1")
		if err != nil {
			return s.target.failure("read table "+s.target.table.Name, err)
		}
		if filled {
			s.add(diff.SeverityError, "foreign_rows", s.target.table.Name, diff.Say("holds rows that no run wrote"),
				diff.Say("empty the table, name another one, or let jstsync state rebuild adopt the rows"))
			return nil
		}
	}
	s.stands(diff.SeverityOK, diff.Say("has no run of the pipeline yet, as the state file"), diff.Phrase{})
	return nil
}

// taken reports whether a claim of the table would be refused, as that of
// [Session.Begin] is.
func (s *Session) taken(ctx context.Context) (bool, error) {
	taken := false
	err := s.each(ctx, func(scan func(...any) error) error {
		var pipeline, claim string
		err := scan(&pipeline, &claim)
		if err == nil && tableOf(claim, pipeline) == s.name {
			taken = taken || !s.target.shared || claim == s.name
		}
		return err
	}, "SELECT pipeline, target FROM "+checkpointTable)
	return taken, err
}

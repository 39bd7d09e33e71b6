package load

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"jstsync/diff"
)

// Claim makes sure of the tables and of a checkpoint row for the pipeline, and
// returns it: one under the given instance where there was none. A rebuild
// claims before it reads, so that it can be decided whenever it is cut off.
func (s *Session) Claim(ctx context.Context, instance diff.ID) (diff.Checkpoint, error) {
	if err := s.ensureTables(ctx); err != nil {
		return diff.Checkpoint{}, err
	}
	cp, err := s.readCheckpoint(ctx, "")
	if err == nil && cp == nil {
		cp, err = s.claim(ctx, instance)
	}
	if err != nil {
		return diff.Checkpoint{}, s.target.failure("claim a row of "+checkpointTable, err)
	}
	return *cp, s.claims(cp)
}

// claims makes sure that the row is of this table, in whichever form.
func (s *Session) claims(cp *diff.Checkpoint) error {
	if table := tableOf(cp.Target, s.target.pipeline); table != s.name {
		return &diff.Error{
			Code:    diff.CodeDiverged,
			Message: fmt.Sprintf("%s says that pipeline %s owns table %s, not %s", checkpointTable, s.target.pipeline, table, s.target.table.Name),
			Remedy:  "rename the pipeline, or give it back its table",
		}
	}
	return nil
}

// TakeOver makes the pipeline's checkpoint row the intent's, in one
// transaction that writes nothing else. from is the row as [Session.ReadTable]
// read it; where that was nil, a row is claimed under the intent's instance
// first. A row that is no longer from, because somebody committed between
// reading and taking over, is an error of [diff.CodeDiverged] and nothing is
// written: start over. The transaction is sent again as that of
// [Session.Commit] is. After any other error [Target.Resolve] knows, when the
// intent's From is from. The row's earlier owner is fenced from then on.
func (s *Session) TakeOver(ctx context.Context, from *diff.Checkpoint, in *diff.Intent) error {
	from, err := s.basis(ctx, from, in)
	if err == nil {
		err = s.send(ctx, in, func() error { return s.takeOver(ctx, from, in) })
	}
	if err == errMoved { //nolint:errorlint // nobody wraps it
		err = s.movedMeanwhile()
	}
	if err != nil {
		return errors.Join(s.target.failure("take over table "+s.target.table.Name, err), s.Close())
	}
	return nil
}

// basis returns the row to take over from, and claims one when there is none.
func (s *Session) basis(ctx context.Context, from *diff.Checkpoint, in *diff.Intent) (*diff.Checkpoint, error) {
	if from == nil {
		cp, err := s.Claim(ctx, in.Instance)
		if err != nil {
			return nil, err
		}
		if !cp.Same(diff.Head{Instance: in.Instance}) {
			return nil, errMoved
		}
		from = &cp
	}
	if err := s.claims(from); err != nil {
		return nil, err
	}
	if in.Run <= from.Seq {
		return nil, fmt.Errorf("take over from run %d as run %d: the number must grow", from.Seq, in.Run)
	}
	return from, nil
}

func (s *Session) takeOver(ctx context.Context, from *diff.Checkpoint, in *diff.Intent) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	if err := s.moveCheckpoint(ctx, from, in); err != nil {
		return err
	}
	if from.Target != s.claimed() {
		if err := s.requireSameSharing(ctx); err != nil {
			return err
		}
	}
	return s.sendCommit(ctx)
}

// requireSameSharing makes sure, in the transaction that changes the form of
// this pipeline's claim, that no other pipeline has claimed the other form.
func (s *Session) requireSameSharing(ctx context.Context) error {
	var claims []string
	err := s.each(ctx, func(scan func(...any) error) error {
		var pipeline, claim string
		err := scan(&pipeline, &claim)
		other := s.name
		if !s.target.shared {
			other += "#" + pipeline
		}
		if pipeline != s.target.pipeline && claim == other {
			claims = append(claims, pipeline)
		}
		return err
	}, "SELECT pipeline, target FROM "+checkpointTable+" ORDER BY pipeline FOR UPDATE")
	if err != nil || claims == nil {
		return err
	}
	return &diff.Error{
		Code: diff.CodeDiverged,
		Message: fmt.Sprintf("table %s is also claimed by pipeline %s, which does not agree on whether it is shared",
			s.target.table.Name, strings.Join(claims, ", ")),
		Remedy: "write the same shared: for every pipeline of the table",
	}
}

func (s *Session) movedMeanwhile() error {
	return &diff.Error{
		Code:    diff.CodeDiverged,
		Message: fmt.Sprintf("another writer moved the checkpoint of pipeline %s after its table was read", s.target.pipeline),
		Remedy:  "nothing was written; run jstsync state rebuild again",
	}
}

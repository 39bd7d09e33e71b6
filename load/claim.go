package load

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"jstsync/diff"
	"jstsync/internal/fault"
)

// claimed is what the pipeline's row says in its column target: the table's
// name, so that two pipelines cannot both own it; with the pipeline's name
// behind it when they share it.
func (s *Session) claimed() string {
	if s.target.shared {
		return s.name + "#" + s.target.pipeline
	}
	return s.name
}

// otherForm is what the row would say if the table were, or were not, shared.
func (s *Session) otherForm() string {
	if s.target.shared {
		return s.name
	}
	return s.name + "#" + s.target.pipeline
}

// tableOf returns the name of the table that a pipeline's row claims.
func tableOf(claim, pipeline string) string { return strings.TrimSuffix(claim, "#"+pipeline) }

// claimTries is how often a claim that met another one is made.
const claimTries = 5

// claim inserts the pipeline's first row, on its own, and reads what then
// stands there, whatever the insert answered. In the same statement it makes
// sure that nobody claims the table in the other form.
func (s *Session) claim(ctx context.Context, instance diff.ID) (*diff.Checkpoint, error) {
	other := "target = ?"
	args := []any{s.name}
	if !s.target.shared {
		other = "target = CONCAT(?, '#', pipeline)"
	}
	query := "INSERT INTO " + checkpointTable +
		" (pipeline, target, instance, epoch, seq, run_id, digest, hash_version, committed_at)" +
		" SELECT ?, ?, ?, 1, 0, ?, ?, ?, ? FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM " + checkpointTable + " WHERE " + other + ")"
	args = append([]any{
		s.target.pipeline, s.claimed(), instance[:], make([]byte, 16), make([]byte, 32),
		diff.HashVersion, time.Unix(0, 0).UTC().Format(datetime6),
	}, args...)
	for try := 1; ; try++ {
		if err := fault.Hit(fault.ClaimInsert); err != nil {
			return nil, err
		}
		_, insertErr := s.exec(ctx, query, args...)
		insertErr = errors.Join(insertErr, fault.Hit(fault.ClaimInserted))
		if insertErr != nil { // the answer may be lost, the row may be there: look, on a connection that works
			if err := s.connect(ctx); err != nil {
				return nil, errors.Join(insertErr, err)
			}
		}
		cp, err := s.readCheckpoint(ctx, "")
		if err != nil {
			return nil, errors.Join(insertErr, err)
		}
		n := number(insertErr)
		switch {
		case cp != nil:
			return cp, nil
		case retryable(insertErr) && try < claimTries:
		case insertErr == nil, n == erDupEntry:
			return nil, s.refused(ctx)
		default:
			return nil, insertErr
		}
	}
}

// refused says who has claimed the table.
func (s *Session) refused(ctx context.Context) error {
	owners, err := s.others(ctx)
	if err != nil {
		return err
	}
	e := &diff.Error{
		Code:    diff.CodeDiverged,
		Message: fmt.Sprintf("table %s belongs to pipeline %s; %s cannot write it too", s.target.table.Name, strings.Join(owners, ", "), s.target.pipeline),
		Remedy:  "give this pipeline a table of its own, or write shared: true for every pipeline of the table",
	}
	if s.target.shared {
		e.Message += ", since not all of them say shared: true"
	}
	return e
}

// others returns the other pipelines that have claimed the table, in either
// form.
func (s *Session) others(ctx context.Context) (names []string, err error) {
	err = s.each(ctx, func(scan func(...any) error) error {
		var pipeline, claim string
		err := scan(&pipeline, &claim)
		if err == nil && pipeline != s.target.pipeline && tableOf(claim, pipeline) == s.name {
			names = append(names, pipeline)
		}
		return err
	}, "SELECT pipeline, target FROM "+checkpointTable+" ORDER BY pipeline")
	return names, err
}

// otherSharing says that the configuration changed its mind about sharing.
func (s *Session) otherSharing(cp *diff.Checkpoint) error {
	was, is := "shared", "not shared"
	if s.target.shared {
		was, is = is, was
	}
	return &diff.Error{
		Code: diff.CodeDiverged,
		Message: fmt.Sprintf("%s says that table %s is %s (%q), the configuration of pipeline %s says that it is %s",
			checkpointTable, s.target.table.Name, was, cp.Target, s.target.pipeline, is),
		Remedy: "set shared back, or take the table over as it is with jstsync state rebuild",
	}
}

// notOurs says that an insert met a row that this pipeline does not own.
func (s *Session) notOurs(span string, err error) error {
	owner := "which no other pipeline has claimed: somebody else wrote the row"
	if len(s.sharers) > 0 {
		owner = "which it shares with pipeline " + strings.Join(slices.Sorted(slices.Values(s.sharers)), ", ") + ": the key is another's"
	}
	return &diff.Error{
		Code:    diff.CodeDiverged,
		Message: fmt.Sprintf("pipeline %s would insert a row (%s) that table %s already holds, %s: %v", s.target.pipeline, span, s.target.table.Name, owner, err),
		Remedy:  "let each key come from one pipeline only, or add a column that tells the sources apart to the key",
	}
}

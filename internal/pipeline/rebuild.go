package pipeline

import (
	"context"
	"errors"

	"jstsync/diff"
)

// Takeover is a session that can take a target over from whoever wrote it.
type Takeover interface {
	Session

	// Claim returns the checkpoint row, made under the instance where there
	// was none.
	Claim(ctx context.Context, instance diff.ID) (diff.Checkpoint, error)

	// ReadTable passes every row to visit, in key order, and returns the
	// checkpoint row as of the same moment.
	ReadTable(ctx context.Context, visit func(diff.Key, diff.Row) error) (*diff.Checkpoint, error)

	// TakeOver makes the checkpoint row the intent's. A row that is no longer
	// from is an error of [diff.CodeDiverged]. After an error its outcome is
	// unknown.
	TakeOver(ctx context.Context, from *diff.Checkpoint, in *diff.Intent) error
}

// Rebuild makes the snapshot anew from the rows of the target and takes the
// target over; to MySQL it writes the checkpoint row alone. The rows are
// adopted: none of them is ever deleted before a scan has shown its record.
// The audit is kept. An unfinished run is closed, undecided.
func (r *Runner) Rebuild(ctx context.Context, connect func(context.Context) (Takeover, error)) (*diff.Plan, error) {
	snap, err := r.State.Snapshot()
	if err != nil {
		return r.newPlan(&diff.Snapshot{}), err
	}
	plan := r.newPlan(snap)
	plan.Scan.Verdict = diff.Complete
	err = interrupted(ctx, r.rebuild(ctx, connect, snap, plan))
	if err != nil {
		plan.Status = diff.Failed
	}
	return plan, err
}

func (r *Runner) rebuild(ctx context.Context, connect func(context.Context) (Takeover, error), snap *diff.Snapshot, plan *diff.Plan) (err error) {
	if err := r.closeIntent(ctx, snap.Intent); err != nil {
		return err
	}
	session, err := connect(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	head, err := r.Journal.Open()
	if err != nil {
		return err
	}
	instance := head.Instance // a claim that is then cut off is still ours
	if !head.IsEmpty() {
		instance = r.NewID()
	}
	if _, err := session.Claim(ctx, instance); err != nil {
		return err
	}
	from, err := session.ReadTable(ctx, func(key diff.Key, row diff.Row) error {
		plan.Changes.Add(diff.Change{Op: diff.Insert, Key: key, After: row}, diff.NoHash)
		return plan.Changes.Err()
	})
	if err != nil {
		return err
	}
	if from == nil {
		return &diff.Error{
			Code: diff.CodeDiverged, Message: "the checkpoint row of pipeline " + r.Pipeline + " went while the table was read",
			Remedy: "run jstsync state rebuild again",
		}
	}
	plan.Base, plan.Digest = head, plan.Changes.Digest(head.Digest)
	if err := plan.Changes.Err(); err != nil {
		return err
	}
	plan.Summary.Foreign = plan.Changes.Len()
	return r.takeOver(ctx, session, snap, plan, from, r.NewID())
}

// closeIntent decides a run that was left unfinished, if there is one; when
// that is past deciding, it is closed as unknown.
func (r *Runner) closeIntent(ctx context.Context, in *diff.Intent) error {
	if in == nil {
		return nil
	}
	err := r.recover(ctx, in)
	if code := diff.CodeOf(err); err == nil || code != diff.CodeDiverged {
		return err
	}
	return r.Journal.Abort(in, diff.Unknown, r.Now(), "closed by a rebuild: "+err.Error())
}

// takeOver commits a rebuild as any other change set: staged with an intent,
// decided by the checkpoint row, finalised.
func (r *Runner) takeOver(ctx context.Context, session Takeover, snap *diff.Snapshot, plan *diff.Plan, from *diff.Checkpoint, instance diff.ID) error {
	run := &diff.Run{
		Run: max(from.Seq, snap.NextRun-1) + 1, Pipeline: r.Pipeline, RunID: r.NewID(), Trigger: diff.KindRebuild,
		Started: r.Now().UTC(), Fingerprint: r.Mapping.Fingerprint, IDColumn: r.newIDColumn(snap),
	}
	in := &diff.Intent{
		Run: run.Run, RunID: run.RunID, Kind: diff.KindRebuild, From: *from, Instance: instance,
		Digest: plan.Digest, CommittedAt: r.Now().UTC().Truncate(1000), Changes: plan.Changes.Len(),
	}
	plan.Run = run.Run
	r.note(run, plan, nil)
	run.Status = diff.Pending
	if err := r.Journal.Stage(in, plan, run); err != nil {
		return err
	}
	if err := session.TakeOver(ctx, from, in); err != nil {
		if err := r.afterFailure(ctx, in, err); err != nil {
			return err
		}
	} else if err := r.finalise(in); err != nil {
		return err
	}
	plan.Status, plan.CommittedAt = diff.Committed, in.CommittedAt
	return nil
}

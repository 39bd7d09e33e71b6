package pipeline

import (
	"context"
	"errors"
	"fmt"

	"jstsync/diff"
)

// Repair brings the target back to the snapshot, as one run of the ordinary
// kind under the ordinary guard; the snapshot stays as it is. Rows that the
// snapshot lacks are deleted only on request. The drift is what was found
// before it; its status is unchanged, committed, held or failed. The caller
// holds the run lock.
func (v *Verifier) Repair(ctx context.Context, deleteExtra bool) (*Drift, error) {
	snap, err := v.settled(ctx)
	if err == nil {
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
	if err == nil {
		err = v.repair(ctx, session, snap, drift, deleteExtra)
	}
	if err = interrupted(ctx, errors.Join(err, session.Close())); err != nil {
		drift.Status = diff.Failed
	}
	return drift, err
}

// settled returns the snapshot once no run is unfinished; one that a target
// that went back in time leaves undecidable is closed as lost.
func (v *Verifier) settled(ctx context.Context) (*diff.Snapshot, error) {
	snap, err := v.decided(ctx)
	if diff.CodeOf(err) != diff.CodeDiverged || snap == nil || snap.Intent == nil {
		return snap, err
	}
	in := snap.Intent
	cp, readErr := v.checkpoint(ctx, in.From.Head)
	if readErr != nil {
		return snap, readErr
	}
	if cp != nil && (cp.Same(in.From.Head) || cp.RunID == in.RunID) { // it came back: the next start decides
		return snap, err
	}
	if err := v.Journal.Abort(in, diff.Lost, v.Now(), "closed by a repair: "+err.Error()); err != nil {
		return snap, err
	}
	return v.State.Snapshot()
}

// checkpoint returns the checkpoint row when the target may be brought back
// from where it is to what the unfinished run builds upon.
func (v *Verifier) checkpoint(ctx context.Context, base diff.Head) (*diff.Checkpoint, error) {
	session, err := v.Connect(ctx)
	if err != nil {
		return nil, err
	}
	cp, err := session.ReadTable(ctx, func(diff.Key, diff.Row) error { return nil })
	if err == nil {
		err = session.Repairable(cp, base)
	}
	return cp, errors.Join(err, session.Close())
}

func (v *Verifier) repair(ctx context.Context, session Inspection, snap *diff.Snapshot, d *Drift, deleteExtra bool) error {
	plan := *d.Plan
	plan.Changes = v.newChanges()
	defer func() { _ = plan.Changes.Close() }()
	for c, err := range d.Changes.All() {
		if err != nil {
			return err
		}
		if c.Op != diff.Delete || deleteExtra {
			plan.Changes.Add(c, 0)
		}
	}
	rows := snap.Index.Rows()
	s := &plan.Summary
	s.Insert, s.Update, s.Delete = plan.Changes.Count(diff.Insert), plan.Changes.Count(diff.Update), plan.Changes.Count(diff.Delete)
	plan.Guard = v.Guard.Check(rows, max(rows, 1), s.Delete, s.Update)
	plan.Digest = plan.Changes.Digest(snap.Head.Digest)
	run := v.newRun(snap)
	run.Fingerprint = snap.Fingerprint
	if d.from != nil {
		run.Run = max(run.Run, d.from.Seq+1)
	}
	plan.Run = run.Run
	err := v.conclusion(ctx, session, snap, &plan, run, d)
	d.Status, d.Guard, d.Run, d.CommittedAt, d.Digest = plan.Status, plan.Guard, plan.Run, plan.CommittedAt, plan.Digest
	return err
}

// conclusion commits what a repair has to do, or puts on record that it has
// nothing to do or is held. It also moves a checkpoint row that is behind when
// no row differs.
func (v *Verifier) conclusion(ctx context.Context, session Inspection, snap *diff.Snapshot, plan *diff.Plan, run *diff.Run, d *Drift) error {
	switch {
	case plan.Guard.Tripped:
		plan.Status = diff.Held
	case plan.Changes.Len() == 0 && !d.Behind:
		plan.Status = diff.Unchanged
	default:
		staged, err := v.mend(ctx, session, plan, run, d.from)
		if staged || err == nil {
			return err
		}
		plan.Status = diff.Failed
		v.note(run, plan, err)
		run.Ended = v.Now().UTC()
		return errors.Join(err, v.Journal.Record(run, nil))
	}
	if !snap.Exists {
		return nil
	}
	v.note(run, plan, nil)
	run.Ended = v.Now().UTC()
	return v.Journal.Record(run, nil)
}

// mend stages the repair and commits it upon the row as it was read with the
// rows, or is claimed where there was none.
func (v *Verifier) mend(ctx context.Context, session Inspection, plan *diff.Plan, run *diff.Run, from *diff.Checkpoint) (staged bool, err error) {
	head, err := v.Journal.Open()
	if err != nil {
		return false, err
	}
	now, err := session.Claim(ctx, head.Instance)
	if err != nil {
		return false, err
	}
	if from == nil && !now.Same(diff.Head{Instance: head.Instance}) || from != nil && now != *from {
		return false, &diff.Error{
			Code: diff.CodeDiverged, Message: fmt.Sprintf("another writer moved the checkpoint of pipeline %s after its table was read", v.Pipeline),
			Remedy: "nothing was written; run jstsync verify again",
		}
	}
	if err := session.CheckKeys(ctx, plan.Changes); err != nil {
		return false, err
	}
	return v.send(ctx, session, plan, run, head, now)
}

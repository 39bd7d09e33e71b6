package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"jstsync/diff"
)

// Sync is one run. An unfinished run is finished first. The plan tells how far
// it got, with an error as well; [diff.Plan.Status] is unchanged, committed,
// held or failed.
func (r *Runner) Sync(ctx context.Context) (*diff.Plan, error) {
	snap, err := r.decided(ctx)
	if err != nil {
		return r.newPlan(&diff.Snapshot{}), err
	}
	run := r.newRun(snap)
	plan, err := r.plan(ctx, snap)
	snap.Index = nil // as large as the snapshot, and of no use to what follows
	return plan, r.conclude(ctx, snap, plan, run, err)
}

// decided returns the snapshot once no run is unfinished.
func (r *Runner) decided(ctx context.Context) (*diff.Snapshot, error) {
	snap, err := r.State.Snapshot()
	if err == nil && snap.Intent != nil {
		if err = r.recover(ctx, snap.Intent); err == nil {
			snap, err = r.State.Snapshot()
		}
	}
	return snap, err
}

func (r *Runner) newRun(snap *diff.Snapshot) *diff.Run {
	return &diff.Run{
		Run: snap.NextRun, Pipeline: r.Pipeline, RunID: r.NewID(), Trigger: r.Trigger,
		Started: r.Now().UTC(), Fingerprint: r.Mapping.Fingerprint, IDColumn: r.newIDColumn(snap),
	}
}

// newIDColumn returns the column that holds ids, "" when it is on record.
func (p *Planner) newIDColumn(snap *diff.Snapshot) string {
	column := p.Mapping.IDColumn()
	if slices.Contains(snap.IDColumns, column) {
		return ""
	}
	return column
}

// conclude commits what is planned and puts the run on record, also one that
// came to nothing or, by err, to a bad end.
func (r *Runner) conclude(ctx context.Context, snap *diff.Snapshot, plan *diff.Plan, run *diff.Run, err error) error {
	plan.Run = run.Run
	staged := false
	if err == nil && plan.Status == diff.Planned {
		var stop func()
		ctx, stop = r.patient(ctx)
		defer stop()
		staged, err = r.commit(ctx, plan, run)
	}
	if err = interrupted(ctx, err); err != nil {
		plan.Status = diff.Failed
	}
	if staged || err != nil && (!snap.Exists || diff.CodeOf(err) == diff.CodeState) {
		return err // recorded with the staging, or not worth a state file
	}
	r.note(run, plan, err)
	run.Ended = r.Now().UTC()
	var rehashed []diff.Rehash
	if plan.Status == diff.Unchanged {
		rehashed = plan.Rehashed
	}
	return errors.Join(err, r.Journal.Record(run, rehashed))
}

// patient returns the context of a commit: it ends a grace later than the run's,
// unless that has ended already.
func (r *Runner) patient(ctx context.Context) (_ context.Context, stop func()) {
	if r.Grace <= 0 || ctx.Err() != nil {
		return ctx, func() {}
	}
	own, end := context.WithCancelCause(context.WithoutCancel(ctx))
	disarm := context.AfterFunc(ctx, func() {
		t := time.NewTimer(r.Grace)
		defer t.Stop()
		select {
		case <-t.C:
			end(context.Cause(ctx))
		case <-own.Done():
		}
	})
	return own, func() {
		disarm()
		end(nil)
	}
}

// commit brings the plan to the target. It reports whether the run was staged,
// and so has its record.
func (r *Runner) commit(ctx context.Context, plan *diff.Plan, run *diff.Run) (staged bool, err error) {
	session, err := r.Target.Connect(ctx)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	head, err := r.Journal.Open()
	if err != nil {
		return false, err
	}
	from, err := session.Begin(ctx, head)
	if err != nil {
		return false, err
	}
	if err := session.CheckKeys(ctx, plan.Changes); err != nil {
		return false, err
	}
	return r.send(ctx, session, plan, run, head, from)
}

// send stages a plan upon the head and commits it upon the checkpoint row.
func (r *Runner) send(ctx context.Context, session Session, plan *diff.Plan, run *diff.Run, head diff.Head, from diff.Checkpoint) (staged bool, err error) {
	plan.Base = head
	in := &diff.Intent{
		Run: run.Run, RunID: run.RunID, Kind: r.Trigger, From: from, Instance: head.Instance,
		Digest: plan.Digest, CommittedAt: r.Now().UTC().Truncate(1000), Changes: plan.Changes.Len(),
	}
	r.note(run, plan, nil)
	run.Status = diff.Pending
	failure, err := r.stageAndCommit(ctx, session, in, plan, run)
	if err != nil {
		return true, err
	}
	if failure != nil {
		if err := r.afterFailure(ctx, in, failure); err != nil {
			return true, err
		}
	} else if err := r.finalise(in); err != nil {
		return true, err
	}
	plan.Status, plan.CommittedAt = diff.Committed, in.CommittedAt
	return true, nil
}

// stageAndCommit makes the intent durable and commits it. Both go on at once but
// for COMMIT, which waits for the intent: what is sent before has no effect
// without it. It returns when both have ended: why the transaction failed, of an
// intent that is durable, or why there is none.
func (r *Runner) stageAndCommit(ctx context.Context, session Session, in *diff.Intent, plan *diff.Plan, run *diff.Run) (failure, err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err = r.Journal.Stage(in, plan, run); err != nil {
			stop()
		}
	}()
	durable := func() error {
		<-done
		return err
	}
	failure = session.Commit(ctx, in, plan.Changes, durable)
	return failure, durable()
}

// finalise records in the state file what the target has committed.
func (r *Runner) finalise(in *diff.Intent) error {
	err := r.Journal.Finalise(in, r.Now())
	if err == nil {
		return nil
	}
	return &diff.Error{
		Code:    diff.CodeInDoubt,
		Message: fmt.Sprintf("run %d of pipeline %s is committed in the target, and not yet recorded in the state file", in.Run, r.Pipeline),
		Err:     err,
		Remedy:  "mend what keeps the state file from being written, such as a full disk; the next sync records the run",
	}
}

// afterFailure decides a run whose transaction ended in an error. It returns
// nil when the run turns out to be committed, and then it is finalised. When
// the run was told to stop, the intent is left to the next start.
func (r *Runner) afterFailure(ctx context.Context, in *diff.Intent, cause error) error {
	if ctx.Err() != nil {
		return cause
	}
	committed, err := r.resolve(ctx, in, cause)
	if err != nil {
		return err
	}
	if committed {
		return nil
	}
	return cause
}

// recover decides a run that an earlier process left unfinished.
func (r *Runner) recover(ctx context.Context, in *diff.Intent) error {
	committed, err := r.resolve(ctx, in, errors.New("its process ended before it was committed"))
	if err != nil {
		return err
	}
	outcome := "was not committed and is dropped"
	if committed {
		outcome = "was committed and is now recorded"
	}
	r.Log.Warn(fmt.Sprintf("unfinished run %d %s", in.Run, outcome), "pipeline", r.Pipeline, "run", in.Run)
	return nil
}

// resolve asks the target what became of the intent and closes it in the
// journal accordingly.
func (r *Runner) resolve(ctx context.Context, in *diff.Intent, why error) (committed bool, err error) {
	committed, err = r.Target.Resolve(ctx, in)
	if err != nil {
		return false, err
	}
	if committed {
		return true, r.finalise(in)
	}
	return false, r.Journal.Abort(in, diff.Aborted, r.Now(), why.Error())
}

// note copies what the plan found into the run's record.
func (r *Runner) note(run *diff.Run, plan *diff.Plan, err error) {
	run.Status, run.Scan, run.ScanNote = plan.Status, plan.Scan.Verdict, plan.Scan.Note
	run.Summary, run.Quarantine, run.Rules = plan.Summary, plan.Quarantine, plan.Rules
	run.Remapped, run.NewFields = plan.Remapped, plan.NewFields
	run.Withheld, run.WithheldWhy = len(plan.Withheld.Keys), plan.Withheld.Reason
	if plan.Guard.Tripped {
		run.Guard, run.Hold = plan.Guard.Kind, holdOf(plan)
	}
	run.Calls = r.Source.Calls()
	run.CallStats = diff.StatsOf(run.Calls)
	if err != nil {
		run.Error, run.ErrorCode = err.Error(), diff.CodeOf(err)
	}
}

// holdOf returns what the guard found, with the first keys of the kind that
// tripped, as far as they can be read.
func holdOf(plan *diff.Plan) *diff.Hold {
	g := plan.Guard
	h := &diff.Hold{Limit: g.Limit, Percent: g.Percent, Count: g.Count, Rows: g.Rows}
	op := diff.Delete
	if g.Kind == diff.Update.String() {
		op = diff.Update
	}
	for c, err := range plan.Changes.Only(op) {
		if err != nil || len(h.Keys) == diff.HoldKeys {
			break
		}
		h.Keys = append(h.Keys, c.Key.String())
	}
	return h
}

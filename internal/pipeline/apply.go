package pipeline

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"jstsync/diff"
)

// History reads what a pipeline has committed. Every error is of
// [diff.CodeState].
type History interface {
	// Commits returns the commits of runs after the given one, oldest first.
	Commits(after uint64) ([]diff.Head, error)

	// Changed passes to visit the key of each change committed after the given
	// run, as far as it is still known.
	Changed(after uint64, visit func(diff.Key)) error
}

// Applier applies saved plans.
type Applier struct {
	*Runner
	History History
	Terms   diff.Terms // those of the configuration
}

// clockTolerance is how far a plan may come from the future: clocks of two
// machines are never quite alike.
const clockTolerance = 5 * time.Minute

// maxNamed is how many keys a refusal names.
const maxNamed = 10

// Apply commits a saved plan exactly as it is, or refuses with
// [diff.CodeStalePlan] and writes nothing: when it was made under other
// [diff.Terms] or another mapping, its time is over, it was applied before, or
// the snapshot is no longer the one it was made on. An unfinished run is
// finished first.
//
// A plan that the guard held when it was made, or that the guard as it is
// configured now would hold, is held. overrideGuard lifts the limits, but not
// the rule that an empty source is no reason to delete.
func (a *Applier) Apply(ctx context.Context, saved *diff.SavedPlan, overrideGuard bool) (*diff.Plan, error) {
	plan := *saved.Plan
	snap, err := a.admit(ctx, saved)
	if err != nil {
		plan.Status, plan.Changes = diff.Failed, diff.NewChangeSet(plan.Changes.Columns())
		return &plan, interrupted(ctx, err)
	}
	a.judge(&plan, overrideGuard)
	run := a.newRun(snap)
	run.Scanned = saved.Created.UTC()
	return &plan, a.conclude(ctx, snap, &plan, run, nil)
}

// judge decides what is to be done with a plan that may be applied.
func (a *Applier) judge(plan *diff.Plan, overrideGuard bool) {
	s := plan.Summary
	now := a.Guard.Check(plan.Guard.Rows, s.Read, s.Delete, s.Update)
	if now.Tripped && (now.Kind == diff.GuardEmpty || !plan.Guard.Tripped) {
		plan.Guard = now
	}
	switch {
	case plan.Guard.Tripped && (plan.Guard.Kind == diff.GuardEmpty || !overrideGuard):
		plan.Status = diff.Held
	case plan.Changes.Len() == 0:
		plan.Status = diff.Unchanged
	default:
		plan.Status = diff.Planned
	}
}

// admit returns the snapshot that the plan was made on, or why the plan is not
// to be applied.
func (a *Applier) admit(ctx context.Context, saved *diff.SavedPlan) (*diff.Snapshot, error) {
	if err := a.checkTerms(saved); err != nil {
		return nil, err
	}
	if err := checkTime(saved, a.Now()); err != nil {
		return nil, err
	}
	snap, err := a.decided(ctx)
	if err != nil {
		return nil, err
	}
	return snap, a.checkBase(saved, snap)
}

func stale(format string, args ...any) *diff.Error {
	return &diff.Error{
		Code: diff.CodeStalePlan, Message: fmt.Sprintf(format, args...),
		Remedy: "nothing was written; make a new plan with jstsync plan --out FILE",
	}
}

// checkTerms makes sure that the configuration is the one the plan was made under.
func (a *Applier) checkTerms(saved *diff.SavedPlan) error {
	was, now := saved.Terms, a.Terms
	switch {
	case was.Target != now.Target:
		return stale("another target is configured: the plan is for %s, pipeline %s writes %s", was.Target, a.Pipeline, now.Target)
	case saved.Fingerprint != a.Mapping.Fingerprint:
		return stale("the mapping of pipeline %s changed since the plan was made", a.Pipeline)
	case was.Deletes != now.Deletes:
		return stale("deletes of pipeline %s changed since the plan was made, from %s to %s", a.Pipeline, was.Deletes, now.Deletes)
	case was.Shared != now.Shared:
		return stale("shared of pipeline %s changed since the plan was made, from %t to %t", a.Pipeline, was.Shared, now.Shared)
	}
	return nil
}

func checkTime(saved *diff.SavedPlan, now time.Time) error {
	created, expires := saved.Created.UTC().Format(time.RFC3339), saved.Expires.UTC().Format(time.RFC3339)
	switch {
	case saved.Created.After(now.Add(clockTolerance)):
		e := stale("the plan was made at %s, and here it is %s", created, now.UTC().Format(time.RFC3339))
		e.Remedy = "nothing was written; set the clock of this machine, or of the one that planned, right"
		return e
	case now.After(saved.Expires):
		return stale("the plan expired at %s; it was made at %s", expires, created)
	}
	return nil
}

// checkBase makes sure that the snapshot is the one the plan was made on.
func (a *Applier) checkBase(saved *diff.SavedPlan, snap *diff.Snapshot) error {
	base, head := saved.Base, snap.Head
	commits, err := a.History.Commits(max(base.Seq, 1) - 1) // the base itself is the first
	if err != nil {
		return err
	}
	for _, c := range commits {
		if c.Digest == saved.Digest {
			e := stale("the plan is already applied by run %d", c.Seq)
			e.Remedy = "nothing is left to do"
			return e
		}
	}
	switch {
	case !base.Same(head) && (!base.IsEmpty() || !head.IsEmpty()):
		return a.moved(saved, head, commits)
	case snap.Fingerprint != saved.Snapshot:
		return stale("the mapping of pipeline %s changed, and back again, since the plan was made", a.Pipeline)
	case saved.Changes.Digest(head.Digest) != saved.Digest:
		return stale("the plan does not follow run %d, which it names", head.Seq)
	}
	return nil
}

// moved says how the snapshot is not the one the plan was made on; commits are
// those from its base on.
func (a *Applier) moved(saved *diff.SavedPlan, head diff.Head, commits []diff.Head) error {
	base := saved.Base
	if !base.IsEmpty() && (len(commits) == 0 || commits[0].RunID != base.RunID) {
		return stale("the plan was made on run %d of another state file, or of a newer copy of this one, which is at run %d of pipeline %s",
			base.Seq, head.Seq, a.Pipeline)
	}
	keys := map[diff.Key]bool{}
	if err := a.History.Changed(base.Seq, func(k diff.Key) { keys[k] = true }); err != nil {
		return err
	}
	text := fmt.Sprintf("the snapshot moved: the plan was made on run %d, and run %d has committed since", base.Seq, head.Seq)
	if base.IsEmpty() {
		text = fmt.Sprintf("the snapshot moved: the plan was made on an empty one, and run %d has committed since", head.Seq)
	}
	var touched []diff.Key
	for e, err := range saved.Changes.Encoded() {
		if err != nil {
			return err
		}
		if keys[e.Key] {
			touched = append(touched, e.Key)
		}
	}
	switch {
	case len(touched) > 0:
		text += "; of the plan's keys moved " + named(touched)
	case len(keys) > 0:
		text += "; none of the plan's keys moved, but " + named(slices.Sorted(maps.Keys(keys)))
	}
	return stale("%s", text)
}

// named lists the first of the keys.
func named(keys []diff.Key) string {
	var names []string
	for _, k := range keys[:min(len(keys), maxNamed)] {
		names = append(names, k.String())
	}
	text := strings.Join(names, ", ")
	if more := len(keys) - len(names); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"jstsync/diff"
)

// Plan reads the source and derives what would bring the target in step. It
// refuses with [diff.CodeUnfinished] while a run is unfinished. An error from
// the source means that the scan is partial: nothing may be derived from it.
func (p *Planner) Plan(ctx context.Context) (*diff.Plan, error) {
	snap, err := p.State.Snapshot()
	if err != nil {
		return p.newPlan(&diff.Snapshot{}), err
	}
	if snap.Intent != nil {
		return p.newPlan(snap), p.unfinished(snap.Intent)
	}
	plan, err := p.plan(ctx, snap)
	return plan, interrupted(ctx, err)
}

func (p *Planner) unfinished(in *diff.Intent) error {
	return &diff.Error{
		Code:    diff.CodeUnfinished,
		Message: fmt.Sprintf("run %d of pipeline %s is unfinished", in.Run, p.Pipeline),
		Remedy:  "run jstsync sync, which finishes it first",
	}
}

// interrupted says that an error is no more than the end of the context.
func interrupted(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil {
		return err
	}
	if code := diff.CodeOf(err); code == diff.CodeState || code == diff.CodeInDoubt || code == diff.CodeDiverged {
		return err
	}
	return &diff.Error{
		Code: diff.CodeInterrupted, Message: context.Cause(ctx).Error(),
		Remedy: "nothing is half-done; the next run goes on from here",
	}
}

func (p *Planner) newPlan(snap *diff.Snapshot) *diff.Plan {
	return &diff.Plan{
		Pipeline: p.Pipeline, Table: p.Mapping.Table, Status: diff.Failed, Base: snap.Head,
		Scan: diff.ScanInfo{Verdict: diff.Partial}, Changes: p.newChanges(),
		Fingerprint: p.Mapping.Fingerprint, Snapshot: snap.Fingerprint,
	}
}

func (p *Planner) newChanges() *diff.ChangeSet {
	return diff.NewSpillingChangeSet(p.Mapping.Table.Names(), diff.SpillAfter, p.Spill)
}

// plan derives a plan from the snapshot. The plan is returned with an error
// too, as far as it got.
func (p *Planner) plan(ctx context.Context, snap *diff.Snapshot) (*diff.Plan, error) {
	plan := p.newPlan(snap)
	rows := snap.Index.Rows()
	s, info, err := p.scan(ctx, snap)
	plan.Summary.Calls = len(p.Source.Calls())
	if err != nil {
		return plan, err
	}
	plan.Scan = info
	if err := s.settle(ctx); err != nil {
		err = errors.Join(err, s.changes.Close())
		plan.Summary.Calls = len(p.Source.Calls())
		plan.Scan.Verdict = diff.Partial
		return plan, err
	}
	s.fill(plan)
	plan.Summary.Calls = len(p.Source.Calls())
	if err := s.refused(); err != nil {
		return plan, err
	}
	plan.Guard = p.Guard.Check(rows-s.foreign, plan.Summary.Read, plan.Summary.Delete, plan.Summary.Update)
	plan.Digest = plan.Changes.Digest(plan.Base.Digest)
	if err := plan.Changes.Err(); err != nil {
		return plan, err
	}
	switch {
	case plan.Guard.Tripped:
		plan.Status = diff.Held
	case plan.Changes.Len() == 0:
		plan.Status = diff.Unchanged
	default:
		plan.Status = diff.Planned
	}
	return plan, nil
}

// maxScans is how often the source is read in one run: once more when rows
// moved between the pages of the first reading.
const maxScans = 2

// scan reads the source until a reading is complete, at most twice, not
// counting a reading that only showed that two keys have one hash.
func (p *Planner) scan(ctx context.Context, snap *diff.Snapshot) (*scan, diff.ScanInfo, error) {
	var reserved []diff.Key
	for n := 1; ; {
		s := newScan(p, snap)
		for _, k := range reserved {
			s.index.Reserve(k)
		}
		info, err := p.Source.Scan(ctx, snap.Expect, s.page)
		if err == nil {
			err = s.flush()
		}
		if err != nil {
			return nil, info, errors.Join(err, s.changes.Close())
		}
		if len(s.repeats) > 0 {
			info.Verdict = diff.Unstable
			info.Note = fmt.Sprintf("%d keys came twice, the first %s", len(s.repeats), s.repeats[0])
		}
		switch {
		case len(s.collided) > 0 && len(reserved) == 0:
			reserved = s.collided
		case info.Verdict == diff.Complete || n == maxScans:
			return s, info, nil
		default:
			n++
			p.Log.Warn("rows moved between pages, reading again", "pipeline", p.Pipeline, "err", info.Note)
		}
		if err := s.changes.Close(); err != nil {
			return nil, info, err
		}
		if snap, err = p.State.Snapshot(); err != nil {
			return nil, info, err
		}
	}
}

// fill moves what the scan found into the plan.
func (s *scan) fill(plan *diff.Plan) {
	slices.SortFunc(s.rehashed, func(a, b diff.Rehash) int { return cmp.Compare(a.Key, b.Key) })
	plan.Changes, plan.Rehashed = s.changes, s.rehashed
	plan.Remapped, plan.NewFields = s.remap && s.index.Rows() > 0, s.fields.names()
	plan.Quarantine, plan.Withheld, plan.Rules = s.quarantined(), s.withheld, s.tallies()
	plan.Summary.Read, plan.Summary.Pages = s.read, s.pages
	plan.Summary.Quarantined, plan.Summary.Foreign, plan.Summary.Kept = len(s.quarantine), s.foreign, s.kept
	plan.Summary.Insert = s.changes.Count(diff.Insert)
	plan.Summary.Update = s.changes.Count(diff.Update)
	plan.Summary.Delete = s.changes.Count(diff.Delete)
	plan.Summary.Unchanged = s.read - plan.Summary.Insert - plan.Summary.Update - plan.Summary.Quarantined
}

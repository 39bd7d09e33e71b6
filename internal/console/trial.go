package console

import (
	"errors"
	"net/http"
	"sync"
	"time"

	"jstsync/diff"
)

// trial is the dry run that was asked for last. There is one at a time, and its
// result is kept until the next.
type trial struct {
	c *Console

	mu       sync.Mutex
	pipeline string
	began    time.Time
	busy     bool
	result   *outcome
}

// outcome is what a dry run found.
type outcome struct {
	plan    *diff.Plan // without its changes
	columns []string
	changes []diff.Change // the first
	counts  map[diff.Op]int
	hold    *diff.Hold
	ended   time.Time
	err     error
}

// trialShown is how many changes of a dry run are kept and listed.
const trialShown = 200

// start begins a dry run, unless there is one already.
func (t *trial) start(pipeline string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.busy {
		return
	}
	t.pipeline, t.began, t.busy, t.result = pipeline, t.c.o.Now(), true, nil
	go func() {
		plan, err := t.c.o.DryRun(t.c.o.Context, pipeline)
		found := keep(plan, err)
		found.ended = t.c.o.Now()
		t.mu.Lock()
		defer t.mu.Unlock()
		t.busy, t.result = false, found
	}()
}

// keep copies what a page shows out of a plan, and closes it.
func keep(plan *diff.Plan, err error) *outcome {
	o := &outcome{plan: plan, err: err, counts: map[diff.Op]int{}}
	if plan == nil {
		return o
	}
	if plan.Table != nil {
		o.columns = plan.Table.Names()
	}
	for _, op := range []diff.Op{diff.Insert, diff.Update, diff.Delete} {
		o.counts[op] = plan.Changes.Count(op)
	}
	kind := diff.Delete
	if plan.Guard.Kind == diff.Update.String() {
		kind = diff.Update
	}
	g := plan.Guard
	hold := &diff.Hold{Limit: g.Limit, Percent: g.Percent, Count: g.Count, Rows: g.Rows}
	for c, err := range plan.Changes.All() {
		if err != nil {
			o.err = errors.Join(o.err, err)
			break
		}
		if len(o.changes) < trialShown {
			o.changes = append(o.changes, c)
		}
		if c.Op == kind && len(hold.Keys) < diff.HoldKeys {
			hold.Keys = append(hold.Keys, c.Key.String())
		}
	}
	if g.Tripped {
		o.hold = hold
	}
	o.err = errors.Join(o.err, plan.Changes.Close())
	plan.Changes, plan.Rehashed = nil, nil
	return o
}

// trialView is a dry run as it is shown.
type trialView struct {
	Pipeline     string
	Began, Ended moment
	Busy         bool
	Done         bool
	For          string // how long it has been going on, or took
	Plan         *diff.Plan
	Counts       []opCount
	Held         *held
	Changes      []change
	More         int
	Quarantine   []diff.Quarantined
	Withheld     int
	Err, Remedy  string
}

type opCount struct {
	Op string
	N  int
}

func (c *Console) dryRun(_ *http.Request, p *page) (any, error) {
	p.Title = p.t("Dry run")
	t := c.trial
	t.mu.Lock()
	defer t.mu.Unlock()
	v := &trialView{Pipeline: t.pipeline, Busy: t.busy, Began: p.at(t.began), For: p.span(p.now.Sub(t.began))}
	if t.busy {
		p.Live = 1
	}
	if t.result == nil {
		return v, nil
	}
	o := t.result
	v.Done, v.Ended, v.For, v.Plan = true, p.at(o.ended), took(o.ended.Sub(t.began)), o.plan
	if o.err != nil {
		v.Err = o.err.Error()
		if e, ok := errors.AsType[*diff.Error](o.err); ok {
			v.Remedy = e.Remedy
		}
	}
	i := pipelineOf(p, t.pipeline)
	if o.plan == nil || i < 0 {
		return v, nil
	}
	for _, op := range []diff.Op{diff.Insert, diff.Update, diff.Delete} {
		v.Counts = append(v.Counts, opCount{op.String(), o.counts[op]})
	}
	v.More = o.counts[diff.Insert] + o.counts[diff.Update] + o.counts[diff.Delete] - len(o.changes)
	v.Quarantine, v.Withheld = o.plan.Quarantine[:min(len(o.plan.Quarantine), quarantineShown)], len(o.plan.Withheld.Keys)
	if o.hold != nil {
		v.Held = p.held(&diff.Run{Pipeline: t.pipeline, Status: diff.Held, Guard: o.plan.Guard.Kind, Hold: o.hold})
	}
	w := c.writer(p, &p.settings.Pipelines[i])
	for n := range o.changes {
		v.Changes = append(v.Changes, w.change(o.columns, &o.changes[n]))
	}
	return v, nil
}

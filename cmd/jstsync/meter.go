package main

import (
	"errors"
	"fmt"
	"time"

	"jstsync/diff"
	"jstsync/extract"
	"jstsync/internal/config"
	"jstsync/internal/metrics"
	"jstsync/state"
)

// meter counts the runs of this process. A nil one counts nothing.
type meter struct {
	*metrics.Metrics
	p *program
}

// recent is how many runs are looked through for the last good one of each
// pipeline.
const recent = 1000

// newMeter returns a meter that knows when each pipeline was last in step.
func (p *program) newMeter(settings *config.Settings, process bool) *meter {
	m := &meter{metrics.New(metrics.Options{StateFile: settings.State, RateUsed: p.pacers.used, Process: process}), p}
	m.expect(settings)
	runs, err := state.Runs(settings.State, recent)
	if err != nil {
		p.log.Warn("read past runs for the metrics", "err", err)
	}
	seen := map[string]bool{}
	for i := range runs {
		r := &runs[i]
		_, err := settings.Pipeline(r.Pipeline)
		if good := r.Status == diff.Unchanged || r.Status == diff.Committed; good && !seen[r.Pipeline] && err == nil {
			seen[r.Pipeline] = true
			m.Succeeded(r.Pipeline, r.Ended)
		}
	}
	return m
}

// expect says which pipelines there are.
func (m *meter) expect(settings *config.Settings) {
	var names []string
	for i := range settings.Pipelines {
		names = append(names, settings.Pipelines[i].Name)
	}
	m.Expect(names...)
}

// observe counts a run.
func (m *meter) observe(w *wiring, r *ended) {
	if m == nil {
		return
	}
	now := m.p.now()
	run := &metrics.Run{
		Pipeline: r.plan.Pipeline, Outcome: outcomeOf(r), Ended: now, Took: now.Sub(r.began), Plan: r.plan,
	}
	for i := range r.calls {
		run.Calls = append(run.Calls, metrics.Call{Class: extract.Outcome(&r.calls[i]), Took: r.calls[i].Duration})
	}
	m.Observe(run)
	m.TokenEnds(w.firstTokenEnd())
}

// outcomeOf names how a run ended.
func outcomeOf(r *ended) metrics.Outcome {
	if r.err == nil {
		return metrics.Outcome(r.plan.Status)
	}
	if _, ok := errors.AsType[*signalError](r.err); ok {
		return metrics.Interrupted
	}
	switch diff.CodeOf(r.err) {
	case diff.CodeBusy, diff.CodeInDoubt:
		return metrics.Busy
	case diff.CodeDiverged:
		return metrics.Diverged
	case diff.CodeInterrupted:
		return metrics.Interrupted
	default:
		return metrics.Failed
	}
}

// firstTokenEnd returns when the first of the stored access tokens ends, zero
// when none is known to.
func (w *wiring) firstTokenEnd() (first time.Time) {
	for _, a := range w.accounts {
		token, err := w.vault(a).Token()
		if err != nil || token == nil || token.Expires.IsZero() {
			continue
		}
		if first.IsZero() || token.Expires.Before(first) {
			first = token.Expires
		}
	}
	return first
}

// write writes the metrics file. That the counters begin anew is no failure.
func (m *meter) write(file string) error {
	if m == nil {
		return nil
	}
	err := m.WriteFile(file)
	if stale, ok := errors.AsType[*metrics.StaleFileError](err); ok {
		m.p.log.Warn(stale.Error())
		return nil
	}
	if err != nil {
		return &diff.Error{
			Code: diff.CodeFailed, Message: fmt.Sprintf("write --metrics-file %s", file), Err: err,
			Remedy: "the runs themselves are not affected; name a file in a directory that can be written",
		}
	}
	return nil
}

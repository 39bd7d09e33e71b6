package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"jstsync/diff"
	"jstsync/internal/config"
	"jstsync/internal/metrics"
	"jstsync/internal/schedule"
)

// jobs returns the present pipelines as jobs; their runs end with ctx.
func (p *poller) jobs(ctx context.Context) []schedule.Job {
	settings := p.settings
	zone, err := time.LoadLocation(settings.Serve.TimeZone)
	if err != nil {
		zone = time.UTC // never: the settings were checked
	}
	jobs := make([]schedule.Job, len(settings.Pipelines))
	for i := range settings.Pipelines {
		pl := settings.Pipelines[i]
		when := schedule.Every(pl.Every, p.now())
		if pl.Cron != "" {
			if when, err = schedule.Cron(pl.Cron, zone); err != nil {
				panic(err) // never: the settings were checked
			}
		}
		jobs[i] = schedule.Job{Name: pl.Name, When: when, Run: func() error { return p.poll(ctx, settings, pl) }}
	}
	return jobs
}

// poll is one run of one pipeline. It is wired anew each time, so that nothing
// of a run outlives it but the pace of calls: what other commands did to the
// state file in the meantime, such as renewing the token, is seen.
func (p *poller) poll(ctx context.Context, settings *config.Settings, pl config.Pipeline) error {
	w, err := p.wire(settings)
	if err != nil {
		return p.tell(nil, &ended{plan: unrun(&pl), began: p.now(), err: err})
	}
	defer w.close()
	w.grace = commitGrace
	told, failure := false, error(nil)
	defer p.sendAlerts()
	err = w.syncAll(ctx, []config.Pipeline{pl}, func(r *ended) error {
		told, failure = true, r.err
		_ = p.tell(w, r)
		return r.plan.Changes.Close()
	})
	if w.broken != nil {
		p.end(fmt.Errorf("the state file could not be written, and what became of that is found out by the next start: %w", w.broken))
	}
	if err != nil && !told {
		return p.tell(w, &ended{plan: unrun(&pl), began: p.now(), err: err, unbegun: true})
	}
	if err != nil && !errors.Is(err, failure) { // what came after the run
		p.log.Error("end the run", "pipeline", pl.Name, "err", err)
	}
	return errors.Join(failure, err)
}

// sendAlerts sends what the run gave rise to, without keeping the next one
// waiting.
func (p *poller) sendAlerts() {
	if n := p.notifier; n != nil {
		p.alerts.Go(func() { n.send(context.Background()) })
	}
}

// tell counts and logs a run, and returns its error.
func (p *poller) tell(w *wiring, r *ended) error {
	p.endProgress()
	if w != nil {
		p.meter.observe(w, r)
	}
	p.notifier.ran(w, r)
	outcome := outcomeOf(r)
	sum := &r.plan.Summary
	attrs := []any{
		"pipeline", r.plan.Pipeline, "run", r.plan.Run, "status", string(outcome), "dur_ms", p.now().Sub(r.began).Milliseconds(),
		"read", sum.Read, "insert", sum.Insert, "update", sum.Update, "delete", sum.Delete,
	}
	if n := len(r.plan.Quarantine); n > 0 {
		attrs = append(attrs, "quarantined", n)
	}
	if n := len(r.plan.Withheld.Keys); n > 0 {
		attrs = append(attrs, "withheld", n)
	}
	if n := len(r.plan.Rules); n > 0 {
		attrs = append(attrs, "broken_rules", n)
	}
	level := slog.LevelInfo
	switch {
	case outcome == metrics.Held:
		level = slog.LevelWarn
		attrs = append(attrs, "guard", r.plan.Guard.Kind, "remedy", "see jstsync plan --out FILE; when it is right, jstsync apply --override-guard FILE")
	case outcome == metrics.Interrupted: // as it was told to
		attrs = append(attrs, "err", r.err.Error())
	case r.err != nil:
		level = slog.LevelError
		attrs = append(attrs, "err", r.err.Error())
		if e, ok := errors.AsType[*diff.Error](r.err); ok && e.Remedy != "" {
			attrs = append(attrs, "remedy", e.Remedy)
		}
	}
	p.log.Log(context.Background(), level, "run ended", attrs...)
	p.warnOf(r.plan)
	return r.err
}

// warnOf logs the rules whose breach is only to be told of, which a run does once.
func (p *poller) warnOf(plan *diff.Plan) {
	for _, rule := range plan.Rules {
		if rule.OnFail == diff.Warn {
			p.log.Warn("rule broken", "pipeline", plan.Pipeline, "run", plan.Run, "rule", rule.Rule, "records", rule.Count, "first_keys", rule.Keys)
		}
	}
}

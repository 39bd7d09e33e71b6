package main

import (
	"context"
	"errors"
	"time"

	"github.com/urfave/cli/v2"

	"jstsync/diff"
	"jstsync/internal/config"
	"jstsync/internal/report"
	"jstsync/state"
)

func (p *program) syncCommand() *cli.Command {
	return &cli.Command{
		Name:      "sync",
		Usage:     "one run: read the source, find what changed, apply it",
		ArgsUsage: "[PIPELINE…]",
		Description: "Reads every page, compares each record with the local snapshot, and writes\n" +
			"only what changed, in one transaction. When nothing changed, MySQL is not\n" +
			"even connected to.\n\n" +
			"With --record DIR, or source.record.dir, the answers of the API are kept, without\n" +
			"any secret, for inquiries and for plan --replay.\n\n" +
			"With --metrics-file FILE the metrics of jstsync serve are written when the runs\n" +
			"have ended; counters go on from those in the file, which is replaced in one step.\n\n" +
			"Example: jstsync sync shops --format json\n" +
			"Example: jstsync sync --metrics-file /var/lib/node_exporter/jstsync.prom\n\n" +
			"Exit codes: 0 done or unchanged, 1 failed, 3 held by the guard, 4 done but\n" +
			"records are quarantined or deletes withheld, 5 busy or diverged, 64 wrong\n" +
			"usage, 78 configuration error, 130 or 143 stopped by a signal.",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "dry-run", Usage: "only show what would change: the same as plan"},
			recordFlag(),
			&cli.StringFlag{Name: "metrics-file", Usage: "also write metrics to `FILE`, for the textfile collector of node_exporter"},
			formatFlag("text or json"),
		},
		Action: p.sync,
	}
}

func (p *program) sync(c *cli.Context) (err error) {
	if c.Bool("dry-run") {
		return p.plan(c)
	}
	file := c.String("metrics-file")
	if c.IsSet("metrics-file") && file == "" {
		return usage("--metrics-file is empty: it takes a file")
	}
	w, pipelines, show, err := p.begin(c, config.NeedTarget)
	if err != nil {
		return err
	}
	defer w.close()
	var m *meter
	if file != "" {
		m = p.newMeter(w.settings, false)
	}
	n := p.newNotifier(w.settings, m).once()
	err = w.syncAll(c.Context, pipelines, func(r *ended) error {
		m.observe(w, r)
		n.ran(w, r)
		if r.unbegun {
			r.plan.Err = r.err
			return show(r.plan)
		}
		return p.finishRun(r.plan, r.err, show)
	})
	n.send(context.WithoutCancel(c.Context))
	return errors.Join(err, m.write(file))
}

// ended is a run of one pipeline that has come to its end.
type ended struct {
	plan    *diff.Plan
	calls   []diff.Call
	began   time.Time
	err     error
	unbegun bool // by an error that kept all pipelines of this command from running
}

// syncAll runs pipelines one after another under the run lock and tells of each
// run as it ends. The error is one that ended them all.
func (w *wiring) syncAll(ctx context.Context, pipelines []config.Pipeline, tell func(*ended) error) (err error) {
	runners, unwired, err := wireAll(pipelines, w.runner)
	if err != nil {
		return err
	}
	began := w.now()
	lock, err := state.Acquire(ctx, w.settings.State, w.settings.LockTimeout, began)
	if err != nil {
		return errors.Join(err, tellAll(err, pipelines, began, tell))
	}
	defer func() { err = errors.Join(err, w.endRuns(w.settings, lock)) }()
	for i, r := range runners {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		run := &ended{plan: unrun(&pipelines[i]), began: w.now(), err: unwired[i]}
		if run.err == nil {
			run.plan, run.err = r.Sync(ctx)
			run.calls = r.Source.Calls()
		}
		if err := tell(run); err != nil {
			return err
		}
	}
	return nil
}

// choose returns the named pipelines, or all.
func choose(settings *config.Settings, names []string) ([]config.Pipeline, error) {
	pipelines, err := settings.Pipeline(names...)
	if e, ok := errors.AsType[*config.UnknownPipelineError](err); ok {
		return nil, usage("%v", e)
	}
	return pipelines, err
}

// finishRun prints how a pipeline's run ended and notes its exit code.
func (p *program) finishRun(plan *diff.Plan, err error, show func(*diff.Plan) error) error {
	p.endProgress()
	plan.Err = err
	p.status.add(planCode(plan))
	if err != nil {
		p.explainOf(plan, err)
	}
	return errors.Join(show(plan), plan.Changes.Close())
}

// wireAll makes every pipeline ready, or tells for each why it is not. A mistake
// in the configuration is not a failure of one: nothing is to be run then.
func wireAll[T any](pipelines []config.Pipeline, wire func(*config.Pipeline) (T, error)) (wired []T, unwired []error, err error) {
	for i := range pipelines {
		one, err := wire(&pipelines[i])
		if err != nil && (isConfig(err) || codeOf(err) == exitConfig) {
			return nil, nil, err
		}
		wired, unwired = append(wired, one), append(unwired, err)
	}
	return wired, unwired, nil
}

// tellAll ends every pipeline with one error that came before any of them ran.
func tellAll(err error, pipelines []config.Pipeline, began time.Time, tell func(*ended) error) error {
	for i := range pipelines {
		if err := tell(&ended{plan: unrun(&pipelines[i]), began: began, err: err, unbegun: true}); err != nil {
			return err
		}
	}
	return nil
}

// fail ends a pipeline with an error that came before it was run.
func fail(err error, pl *config.Pipeline, show func(*diff.Plan) error) error {
	plan := unrun(pl)
	plan.Err = err
	return errors.Join(err, show(plan))
}

// unrun is the plan of a pipeline that could not be run.
func unrun(pl *config.Pipeline) *diff.Plan {
	return &diff.Plan{
		Pipeline: pl.Name, Status: diff.Failed, Scan: diff.ScanInfo{Verdict: diff.Partial},
		Changes: diff.NewChangeSet(nil),
	}
}

// planCode returns the exit code of one pipeline's run.
func planCode(plan *diff.Plan) int {
	switch {
	case plan.Err != nil:
		return failureCode(plan.Err)
	case plan.Status == diff.Held:
		return exitHeld
	case len(plan.Quarantine) > 0 || len(plan.Withheld.Keys) > 0:
		return exitPartly
	default:
		return exitOK
	}
}

// planFormats are the formats of the commands that only show a plan.
const planFormats = "text, json, markdown, html or sql"

// planPrinter returns the function that prints a plan in the wanted format.
func (p *program) planPrinter(c *cli.Context) (func(*diff.Plan) error, error) {
	shows := c.Command.Name == "plan" || c.Command.Name == "show"
	switch f := c.String("format"); {
	case f == "json":
		return func(plan *diff.Plan) error { return report.PlanJSON(p.stdout, plan) }, nil
	case f == "text":
		text := p.text(c)
		return func(plan *diff.Plan) error { return text.Plan(p.stdout, plan) }, nil
	case !shows:
		return nil, usage("--format %q is neither text nor json", f)
	case f == "markdown":
		return func(plan *diff.Plan) error { return report.Markdown{Lang: p.lang}.Plan(p.stdout, plan) }, nil
	case f == "html":
		page := report.NewHTML(p.stdout, p.now())
		page.Lang = p.lang
		return page.Plan, nil
	case f == "sql":
		return func(plan *diff.Plan) error { return report.SQL{Lang: p.lang}.Plan(p.stdout, plan) }, nil
	default:
		return nil, usage("--format %q is none of %s", f, planFormats)
	}
}

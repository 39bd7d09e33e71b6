package main

import (
	"context"
	"errors"
	"time"

	"github.com/urfave/cli/v2"

	"jstsync/diff"
	"jstsync/internal/config"
	"jstsync/internal/pipeline"
	"jstsync/state"
)

func (p *program) planCommand() *cli.Command {
	return &cli.Command{
		Name:      "plan",
		Usage:     "dry run: show what a sync would change",
		ArgsUsage: "[PIPELINE…]",
		Description: "Reads every page and compares it with the local snapshot, and writes\n" +
			"nothing: not to the state file, not to MySQL, which is not connected to.\n\n" +
			"With --replay DIR the API is not called: the answers that --record kept are\n" +
			"read instead, those of one run or the newest of the pipeline in DIR. Neither\n" +
			"app key nor token is needed, and against the same state file the plan is the\n" +
			"same to the byte.\n\n" +
			"With --out FILE the plan is also saved, for jstsync show and jstsync apply: of\n" +
			"one pipeline, also one that the guard holds. It names its target, so that\n" +
			"target.dsn must be set. An earlier plan there is replaced, nothing else.\n\n" +
			"Text fits the terminal and lists the first 20 changes; in a file or a pipe it is\n" +
			"not cut and lists 1,000. json, html and sql have every change; markdown as many\n" +
			"as a chat message holds; sql is for review, not for running.\n\n" +
			"Example: jstsync plan --detailed-exitcode\n" +
			"Example: jstsync plan --out plan.jst && jstsync apply plan.jst\n" +
			"Example: jstsync plan shops --format html > plan.html\n" +
			"Example: jstsync plan --record answers && jstsync plan --replay answers\n\n" +
			"Exit codes: 0 success, 1 failed or a run is unfinished, 64 wrong usage, 78\n" +
			"configuration error, 130 or 143 stopped by a signal. With --detailed-exitcode\n" +
			"also 2 there are changes, 3 the guard would hold them, 4 records would be\n" +
			"quarantined or deletes withheld.",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "detailed-exitcode", Usage: "exit 0 only when there is nothing to change"},
			&cli.StringFlag{Name: "out", Usage: "save the plan in `FILE`, to be applied as it is"},
			recordFlag(),
			&cli.StringFlag{Name: "replay", Usage: "read the answers from `DIR`, which --record wrote, and call nobody"},
			formatFlag(planFormats),
		},
		Action: p.plan,
	}
}

func (p *program) plan(c *cli.Context) error {
	out, needs, err := outOf(c)
	if err != nil {
		return err
	}
	w, pipelines, show, err := p.begin(c, needs...)
	if err != nil {
		return err
	}
	defer w.close()
	if out != "" && len(pipelines) != 1 {
		return usage("--out takes the plan of one pipeline, and there are %d: name one", len(pipelines))
	}
	planners, unwired, err := wireAll(pipelines, w.planner)
	if err != nil {
		return err
	}
	for i := range planners {
		if c.Err() != nil {
			return context.Cause(c.Context)
		}
		plan, err := unrun(&pipelines[i]), unwired[i]
		if err == nil {
			plan, err = w.planTo(c.Context, &planners[i], out, &pipelines[i])
		}
		if err := p.finishPlan(plan, err, c.Bool("detailed-exitcode"), show); err != nil {
			return err
		}
	}
	return nil
}

// planTo makes a plan, and saves it where it is to be saved.
func (w *wiring) planTo(ctx context.Context, planner *pipeline.Planner, out string, pl *config.Pipeline) (*diff.Plan, error) {
	save, err := w.saver(out, planner.Mapping.Table, pl)
	if err != nil {
		return unrun(pl), err
	}
	plan, err := w.planPatiently(ctx, planner)
	if err == nil {
		if err = save(plan); err != nil {
			plan.Status = diff.Failed
		}
	}
	return plan, err
}

// glance is how often a run that is under way is looked at.
const glance = 50 * time.Millisecond

// planPatiently makes a plan. A run that another process is about to finish is
// waited for, as long as for the run lock; one that nobody is at is not.
func (w *wiring) planPatiently(ctx context.Context, planner *pipeline.Planner) (*diff.Plan, error) {
	end, left := w.now().Add(w.settings.LockTimeout), false
	for {
		plan, err := planner.Plan(ctx)
		if diff.CodeOf(err) != diff.CodeUnfinished || left || w.now().After(end) {
			return plan, err
		}
		if err := plan.Changes.Close(); err != nil {
			return unrun(&config.Pipeline{Name: planner.Pipeline}), err
		}
		holder, err := state.Holder(w.settings.State)
		left = holder == "" || err != nil // since it was seen it may have been finished: one more look
		select {
		case <-ctx.Done():
		case <-time.After(glance):
		}
	}
}

// outOf returns the file to save the plan in, if any, and the settings that it
// takes: a saved plan names its target.
func outOf(c *cli.Context) (out string, needs []config.Need, err error) {
	out = c.String("out")
	switch {
	case !c.IsSet("out"):
		return "", nil, nil
	case out == "":
		return "", nil, usage("--out is empty: it takes a file")
	}
	return out, []config.Need{config.NeedTarget}, nil
}

// begin reads the flags and settings of a command that reads the source of
// pipelines, and returns what it needs: the wiring, to be closed, the pipelines
// it is about, and how to print each one's plan.
func (p *program) begin(c *cli.Context, needs ...config.Need) (*wiring, []config.Pipeline, func(*diff.Plan) error, error) {
	show, err := p.planPrinter(c)
	if err != nil {
		return nil, nil, nil, err
	}
	answers, err := answersOf(c)
	if err != nil {
		return nil, nil, nil, err
	}
	settings, err := p.settings(c)
	if err != nil {
		return nil, nil, nil, err
	}
	pipelines, err := choose(settings, answers.pipelines(c.Args().Slice()))
	if err == nil {
		err = settings.RequireFor(pipelines, append(answers.needs(), needs...)...)
	}
	if err != nil {
		return nil, nil, nil, err
	}
	p.several = len(pipelines) > 1
	w, err := p.wire(settings)
	if err != nil {
		return nil, nil, nil, err
	}
	w.answers = answers
	return w, pipelines, show, nil
}

// finishPlan prints a dry run and notes its exit code.
func (p *program) finishPlan(plan *diff.Plan, err error, detailed bool, show func(*diff.Plan) error) error {
	p.endProgress()
	plan.Err = err
	code := planCode(plan)
	switch {
	case err != nil:
		p.explainOf(plan, err)
	case !detailed:
		code = exitOK
	case code == exitOK && plan.Status == diff.Planned:
		code = exitChanges
	}
	p.status.add(code)
	return errors.Join(show(plan), plan.Changes.Close())
}

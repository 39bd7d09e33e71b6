package main

import (
	"context"
	"errors"

	"github.com/urfave/cli/v2"

	"jstsync/diff"
	"jstsync/internal/config"
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
			"Example: jstsync plan --detailed-exitcode\n" +
			"Example: jstsync plan --record answers && jstsync plan --replay answers\n\n" +
			"Exit codes: 0 success, 1 failed or a run is unfinished, 64 wrong usage, 78\n" +
			"configuration error, 130 or 143 stopped by a signal. With --detailed-exitcode\n" +
			"also 2 there are changes, 3 the guard would hold them, 4 records would be\n" +
			"quarantined or deletes withheld.",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "detailed-exitcode", Usage: "exit 0 only when there is nothing to change"},
			recordFlag(),
			&cli.StringFlag{Name: "replay", Usage: "read the answers from `DIR`, which --record wrote, and call nobody"},
			formatFlag("text or json"),
		},
		Action: p.plan,
	}
}

func (p *program) plan(c *cli.Context) error {
	w, pipelines, show, err := p.begin(c)
	if err != nil {
		return err
	}
	defer w.close()
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
			plan, err = planners[i].Plan(c.Context)
		}
		if err := p.finishPlan(plan, err, c.Bool("detailed-exitcode"), show); err != nil {
			return err
		}
	}
	return nil
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

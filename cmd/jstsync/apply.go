package main

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"jstsync/diff"
	"jstsync/internal/config"
	"jstsync/internal/pipeline"
	"jstsync/internal/planfile"
	"jstsync/state"
)

func (p *program) applyCommand() *cli.Command {
	return &cli.Command{
		Name:      "apply",
		Usage:     "apply a saved plan, exactly that, or refuse",
		ArgsUsage: "FILE",
		Description: "Writes what plan --out saved, without reading the source again, as one run of\n" +
			"the ordinary kind. It is refused, and nothing written, when the snapshot moved\n" +
			"since, the mapping or the target is another, its time (plan.valid) is over, it\n" +
			"was altered, or it was applied before; the message says which.\n\n" +
			"A plan that the guard holds is applied with --override-guard, by a person who\n" +
			"has read it. That lifts the limits, and not the rule that an empty answer is no\n" +
			"reason to delete: allow_empty does, when the plan is made.\n\n" +
			"Example: jstsync plan --out plan.jst && jstsync show plan.jst && jstsync apply plan.jst\n" +
			"Example: jstsync apply plan.jst --override-guard\n\n" +
			"Exit codes: 0 applied, or there was nothing to do, 1 failed or refused, 3 held\n" +
			"by the guard, 4 applied but records are quarantined or deletes withheld, 5 busy\n" +
			"or diverged, 64 wrong usage, 78 configuration error, 130 or 143 stopped by a\n" +
			"signal.",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "override-guard", Usage: "apply also what is over the guard's limits"},
			formatFlag("text or json"),
		},
		Action: p.apply,
	}
}

func (p *program) apply(c *cli.Context) (err error) {
	show, err := p.planPrinter(c)
	if err != nil {
		return err
	}
	file, err := oneFile(c)
	if err != nil {
		return err
	}
	saved, err := planfile.Read(file, spillAnywhere)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, saved.Changes.Close()) }()
	settings, err := p.settings(c, config.NeedState, config.NeedTarget)
	if err != nil {
		return err
	}
	pl, err := planned(settings, saved)
	if err != nil {
		return err
	}
	applier, err := p.wireApply(settings, pl)
	if err != nil {
		return err
	}
	lock, err := state.Acquire(c.Context, settings.State, settings.LockTimeout, p.now())
	if err != nil {
		return fail(err, pl, show)
	}
	defer func() { err = errors.Join(err, p.endRuns(settings, lock)) }()
	plan, err := applier.Apply(c.Context, saved, c.Bool("override-guard"))
	if c.Bool("override-guard") && plan.Status == diff.Held {
		p.log.Warn("--override-guard does not lift the rule on an empty source; allow_empty does, when the plan is made", "pipeline", pl.Name)
	}
	return p.finishRun(plan, err, show)
}

// planned returns the pipeline that the plan is of.
func planned(settings *config.Settings, saved *diff.SavedPlan) (*config.Pipeline, error) {
	pipelines, err := choose(settings, []string{saved.Pipeline})
	if diff.CodeOf(err) == diff.CodeUsage {
		return nil, &diff.Error{
			Code: diff.CodeStalePlan, Message: fmt.Sprintf("the plan is of pipeline %q, which is not configured", saved.Pipeline),
			Remedy: "nothing was written; name the configuration it was made with in --config",
		}
	}
	if err != nil {
		return nil, err
	}
	return &pipelines[0], nil
}

// wireApply wires what applies saved plans; it has no source.
func (p *program) wireApply(settings *config.Settings, pl *config.Pipeline) (*pipeline.Applier, error) {
	runner, t, err := p.wireSourceless(settings, pl, diff.KindApply)
	if err != nil {
		return nil, err
	}
	runner.Guard = guardOf(pl)
	return &pipeline.Applier{Runner: runner, History: state.NewReader(settings.State, pl.Name), Terms: termsOf(pl, t)}, nil
}

// saver returns what saves the pipeline's plan in the file at path, which must
// be able to take it; nothing, when there is no path.
func (w *wiring) saver(path string, table *diff.Table, pl *config.Pipeline) (func(*diff.Plan) error, error) {
	if path == "" {
		return func(*diff.Plan) error { return nil }, nil
	}
	if err := planfile.Check(path); err != nil { // before anybody is called
		return nil, err
	}
	t, err := w.open(pl, table)
	if err != nil {
		return nil, err
	}
	return func(plan *diff.Plan) error {
		now := w.now()
		return planfile.Write(path, &diff.SavedPlan{
			Plan: plan, Terms: termsOf(pl, t), Version: version(), Created: now, Expires: now.Add(w.settings.Plan.Valid),
		})
	}, nil
}

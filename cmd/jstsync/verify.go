package main

import (
	"context"
	"errors"

	"github.com/urfave/cli/v2"

	"jstsync/diff"
	"jstsync/internal/config"
	"jstsync/internal/pipeline"
	"jstsync/internal/report"
	"jstsync/state"
)

func (p *program) verifyCommand() *cli.Command {
	return &cli.Command{
		Name:  "verify",
		Usage: "find drift between source, snapshot and target, and mend the target",
		Description: "Reads the target, all rows as of one moment and without locking any, and\n" +
			"compares it with the snapshot, field by field: rows are missing, different or\n" +
			"extra. Rows that nobody has shown to be ours (after state rebuild), or that\n" +
			"other pipelines own (shared: true), are foreign: listed, and no drift.\n\n" +
			"--against source reads the source as well, and compares it with both: what a\n" +
			"sync would bring is drift too. both is the same.\n\n" +
			"--repair brings the target back to the snapshot, as a run of its own under the\n" +
			"ordinary guard; rows that are extra stay unless --delete-extra is given too.\n\n" +
			"Example: jstsync verify --pipeline shops\n" +
			"Example: jstsync verify --repair --delete-extra\n\n" +
			"Exit codes: 0 no drift, or none is left; 1 failed, 2 there is drift, 3 the\n" +
			"guard held the repair, 4 records are quarantined or deletes withheld, 5 busy or\n" +
			"diverged, 64 wrong usage, 78 configuration error, 130 or 143 stopped by a signal.",
		Flags: []cli.Flag{
			pipelineFlag(),
			&cli.StringFlag{Name: "against", Value: "target", Usage: "compare the snapshot with `WHAT`: target, source or both"},
			&cli.BoolFlag{Name: "repair", Usage: "bring the target back to the snapshot"},
			&cli.BoolFlag{Name: "delete-extra", Usage: "with --repair: delete rows that the snapshot lacks"},
			formatFlag("text, json or csv"),
			&cli.BoolFlag{Name: "excel", Usage: "CSV that Excel opens as it is"},
		},
		Action: p.verify,
	}
}

// verifyOptions are the flags of verify.
type verifyOptions struct {
	against             string
	repair, deleteExtra bool
	show                func(*report.Verification) error
}

func (p *program) verifyOptions(c *cli.Context) (o verifyOptions, err error) {
	o = verifyOptions{against: c.String("against"), repair: c.Bool("repair"), deleteExtra: c.Bool("delete-extra")}
	switch o.against {
	case "target", "source", "both":
	default:
		return o, usage("--against %q is none of target, source, both", o.against)
	}
	if o.deleteExtra && !o.repair {
		return o, usage("--delete-extra goes with --repair")
	}
	format, text := c.String("format"), p.text(c)
	switch {
	case c.Bool("excel") && c.IsSet("format") && format != "csv":
		return o, usage("--excel is CSV, and does not go with --format %s", format)
	case c.Bool("excel"), format == "csv":
		o.show = func(v *report.Verification) error { return report.VerificationCSV(p.stdout, v, c.Bool("excel")) }
	case format == "json":
		o.show = func(v *report.Verification) error { return report.VerificationJSON(p.stdout, v, o.against) }
	case format == "text":
		o.show = func(v *report.Verification) error { return text.Verification(p.stdout, v) }
	default:
		return o, usage("--format %q is none of text, json, csv", format)
	}
	return o, noArguments(c, "verify")
}

func (p *program) verify(c *cli.Context) (err error) {
	o, err := p.verifyOptions(c)
	if err != nil {
		return err
	}
	needs := []config.Need{config.NeedState, config.NeedTarget}
	if o.against != "target" {
		needs = append(needs, config.NeedApp)
	}
	settings, err := p.settings(c, needs...)
	if err != nil {
		return err
	}
	pl, err := onePipeline(c, settings)
	if err != nil {
		return err
	}
	if o.deleteExtra && pl.Deletes == config.DeletesKeep {
		return usage("--delete-extra does not go with deletes: keep, which pipeline %s has: delete the rows that are extra by hand", pl.Name)
	}
	w, err := p.wire(settings)
	if err != nil {
		return err
	}
	defer w.close()
	verifier, err := p.wireVerify(settings, pl)
	if err != nil {
		return err
	}
	var found *report.Verification
	defer func() { p.alertDrift(c.Context, settings, found) }() // when the lock is given back
	if o.repair {
		lock, err := state.Acquire(c.Context, settings.State, settings.LockTimeout, p.now())
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, p.endRuns(settings, lock)) }()
	}
	found, err = p.verified(c.Context, w, pl, verifier, o)
	defer func() { err = errors.Join(err, found.Changes.Close()) }()
	found.Err = err
	p.endProgress()
	p.status.add(verifyCode(found))
	if err != nil {
		p.explain(err)
	}
	return o.show(found)
}

// verified compares, or repairs and compares again.
func (p *program) verified(ctx context.Context, w *wiring, pl *config.Pipeline, v *pipeline.Verifier, o verifyOptions) (*report.Verification, error) {
	compare := v.Verify
	if o.repair {
		compare = func(ctx context.Context) (*pipeline.Drift, error) { return v.Repair(ctx, o.deleteExtra) }
	}
	drift, err := compare(ctx)
	found := &report.Verification{Plan: drift.Plan, Foreign: drift.Foreign, Behind: drift.Behind, Keep: pl.Deletes == config.DeletesKeep}
	if err == nil && drift.Status == diff.Committed {
		found.Left, err = left(ctx, v)
	}
	if err != nil || o.against == "target" {
		return found, err
	}
	planner, err := w.planner(pl)
	if err != nil {
		return found, err
	}
	found.Source, err = planner.Plan(ctx)
	return found, err
}

// alertDrift tells of drift, or that there is none any more.
func (p *program) alertDrift(ctx context.Context, settings *config.Settings, v *report.Verification) {
	n := p.newNotifier(settings, nil).once()
	switch {
	case n == nil || v == nil || v.Err != nil:
	case v.Status == diff.Committed:
		n.compared(ctx, v.Pipeline, v.Left)
	case v.Drifted():
		n.compared(ctx, v.Pipeline, max(v.Changes.Len(), 1))
	default:
		n.compared(ctx, v.Pipeline, 0)
	}
}

// left returns how many rows still differ after a repair.
func left(ctx context.Context, v *pipeline.Verifier) (int, error) {
	drift, err := v.Verify(ctx)
	n := drift.Changes.Len()
	return n, errors.Join(err, drift.Changes.Close())
}

// verifyCode returns the exit code of a verification.
func verifyCode(v *report.Verification) int {
	switch {
	case v.Err != nil:
		return codeOf(v.Err)
	case v.Status == diff.Held:
		return exitHeld
	case v.Source != nil && (len(v.Source.Quarantine) > 0 || len(v.Source.Withheld.Keys) > 0):
		return exitPartly
	case !v.Drifted():
		return exitOK
	default:
		return exitChanges
	}
}

// wireVerify wires what compares a target with the snapshot.
func (p *program) wireVerify(settings *config.Settings, pl *config.Pipeline) (*pipeline.Verifier, error) {
	runner, t, err := p.wireSourceless(settings, pl, diff.KindRepair)
	if err != nil {
		return nil, err
	}
	runner.Guard = guardOf(pl)
	return &pipeline.Verifier{
		Runner: runner, Stock: state.NewReader(settings.State, pl.Name), Shared: pl.Shared,
		Connect: func(ctx context.Context) (pipeline.Inspection, error) {
			s, err := t.Connect(ctx)
			if err != nil {
				return nil, err
			}
			return s, nil
		},
	}, nil
}

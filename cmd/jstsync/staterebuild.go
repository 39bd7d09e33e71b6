package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"jstsync/diff"
	"jstsync/internal/config"
	"jstsync/internal/pipeline"
	"jstsync/internal/report"
	"jstsync/load"
	"jstsync/state"
)

func (p *program) stateRebuildCommand() *cli.Command {
	return &cli.Command{
		Name:  "rebuild",
		Usage: "make the snapshot anew from the target table, and take the table over",
		Description: "For a table that something else filled, or whose state file is lost or of\n" +
			"another machine. Reads the table; writes nothing to MySQL but this pipeline's\n" +
			"row in jstsync_checkpoint, which shuts out whoever wrote the table before.\n" +
			"The rows are adopted: none is deleted before the source has shown its record.\n" +
			"Those that other pipelines own in a shared table are adopted with the rest.\n\n" +
			"Example: jstsync state rebuild --pipeline shops\n\n" +
			"Exit codes: 0 success, 1 failed, 5 busy or somebody wrote meanwhile, 64 wrong\n" +
			"usage, 78 configuration error, 130 or 143 stopped by a signal.",
		Flags:  []cli.Flag{pipelineFlag(), formatFlag("text or json")},
		Action: p.stateRebuild,
	}
}

func (p *program) stateRebuild(c *cli.Context) (err error) {
	settings, asJSON, err := p.stateFile(c)
	if err != nil {
		return err
	}
	if err := settings.Require(config.NeedTarget); err != nil {
		return err
	}
	pl, err := onePipeline(c, settings)
	if err != nil {
		return err
	}
	runner, connect, err := p.wireRebuild(settings, pl)
	if err != nil {
		return err
	}
	lock, err := state.Acquire(c.Context, settings.State, settings.LockTimeout, p.now())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.endRuns(settings, lock)) }()
	plan, err := runner.Rebuild(c.Context, connect)
	defer func(changes *diff.ChangeSet) { err = errors.Join(err, changes.Close()) }(plan.Changes)
	plan.Err = err
	if err == nil && pl.Shared {
		p.note(p.lang.Sprintf("table %s is shared: the rows adopted include those of %s; "+
			"pipeline %s counts them as foreign and neither changes nor deletes one before its own source has shown its record",
			pl.Table, p.sharers(settings, pl), pl.Name))
	}
	if asJSON {
		plan.Changes = diff.NewChangeSet(plan.Changes.Columns()) // the rows are the table's, not changes of it
		return errors.Join(err, report.PlanJSON(p.stdout, plan))
	}
	if err == nil {
		_, err = fmt.Fprintln(p.stdout, p.lang.Sprintf("%s  %d rows of %s adopted as run %d", pl.Name, plan.Changes.Len(), pl.Table, plan.Run))
	}
	return err
}

// sharers names the other pipelines of the pipeline's table.
func (p *program) sharers(settings *config.Settings, pl *config.Pipeline) string {
	var names []string
	for _, other := range settings.Pipelines {
		if other.Name != pl.Name && other.Table == pl.Table {
			names = append(names, other.Name)
		}
	}
	if names == nil {
		return p.lang.Text("the other pipelines that write it")
	}
	return p.lang.Sprintf("pipeline %s", strings.Join(names, ", "))
}

// wireRebuild wires what reads a target and takes it over; it has no source.
func (p *program) wireRebuild(settings *config.Settings, pl *config.Pipeline) (*pipeline.Runner, func(context.Context) (pipeline.Takeover, error), error) {
	runner, t, err := p.wireSourceless(settings, pl, diff.KindRebuild)
	if err != nil {
		return nil, nil, err
	}
	return runner, func(ctx context.Context) (pipeline.Takeover, error) {
		s, err := t.Connect(ctx)
		if err != nil {
			return nil, err
		}
		return s, nil
	}, nil
}

// wireSourceless wires a runner that asks no source.
func (p *program) wireSourceless(settings *config.Settings, pl *config.Pipeline, trigger string) (*pipeline.Runner, *load.Target, error) {
	w := &wiring{program: p, settings: settings}
	mapper, err := mapperOf(pl)
	if err != nil {
		return nil, nil, err
	}
	t, err := w.open(pl, mapper.Table())
	if err != nil {
		return nil, nil, err
	}
	return &pipeline.Runner{
		Planner: pipeline.Planner{
			Pipeline: pl.Name, Source: noSource{}, Log: p.log, State: state.NewReader(settings.State, pl.Name),
			Spill:   spillBeside(settings),
			Mapping: pipeline.Mapping{Mapper: mapper, Table: mapper.Table(), Fingerprint: mapper.Fingerprint()},
		},
		Target: target{t}, Trigger: trigger, Now: p.now, NewID: newID,
		Journal: state.NewJournal(settings.State, pl.Name, newID, p.now),
	}, t, nil
}

// noSource is the source of a run that asks nobody.
type noSource struct{}

func (noSource) Scan(context.Context, int, func(diff.Page) error) (diff.ScanInfo, error) {
	return diff.ScanInfo{}, errors.New("read a source that is none")
}

func (noSource) Witness(context.Context, []diff.Key, diff.Key) (diff.Witness, error) {
	return diff.Witness{}, errors.New("ask a source that is none")
}

func (noSource) Calls() []diff.Call { return nil }

package main

import (
	"io"
	"strconv"

	"github.com/urfave/cli/v2"

	"jstsync/diff"
	"jstsync/internal/config"
	"jstsync/internal/report"
	"jstsync/state"
)

func (p *program) runsCommand() *cli.Command {
	formats := []cli.Flag{
		formatFlag("text, json or csv"),
		&cli.BoolFlag{Name: "excel", Usage: "CSV that Excel opens as it is"},
	}
	return &cli.Command{
		Name:  "runs",
		Usage: "list past runs, newest first",
		Description: "Example: jstsync runs --limit 10\n\n" +
			"Exit codes: 0 success, 1 failed, 64 wrong usage, 78 configuration error.",
		Flags: append([]cli.Flag{
			&cli.IntFlag{Name: "limit", Usage: "only the newest `N`"},
			&cli.BoolFlag{Name: "summary", Usage: "outcomes and call times in sum, by pipeline; as text or JSON"},
		}, formats...),
		Action: p.runs,
		Subcommands: []*cli.Command{{
			Name: "show", Usage: "show one run", ArgsUsage: "RUN",
			Description: "Example: jstsync runs show 12\n\n" +
				"Exit codes: 0 success, 1 failed or no such run, 64 wrong usage, 78 configuration error.",
			Flags: formats, Action: p.runsShow,
		}},
	}
}

func (p *program) runs(c *cli.Context) error {
	if c.Args().Present() {
		return usage("runs takes no argument %q", c.Args().First())
	}
	if c.Int("limit") < 0 {
		return usage("--limit %d is negative", c.Int("limit"))
	}
	settings, err := p.settings(c, config.NeedState)
	if err != nil {
		return err
	}
	runs, err := state.Runs(settings.State, c.Int("limit"))
	if err != nil {
		return err
	}
	if c.Bool("summary") {
		return p.printSummary(c, runs)
	}
	return p.printRuns(c, runs, p.text(c).Runs)
}

func (p *program) runsShow(c *cli.Context) error {
	number, err := strconv.ParseUint(c.Args().First(), 10, 64)
	if err != nil || c.NArg() != 1 {
		return usage("runs show takes one run number")
	}
	settings, err := p.settings(c, config.NeedState)
	if err != nil {
		return err
	}
	run, err := state.RunDetail(settings.State, number)
	if err != nil {
		return err
	}
	if run == nil {
		return &diff.Error{Code: diff.CodeFailed, Message: "there is no run " + c.Args().First(), Remedy: "list them with jstsync runs"}
	}
	return p.printRuns(c, []diff.Run{*run}, func(w io.Writer, r []diff.Run) error { return p.text(c).RunDetail(w, &r[0]) })
}

func (p *program) printSummary(c *cli.Context, runs []diff.Run) error {
	sums := report.Summarize(runs)
	switch f := c.String("format"); f {
	case "json":
		return report.SummaryJSON(p.stdout, sums)
	case "text":
		return p.text(c).Sums(p.stdout, sums)
	default:
		return usage("--summary has no --format %q: it is text or json", f)
	}
}

func (p *program) printRuns(c *cli.Context, runs []diff.Run, text func(io.Writer, []diff.Run) error) error {
	switch f := c.String("format"); {
	case c.Bool("excel"):
		return report.RunsCSV(p.stdout, runs, true)
	case f == "csv":
		return report.RunsCSV(p.stdout, runs, false)
	case f == "json":
		return report.RunsJSON(p.stdout, runs)
	case f == "text":
		return text(p.stdout, runs)
	default:
		return usage("--format %q is none of text, json, csv", f)
	}
}

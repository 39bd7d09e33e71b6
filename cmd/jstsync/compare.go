package main

import (
	"github.com/urfave/cli/v2"

	"jstsync/internal/report"
)

func (p *program) compareCommand() *cli.Command {
	return &cli.Command{
		Name:      "compare",
		Usage:     "the net difference between the states after two runs",
		ArgsUsage: "RUN RUN",
		Description: "What turns the table as it stood after the first run into the table as it\n" +
			"stood after the second: a value that changed and changed back is no difference.\n" +
			"A time or a phrase may stand for a run.\n\n" +
			"Example: jstsync compare 12 40\n" +
			"Example: jstsync compare yesterday now --format csv\n\n" + auditCodes,
		Flags:  auditFlags(),
		Action: p.compare,
	}
}

func (p *program) compare(c *cli.Context) error {
	if c.NArg() != 2 {
		return usage("compare takes two runs")
	}
	a, err := p.audit(c, "", report.CompareHeading())
	if err != nil {
		return err
	}
	from, err := a.runAt(p, "RUN", c.Args().Get(0))
	if err != nil {
		return err
	}
	to, err := a.runAt(p, "RUN", c.Args().Get(1))
	if err != nil {
		return err
	}
	return a.end(a.Compare(from, to, a.Change))
}

package main

import "github.com/urfave/cli/v2"

func (p *program) snapshotCommand() *cli.Command {
	return &cli.Command{
		Name:  "snapshot",
		Usage: "the whole table as it stood at some time",
		Description: "Without --at as of the last commit; with it as it stood after a run, or at a\n" +
			"time; a day stands for its end. MySQL is not asked.\n\n" +
			"Example: jstsync snapshot --at 2026-01-31 --format csv\n\n" + auditCodes,
		Flags:  auditFlags(&cli.StringFlag{Name: "at", Usage: "as it stood after run, or at time, `X`"}),
		Action: p.snapshot,
	}
}

func (p *program) snapshot(c *cli.Context) error {
	if err := noArguments(c, "snapshot"); err != nil {
		return err
	}
	a, err := p.audit(c, "", nil)
	if err != nil {
		return err
	}
	run, err := a.runAt(p, "at", c.String("at"))
	if err != nil {
		return err
	}
	return a.end(a.SnapshotAt(run, a.Row))
}

package main

import (
	"github.com/urfave/cli/v2"

	"jstsync/internal/report"
)

func (p *program) historyCommand() *cli.Command {
	return &cli.Command{
		Name:      "history",
		Usage:     "one record's life: each version, oldest first",
		ArgsUsage: "KEY",
		Description: "The parts of a key of several are joined by /, with % and / inside a part\n" +
			"written %25 and %2F, as the other commands print it. With --blame: for each\n" +
			"field, which run gave it the value it has, and when.\n\n" +
			"Example: jstsync history 10394533 --blame\n\n" +
			"Exit codes: 0 success, 1 failed or nothing on record of the key, 64 wrong\n" +
			"usage, 78 configuration error.",
		Flags:  auditFlags(&cli.BoolFlag{Name: "blame", Usage: "each field's last change"}),
		Action: p.history,
	}
}

func (p *program) history(c *cli.Context) error {
	if c.NArg() != 1 {
		return usage("history takes one key")
	}
	a, err := p.audit(c, "", nil)
	if err != nil {
		return err
	}
	key, err := a.key(c.Args().First())
	if err != nil {
		return err
	}
	versions, err := a.History(key)
	if err == nil && len(versions) == 0 {
		err = noSuchKey(key, a.pipeline.Name)
	}
	if err != nil {
		return err
	}
	if c.Bool("blame") {
		for _, b := range report.BlameOf(versions) {
			if err := a.Blame(key, b); err != nil {
				return err
			}
		}
		return a.end(nil)
	}
	for _, v := range versions {
		if err := a.Version(v); err != nil {
			return err
		}
	}
	return a.end(nil)
}

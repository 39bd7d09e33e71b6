package main

import (
	"errors"

	"github.com/urfave/cli/v2"

	"jstsync/internal/planfile"
)

func (p *program) showCommand() *cli.Command {
	return &cli.Command{
		Name:      "show",
		Usage:     "print a saved plan",
		ArgsUsage: "FILE",
		Description: "Prints what plan --out saved, just as plan printed it. It takes no\n" +
			"configuration, no state file and no network.\n\n" +
			"Example: jstsync show plan.jst --format json\n\n" +
			"Exit codes: 0 success, also for a plan that the guard holds, 1 the file cannot\n" +
			"be read, is no plan, was altered, or is of a newer version, 64 wrong usage.",
		Flags:  []cli.Flag{formatFlag(planFormats)},
		Action: p.show,
	}
}

func (p *program) show(c *cli.Context) error {
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
	return errors.Join(show(saved.Plan), saved.Changes.Close())
}

// oneFile returns the one argument of a command that takes a saved plan.
func oneFile(c *cli.Context) (string, error) {
	if c.NArg() != 1 || c.Args().First() == "" {
		return "", usage("%s takes one file, which plan --out wrote", c.Command.Name)
	}
	return c.Args().First(), nil
}

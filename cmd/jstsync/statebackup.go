package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"jstsync/diff"
	"jstsync/internal/config"
	"jstsync/state"
)

func (p *program) stateBackupCommand() *cli.Command {
	return &cli.Command{
		Name: "backup", Usage: "copy the state file, also while a run works", ArgsUsage: "FILE",
		Description: "Writes the state file as of one moment to FILE, readable by its owner alone, and\n" +
			"checks the copy as state check does. A FILE that exists is not overwritten. The\n" +
			"copy holds the stored access tokens, sealed.\n\n" +
			"To restore one, put it in the place of the state file while nothing runs. When the\n" +
			"target has moved on since, the next sync says so and changes nothing.\n\n" +
			"Example: jstsync state backup /backup/jstsync-20261122.db\n\n" +
			"Exit codes: 0 written and sound, 1 failed, or written and state check finds\n" +
			"something in it, 64 wrong usage, 78 configuration error.",
		Action: p.stateBackup,
	}
}

func (p *program) stateBackup(c *cli.Context) error {
	if c.NArg() != 1 || c.Args().First() == "" {
		return usage("state backup takes one file name")
	}
	settings, err := p.settings(c, config.NeedState)
	if err != nil {
		return err
	}
	to := c.Args().First()
	verdict, err := state.Backup(settings.State, to)
	if err != nil {
		return err
	}
	if len(verdict.Problems) > 0 {
		return &diff.Error{
			Code: diff.CodeState, Message: fmt.Sprintf("%s is a copy of %s as it is, and that is not sound", to, settings.State),
			Remedy: "see jstsync state check",
		}
	}
	_, err = fmt.Fprintln(p.stdout, p.lang.Sprintf("%s  %d runs, %d commits, %d rows", to, verdict.Runs, verdict.Commits, verdict.Rows))
	return err
}

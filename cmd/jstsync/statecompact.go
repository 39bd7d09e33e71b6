package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"jstsync/diff"
	"jstsync/state"
)

func (p *program) stateCompactCommand() *cli.Command {
	return &cli.Command{
		Name:  "compact",
		Usage: "make the state file as small as its content",
		Description: "Writes the file anew beside itself, checks the new one and puts it in the place of\n" +
			"the old. Needs free space for a second file, and no run may work meanwhile. The\n" +
			"content stays what it is.\n\n" +
			"Example: jstsync state compact\n\n" +
			"Exit codes: 0 done, 1 failed, the file is as it was, 5 busy with another run,\n" +
			"64 wrong usage, 78 configuration error.",
		Action: p.stateCompact,
		Flags:  []cli.Flag{formatFlag("text or json")},
	}
}

func (p *program) stateCompact(c *cli.Context) (err error) {
	settings, asJSON, err := p.stateFile(c)
	if err != nil {
		return err
	}
	lock, err := state.Acquire(c.Context, settings.State, settings.LockTimeout, p.now())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	done, verdict, err := state.Compact(settings.State)
	if err != nil {
		return err
	}
	if len(verdict.Problems) > 0 {
		return &diff.Error{
			Code: diff.CodeState, Message: fmt.Sprintf("%s is not sound and was left as it is", settings.State),
			Remedy: "see jstsync state check",
		}
	}
	if asJSON {
		return json.NewEncoder(p.stdout).Encode(struct {
			Format int    `json:"format"`
			Path   string `json:"path"`
			Before int64  `json:"before"` // bytes
			After  int64  `json:"after"`
		}{1, settings.State, done.Before, done.After})
	}
	_, err = fmt.Fprintln(p.stdout, p.lang.Sprintf("%s  from %d to %d bytes", settings.State, done.Before, done.After))
	return err
}

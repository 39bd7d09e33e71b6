package main

import (
	"strings"

	"github.com/urfave/cli/v2"

	"jstsync/internal/config"
)

func (p *program) stateCommand() *cli.Command {
	return &cli.Command{
		Name:        "state",
		Usage:       "look after the state file",
		Description: "Example: jstsync state info\n\nExit codes: those of its commands.",
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usage("state has no command %q", c.Args().First())
			}
			return usage("state takes one of info, check, backup, compact, rebuild")
		},
		Subcommands: []*cli.Command{
			p.stateInfoCommand(), p.stateCheckCommand(), p.stateBackupCommand(), p.stateCompactCommand(), p.stateRebuildCommand(),
		},
	}
}

// stateFile returns the settings of a command on the state file that takes no
// argument, and whether it is to print JSON.
func (p *program) stateFile(c *cli.Context) (settings *config.Settings, asJSON bool, err error) {
	if c.Args().Present() {
		return nil, false, usage("state %s takes no argument %q", c.Command.Name, c.Args().First())
	}
	format := c.String("format")
	if format != "text" && format != "json" {
		return nil, false, usage("--format %q is neither text nor json", format)
	}
	settings, err = p.settings(c, config.NeedState)
	return settings, format == "json", err
}

// pipelineFlag names the pipeline of a command that works on one.
func pipelineFlag() cli.Flag {
	return &cli.StringFlag{Name: "pipeline", Usage: "work on the pipeline `NAME`; needed when there are several"}
}

// onePipeline returns the pipeline that --pipeline names, or the only one.
func onePipeline(c *cli.Context, settings *config.Settings) (*config.Pipeline, error) {
	var names []string
	if name := c.String("pipeline"); name != "" {
		names = append(names, name)
	}
	pipelines, err := choose(settings, names)
	if err != nil {
		return nil, err
	}
	if len(pipelines) > 1 {
		known := make([]string, len(pipelines))
		for i := range pipelines {
			known[i] = pipelines[i].Name
		}
		return nil, usage("there are %d pipelines: name one of %s with --pipeline", len(pipelines), strings.Join(known, ", "))
	}
	return &pipelines[0], nil
}

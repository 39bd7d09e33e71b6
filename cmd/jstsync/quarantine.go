package main

import (
	"github.com/urfave/cli/v2"

	"jstsync/internal/config"
	"jstsync/internal/report"
	"jstsync/state"
)

func (p *program) quarantineCommand() *cli.Command {
	return &cli.Command{
		Name:  "quarantine",
		Usage: "the records set aside, why and since when",
		Description: "Those that the last run which read the source to its end set aside, and since\n" +
			"which run without interruption. Their rows in the table stay as they are. A\n" +
			"record leaves by itself when it keeps the rules and fits its columns again.\n\n" +
			"Example: jstsync quarantine --format csv --excel > aside.csv\n\n" + auditCodes,
		Flags:  auditFlags(),
		Action: p.quarantine,
	}
}

func (p *program) quarantine(c *cli.Context) error {
	if err := noArguments(c, "quarantine"); err != nil {
		return err
	}
	format, err := listFormat(c)
	if err != nil {
		return err
	}
	settings, err := p.settings(c, config.NeedState)
	if err != nil {
		return err
	}
	pl, err := onePipeline(c, settings)
	if err != nil {
		return err
	}
	list, err := state.NewReader(settings.State, pl.Name).Quarantine()
	if err != nil {
		return err
	}
	switch format {
	case "json":
		return report.QuarantineJSON(p.stdout, pl.Name, list)
	case "csv":
		return report.QuarantineCSV(p.stdout, pl.Name, list, c.Bool("excel"))
	default:
		return p.text(c).Quarantine(p.stdout, list)
	}
}

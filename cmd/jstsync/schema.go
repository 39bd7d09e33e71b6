package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"jstsync/internal/config"
	"jstsync/load"
)

func (p *program) schemaCommand() *cli.Command {
	flags := []cli.Flag{pipelineFlag()}
	return &cli.Command{
		Name:        "schema",
		Usage:       "the DDL that the target table needs",
		Description: "Example: jstsync schema plan\n\nExit codes: those of its commands.",
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usage("schema has no command %q", c.Args().First())
			}
			return usage("schema takes one of plan, apply")
		},
		Subcommands: []*cli.Command{
			{
				Name: "plan", Usage: "print the DDL that would make the table fit, and what DDL cannot mend",
				Description: "Reads the server's description of the table and writes nothing.\n\n" +
					"Example: jstsync schema plan\n\n" +
					"Exit codes: 0 success, 1 failed or the table cannot be made to fit by adding\n" +
					"to it, 64 wrong usage, 78 configuration error.",
				Flags: flags, Action: p.schema((*load.Session).SchemaPlan),
			},
			{
				Name: "apply", Usage: "run that DDL: it only creates and adds",
				Description: "Creates the table, or adds the columns it lacks. Nothing is ever changed or\n" +
					"dropped: what that would take is printed for a person to run.\n\n" +
					"Example: jstsync schema apply\n\n" +
					"Exit codes: as of schema plan.",
				Flags: flags, Action: p.schema((*load.Session).SchemaApply),
			},
		},
	}
}

// schema returns the action of a verb about the target's DDL.
func (p *program) schema(do func(*load.Session, context.Context) ([]string, []load.Finding, error)) cli.ActionFunc {
	return func(c *cli.Context) (err error) {
		if c.Args().Present() {
			return usage("schema %s takes no argument %q", c.Command.Name, c.Args().First())
		}
		settings, err := p.settings(c, config.NeedTarget)
		if err != nil {
			return err
		}
		pl, err := onePipeline(c, settings)
		if err != nil {
			return err
		}
		mapper, err := mapperOf(pl)
		if err != nil {
			return err
		}
		t, err := (&wiring{program: p, settings: settings}).open(pl, mapper.Table())
		if err != nil {
			return err
		}
		session, err := t.Connect(c.Context)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, session.Close()) }()
		ddl, findings, err := do(session, c.Context)
		for _, statement := range ddl {
			if _, err := fmt.Fprintf(p.stdout, "%s;\n", statement); err != nil {
				return err
			}
		}
		if err == nil {
			p.findings(pl.Table, findings)
		}
		return err
	}
}

// findings prints what is to be known of the table. What keeps runs from
// writing it is a failure.
func (p *program) findings(table string, findings []load.Finding) {
	for _, f := range findings {
		fmt.Fprintf(p.stderr, "jstsync: %s\n", advised(p.lang, p.lang.Sprintf("%s: %s", p.lang.Text(string(f.Severity)),
			p.lang.Sentence("table "+table+" "+f.Message)), p.lang.Sentence(f.Remedy)))
		if f.Severity == load.SeverityError {
			p.status.add(exitFailed)
		}
	}
}

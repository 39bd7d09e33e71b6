package main

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"jstsync/internal/config"
)

func (p *program) configCommand() *cli.Command {
	const codes = "Exit codes: 0 success, 64 wrong usage, 78 configuration error."
	return &cli.Command{
		Name:        "config",
		Usage:       "validate and show the configuration",
		Description: "Example: jstsync config check\n\n" + codes,
		Action: func(c *cli.Context) error {
			if name := c.Args().First(); name != "" {
				return usage("config has no command %q", name)
			}
			return usage("config takes one of check, show, schema")
		},
		Subcommands: []*cli.Command{
			{
				Name:  "check",
				Usage: "report every mistake with its line, its column and a remedy",
				Description: "Reads the configuration and the environment, and says all that is wrong with\n" +
					"them, also with settings that only some commands use. An access token need\n" +
					"not be set, since one may be stored.\n\n" +
					"Example: jstsync config check --config other.yaml\n\n" + codes,
				Action: p.configCheck,
			},
			{
				Name:  "show",
				Usage: "print the settings in effect, defaults included and secrets masked",
				Description: "What no key, variable or default gives a value to is null.\n\n" +
					"Example: jstsync config show --format json\n\n" + codes,
				Flags:  []cli.Flag{&cli.StringFlag{Name: "format", Value: "yaml", Usage: "print as `FORMAT`: yaml or json"}},
				Action: p.configShow,
			},
			{
				Name:  "schema",
				Usage: "print the JSON Schema of the configuration, for editors",
				Description: "With the schema in a file, this line at the top of jstsync.yaml lets editors\n" +
					"that know the YAML language server complete and check it:\n" +
					"# yaml-language-server: $schema=jstsync.schema.json\n\n" +
					"Example: jstsync config schema > jstsync.schema.json\n\n" + codes,
				Action: p.configSchema,
			},
		},
	}
}

// configHost is what the configuration is read from.
func (p *program) configHost() config.Host {
	host := config.SystemHost()
	host.LookupEnv = p.getenv
	return host
}

// noArguments refuses arguments of a command that takes none.
func noArguments(c *cli.Context, name string) error {
	if c.Args().Present() {
		return usage("%s takes no argument %q", name, c.Args().First())
	}
	return nil
}

func (p *program) configCheck(c *cli.Context) error {
	if err := noArguments(c, "config check"); err != nil {
		return err
	}
	settings, err := config.Check(c.String("config"), p.configHost(), examine)
	if e, ok := errors.AsType[*config.Error](err); ok {
		p.explainConfig(e)
		return explainedError{e}
	}
	if err != nil {
		return err
	}
	checked := settings.File
	if checked == "" {
		checked = p.lang.Sprintf("environment (there is no %s)", config.DefaultFile)
	}
	_, err = fmt.Fprintln(p.stdout, p.lang.Sprintf("%s: ok", checked))
	return err
}

// explainConfig prints each mistake with the line of the file it is in.
func (p *program) explainConfig(e *config.Error) {
	for _, problem := range e.Problems {
		fmt.Fprintln(p.stderr, "jstsync: "+mistake(p.lang, problem))
		if excerpt := problem.Excerpt(); excerpt != "" {
			fmt.Fprintln(p.stderr, excerpt)
		}
	}
}

// explainedError is one that has been printed already.
type explainedError struct{ error }

func (e explainedError) Unwrap() error { return e.error }

func (p *program) configShow(c *cli.Context) error {
	if err := noArguments(c, "config show"); err != nil {
		return err
	}
	format := c.String("format")
	if format != "yaml" && format != "json" {
		return usage("--format %q is neither yaml nor json", format)
	}
	settings, err := p.settings(c)
	if err != nil {
		return err
	}
	text, err := settings.EffectiveYAML()
	if format == "json" {
		text, err = settings.EffectiveJSON()
		text = append(text, '\n')
	}
	if err != nil {
		return fmt.Errorf("write settings: %w", err)
	}
	_, err = p.stdout.Write(text)
	return err
}

func (p *program) configSchema(c *cli.Context) error {
	if err := noArguments(c, "config schema"); err != nil {
		return err
	}
	text, err := config.Schema()
	if err != nil {
		return fmt.Errorf("write schema: %w", err)
	}
	_, err = fmt.Fprintf(p.stdout, "%s\n", text)
	return err
}

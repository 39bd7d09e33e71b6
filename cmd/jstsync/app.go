package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lmittmann/tint"
	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"jstsync/diff"
	"jstsync/internal/config"
	"jstsync/internal/lang"
	"jstsync/internal/report"
)

// environment is what a process is given.
type environment struct {
	stdout, stderr io.Writer
	getenv         func(string) (string, bool)
	now            func() time.Time
}

// program is one invocation.
type program struct {
	environment
	log     *slog.Logger
	status  outcome
	lang    lang.Language
	several bool // pipelines in this command, so that each failure names its own
	pacers  pacers
	turns   sync.RWMutex // at the state file: its writers', shared by the pages of serve

	endProfile func() error
	bar        *report.Progress // nil where nobody would see it
}

// run executes one command line and returns its exit code.
func run(ctx context.Context, args []string, env environment) int {
	p := &program{environment: env, log: slog.New(slog.DiscardHandler), lang: lang.Of(env.getenv)}
	if len(args) > 1 && args[1] == completeVerb {
		_ = p.complete(args[2:]) // whoever types sees no error
		return exitOK
	}
	ctx, stop := withSignals(ctx)
	defer stop()
	app := p.app()
	err := app.RunContext(ctx, arrange(app, args))
	if err != nil {
		p.explain(err)
	}
	return exitCode(ctx, err, p.status)
}

func (p *program) app() *cli.App {
	app := &cli.App{
		Name:      "jstsync",
		Usage:     "keep MySQL tables equal to Jushuitan, writing only what changed",
		UsageText: "jstsync [global options] COMMAND [options] [arguments]",
		Description: "Exit codes: 0 success, 1 failed, 2 there are changes, 3 held by the guard,\n" +
			"4 done with quarantined records or withheld deletes, 5 busy or diverged,\n" +
			"64 wrong usage, 78 configuration error, 130 interrupted, 143 terminated.",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "config", Usage: "read settings from `FILE` (JSTSYNC_CONFIG; default jstsync.yaml, which may be absent)"},
			&cli.StringFlag{Name: "lang", Usage: "speak `LANGUAGE`: zh or en (default zh where LC_ALL or LANG begins with zh)"},
			&cli.StringFlag{Name: "log-level", Value: "info", Usage: "log from `LEVEL` up: debug, info, warn, error"},
			&cli.StringFlag{Name: "log-format", Value: "text", Usage: "log as `FORMAT`: text or json"},
			&cli.BoolFlag{Name: "no-color", Usage: "no colours (also NO_COLOR)"},
			&cli.BoolFlag{Name: "quiet", Usage: "log errors only"},
		}, profileFlags()...),
		Commands: []*cli.Command{
			p.initCommand(), p.configCommand(), p.doctorCommand(), p.authCommand(),
			p.planCommand(), p.showCommand(), p.applyCommand(), p.syncCommand(), p.serveCommand(),
			p.runsCommand(), p.changesCommand(), p.historyCommand(), p.compareCommand(), p.snapshotCommand(), p.quarantineCommand(), p.verifyCommand(),
			p.alertCommand(), p.schemaCommand(), p.stateCommand(), p.sandboxCommand(), p.completionCommand(), p.manCommand(), p.versionCommand(),
		},
		Writer: p.stdout, ErrWriter: p.stderr,
		HideVersion: true, HideHelpCommand: true, DisableSliceFlagSeparator: true,
		ExitErrHandler: func(*cli.Context, error) {},
		Before:         p.before,
		After:          func(*cli.Context) error { return p.profileEnd() },
		Action:         func(c *cli.Context) error { return noCommand(c) },
		OnUsageError:   onUsageError,
	}
	finish(app.Commands)
	return app
}

// finish gives every command what the library would otherwise do its own way.
func finish(commands []*cli.Command) {
	for _, c := range commands {
		c.OnUsageError, c.HideHelpCommand = onUsageError, true
		if run := c.Action; run != nil {
			c.Action = func(ctx *cli.Context) error { return helped(ctx, run(ctx)) }
		}
		finish(c.Subcommands)
	}
}

// helped makes a usage error point to the help of the command that was used.
func helped(c *cli.Context, err error) error {
	if e, ok := errors.AsType[*diff.Error](err); ok && e.Code == diff.CodeUsage {
		e.Remedy = fmt.Sprintf("see %s --help", c.Command.HelpName)
	}
	return err
}

func onUsageError(c *cli.Context, err error, _ bool) error { return helped(c, flagError(err)) }

// flagError says in our words what the library has against a flag, which it
// names with one dash.
func flagError(err error) error {
	text := err.Error()
	if name, ok := strings.CutPrefix(text, "flag provided but not defined: -"); ok {
		return usage("there is no flag --%s", name)
	}
	if name, ok := strings.CutPrefix(text, "flag needs an argument: -"); ok {
		return usage("--%s takes a value", name)
	}
	if what, ok := strings.CutPrefix(text, "invalid value "); ok {
		if value, rest, ok := strings.Cut(what, " for flag -"); ok {
			name, _, _ := strings.Cut(rest, ":")
			return usage("--%s does not take the value %s", name, value)
		}
	}
	return usage("%v", err)
}

func noCommand(c *cli.Context) error {
	if name := c.Args().First(); name != "" {
		return usage("there is no command %q", name)
	}
	_ = cli.ShowAppHelp(c)
	return nil
}

func usage(format string, args ...any) error {
	return &diff.Error{Code: diff.CodeUsage, Message: fmt.Sprintf(format, args...), Remedy: "see jstsync --help"}
}

// before reads the global flags, once for every command.
func (p *program) before(c *cli.Context) (err error) {
	if p.endProfile, err = profile(c); err != nil {
		return err
	}
	if p.lang, err = p.language(c.String("lang")); err != nil {
		return err
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.String("log-level"))); err != nil {
		return usage("--log-level %q is none of debug, info, warn, error", c.String("log-level"))
	}
	if c.Bool("quiet") {
		level = slog.LevelError
	}
	p.bar = p.newProgress(c)
	switch c.String("log-format") {
	case "json":
		p.log = slog.New(slog.NewJSONHandler(p.stderr, &slog.HandlerOptions{Level: level}))
	case "text":
		p.log = slog.New(tint.NewTextHandler(p.logWriter(), &tint.Options{
			Level: level, TimeFormat: time.TimeOnly, NoColor: !p.colors(c, p.stderr),
		}))
	default:
		return usage("--log-format %q is neither text nor json", c.String("log-format"))
	}
	return nil
}

// language is the one asked for, or that of the environment.
func (p *program) language(flag string) (lang.Language, error) {
	switch l := lang.Language(flag); l {
	case "":
		return lang.Of(p.getenv), nil
	case lang.English, lang.Chinese:
		return l, nil
	default:
		return lang.Of(p.getenv), usage("--lang %q is neither zh nor en", flag)
	}
}

// colors reports whether to colour what is written to w.
func (p *program) colors(c *cli.Context, w io.Writer) bool {
	no, _ := p.getenv("NO_COLOR")
	f, ok := w.(*os.File)
	return ok && no == "" && !c.Bool("no-color") && term.IsTerminal(int(f.Fd()))
}

// redirectedLimit is how many changes of a plan text lists in a file or a pipe.
const redirectedLimit = 1000

// text returns how to render text on stdout: a terminal is filled to its width,
// and a file or a pipe, where people search, gets every value whole.
func (p *program) text(c *cli.Context) report.Text {
	t := report.Text{Color: p.colors(c, p.stdout), Zone: p.now().Location(), Lang: p.lang}
	if f, ok := p.stdout.(*os.File); ok {
		t.Width, _, _ = term.GetSize(int(f.Fd()))
	}
	if columns, ok := p.getenv("COLUMNS"); ok && t.Width == 0 {
		t.Width, _ = strconv.Atoi(columns)
	}
	if t.Width == 0 {
		t.Width, t.Limit = -1, redirectedLimit
	}
	return t
}

// settings reads the configuration and makes sure that it has what the command
// needs.
func (p *program) settings(c *cli.Context, needs ...config.Need) (*config.Settings, error) {
	s, err := config.Load(c.String("config"), p.configHost(), examine)
	if err != nil {
		return nil, err
	}
	return s, s.WithFindings(s.Require(needs...))
}

// formatFlag is the --format of a command.
func formatFlag(formats string) cli.Flag {
	return &cli.StringFlag{Name: "format", Value: "text", Usage: "print as `FORMAT`: " + formats}
}

// explain prints an error as one line with its remedy. A configuration with
// several mistakes takes a line for each.
func (p *program) explain(err error) { p.explainWith("", err) }

// explainOf prints why a pipeline failed.
func (p *program) explainOf(plan *diff.Plan, err error) {
	if p.several {
		p.explainWith(p.lang.Sprintf("pipeline %s: ", plan.Pipeline), err)
		return
	}
	p.explain(err)
}

func (p *program) explainWith(prefix string, err error) {
	p.endProgress()
	if _, ok := errors.AsType[explainedError](err); ok {
		return
	}
	var e *diff.Error
	remedy := ""
	if errors.As(err, &e) {
		remedy = e.Remedy
	}
	for _, line := range lines(p.lang, err) {
		fmt.Fprintln(p.stderr, "jstsync: "+prefix+advised(p.lang, line, p.lang.Sentence(remedy)))
	}
}

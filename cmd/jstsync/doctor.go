package main

import (
	"cmp"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"jstsync/diff"
	"jstsync/extract"
	"jstsync/internal/config"
	"jstsync/internal/doctor"
	"jstsync/internal/report"
	"jstsync/state"
)

func (p *program) doctorCommand() *cli.Command {
	return &cli.Command{
		Name:  "doctor",
		Usage: "find what keeps runs from working, and say how to mend it",
		Description: "Looks at settings, the state file and its place, each account (one call for one\n" +
			"shop), the MySQL server, and each pipeline's tables, rights and checkpoint. Each\n" +
			"finding is ok, a note, a warning or an error, and says what was seen and what to\n" +
			"do. It goes on with half a configuration and says what is missing. Writes\n" +
			"nothing anywhere and renews no token.\n\n" +
			"Example: jstsync doctor --format json\n\n" +
			"Exit codes: 0 no error was found, 1 one was, 64 wrong usage, 78 the configuration\n" +
			"file cannot be read, 130 or 143 stopped by a signal.",
		Flags:  []cli.Flag{formatFlag("text or json")},
		Action: p.doctor,
	}
}

func (p *program) doctor(c *cli.Context) error {
	if err := noArguments(c, "doctor"); err != nil {
		return err
	}
	text := p.text(c).Checkup(p.stdout)
	show, end := text.Add, text.End
	switch f := c.String("format"); f {
	case "text":
	case "json":
		show = func(f *diff.Finding) error { return report.FindingJSON(p.stdout, f) }
		end = func() error { return nil }
	default:
		return usage("--format %q is neither text nor json", f)
	}
	checkup, unread := p.checkup(c)
	err := checkup.Run(c.Context, func(f diff.Finding) error {
		if f.Severity == diff.SeverityError {
			p.status.add(exitFailed)
		}
		return show(&f)
	})
	if err == nil {
		err = end()
	}
	if err == nil && unread != nil {
		err = explainedError{unread}
	}
	return err
}

// checkup wires what is looked at. Without a configuration that can be read,
// which is the error, that is little.
func (p *program) checkup(c *cli.Context) (*doctor.Checkup, error) {
	checkup := &doctor.Checkup{Sign: extract.SelfCheck, Now: p.now()}
	settings, mistakes, missing, err := config.Inspect(c.String("config"), p.configHost(), examine)
	if err != nil {
		checkup.Settings = ofConfig("config.file", unreadable(err))
		return checkup, err
	}
	checkup.Settings = slices.Concat(ofFile(settings), ofConfig("config.invalid", mistakes), ofConfig("config.missing", needed(missing)))
	checkup.TokenDays = settings.Alerts.Rules.TokenDays
	if settings.State != "" {
		checkup.State = func() []diff.Finding { return state.Examine(settings.State) }
	}
	quiet := &program{environment: p.environment, log: slog.New(slog.DiscardHandler)} // what is logged on the way are findings here
	w, err := quiet.wire(settings)
	if err != nil {
		return checkup, err
	}
	for _, name := range slices.Sorted(maps.Keys(w.accounts)) {
		checkup.Sources = append(checkup.Sources, w.doctorSource(w.accounts[name]))
	}
	w.doctorTarget(checkup)
	return checkup, nil
}

// unreadable returns what keeps the configuration from being read.
func unreadable(err error) []config.Problem {
	if e, ok := errors.AsType[*config.Error](err); ok {
		return e.Problems
	}
	return []config.Problem{{Message: err.Error()}}
}

// needed leaves out the access token, of which more is told elsewhere.
func needed(missing []config.Problem) []config.Problem {
	return slices.DeleteFunc(missing, func(p config.Problem) bool { return strings.HasSuffix(p.Path, ".access_token") })
}

// ofFile says where the settings come from.
func ofFile(settings *config.Settings) []diff.Finding {
	f := diff.Finding{Severity: diff.SeverityOK, ID: "config.file", Subject: settings.File, Evidence: diff.Say("is the configuration")}
	if settings.File == "" {
		f.Severity, f.Subject = diff.SeverityNote, config.DefaultFile
		f.Evidence, f.Remedy = diff.Say("does not exist: environment and defaults are in effect"), diff.Say("nothing, if that is meant; jstsync init writes a commented file")
	}
	return []diff.Finding{f}
}

// ofConfig makes findings of problems with the configuration.
func ofConfig(id string, problems []config.Problem) []diff.Finding {
	found := make([]diff.Finding, len(problems))
	for i, problem := range problems {
		f := diff.Finding{
			Severity: diff.SeverityError, ID: id, Subject: cmp.Or(problem.Path, problem.File), Remedy: diff.Say(cmp.Or(problem.Remedy, "correct it")),
			Evidence: diff.Say(strings.TrimPrefix(problem.Message, problem.Path+" ")),
		}
		if problem.Line > 0 {
			f.Evidence = diff.Say("%s (%s:%d:%d)", f.Evidence, problem.File, problem.Line, problem.Column)
		}
		switch parts := strings.SplitN(problem.Path+".", ".", 3); parts[0] {
		case "pipelines":
			f.Pipeline = parts[1]
		case "sources":
			f.Source = parts[1]
		}
		found[i] = f
	}
	return found
}

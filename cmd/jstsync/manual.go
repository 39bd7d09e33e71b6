package main

import (
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/urfave/cli/v2"
)

func (p *program) manCommand() *cli.Command {
	return &cli.Command{
		Name:  "man",
		Usage: "print the manual page",
		Description: "All commands, options, exit codes, files and variables on one page, for man(1).\n\n" +
			"Example: jstsync man | man -l -\n" +
			"Example: jstsync man > /usr/local/share/man/man1/jstsync.1\n\n" +
			"Exit codes: 0 success, 64 wrong usage.",
		Action: func(c *cli.Context) error {
			if err := noArguments(c, "man"); err != nil {
				return err
			}
			_, err := p.stdout.Write([]byte(manual(p.app())))
			return err
		},
	}
}

// entry is a name and what it stands for.
type entry struct{ name, text string }

// exitStatus lists the exit codes, as the README does.
func exitStatus() []entry {
	return []entry{
		{"0", "Success. For verify, and for plan with --detailed-exitcode: nothing to change."},
		{"1", "Failed. Nothing was half-done; it is safe to run again. Also: apply refused the plan, doctor found an error, state check found something, or the table holds rows that no run wrote."},
		{"2", "There are changes (plan --detailed-exitcode), or drift (verify)."},
		{"3", "The guard held the changes back; nothing was written. For plan only with --detailed-exitcode."},
		{"4", "Done, but records are quarantined or deletes were withheld. For plan only with --detailed-exitcode."},
		{"5", "Busy, in doubt, or the target is not where this state file left it."},
		{"64", "The command line is wrong."},
		{"78", "The configuration is wrong."},
		{"130, 143", "Interrupted, terminated. serve ends with 0 on SIGTERM."},
	}
}

func manualVariables() []entry {
	return []entry{
		{"JST_APP_KEY, JST_APP_SECRET, JST_ACCESS_TOKEN, JST_BASE_URL", "The account, where source leaves them unset. Not read when sources are named."},
		{"MYSQL_DSN", "The server, where target.dsn is unset: user:password@tcp(host:3306)/database."},
		{"JSTSYNC_STATE", "The state file, where state is unset."},
		{"JSTSYNC_CONFIG", "The configuration file, where --config is not given."},
		{"JSTSYNC_TOKEN", "The token that serve asks for, where serve.token is unset."},
		{"LC_ALL, LANG", "People are answered in Chinese where LC_ALL, or else LANG, begins with zh; --lang says otherwise."},
		{"NO_COLOR", "Set to anything: no colours."},
		{"COLUMNS", "The width of text that does not go to a terminal."},
		{"TMPDIR", "Where plan sets many changes aside."},
	}
}

func manualFiles() []entry {
	return []entry{
		{"jstsync.yaml", "The configuration, in the working directory. A file that holds a secret must be readable by its owner alone."},
		{"jstsync.db", "The state file: the snapshot, the record of every change, and the sealed access token. It belongs on a local disk."},
		{"jstsync.db.lock", "Held by the run that is under way."},
		{"jstsync.db.vN.bak", "What the state file was before its format was upgraded from N."},
	}
}

// manual writes the manual page in roff, as man(7) has it.
func manual(app *cli.App) string {
	r := &roff{}
	r.raw(fmt.Sprintf(`.TH JSTSYNC 1 "%s" "%s" "User Commands"`, buildDate(), escape("jstsync "+version()))) // a date is no text
	r.section("NAME")
	r.text("jstsync - " + app.Usage)
	r.section("SYNOPSIS")
	r.request("B", "jstsync")
	r.text(strings.TrimPrefix(app.UsageText, "jstsync "))
	r.section("DESCRIPTION")
	r.text("Each run reads every page of the shops that the Jushuitan ERP shows over its open API, compares each record with a local snapshot, " +
		"and writes only what changed, in one transaction. When nothing changed, MySQL is not even connected to.")
	r.paragraph("Flags may stand before or after arguments. Data goes to standard output, everything else to standard error.")
	r.section("GLOBAL OPTIONS")
	r.flags(app.Flags)
	r.section("COMMANDS")
	r.commands("jstsync", app.Commands)
	r.list("EXIT STATUS", exitStatus())
	r.list("ENVIRONMENT", manualVariables())
	r.list("FILES", manualFiles())
	return r.String()
}

// buildDate is the day of the commit that was built, "" when it is not known.
func buildDate() string {
	info, _ := debug.ReadBuildInfo()
	if info == nil {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.time" && len(s.Value) >= len("2006-01-02") {
			return s.Value[:len("2006-01-02")]
		}
	}
	return ""
}

// commands describes commands and those below them.
func (r *roff) commands(path string, commands []*cli.Command) {
	for _, c := range commands {
		name := path + " " + c.Name
		head := name
		if len(c.Flags) > 0 {
			head += " [options]"
		}
		if c.ArgsUsage != "" {
			head += " " + c.ArgsUsage
		}
		r.request("SS", head)
		r.text(strings.ToUpper(c.Usage[:1]) + c.Usage[1:] + ".")
		about, examples, _ := strings.Cut(c.Description, "Example: ")
		r.description(about)
		r.flags(c.Flags)
		r.description("Example: " + examples)
		r.commands(name, c.Subcommands)
	}
}

// description writes paragraphs; lines that begin with Example: are what one
// types.
func (r *roff) description(text string) {
	for part := range strings.SplitSeq(text, "\n\n") {
		if part = strings.TrimSpace(part); !strings.HasPrefix(part, "Example: ") {
			r.paragraph(part)
			continue
		}
		r.paragraph("Example:")
		r.request("RS")
		r.request("EX")
		r.text(strings.ReplaceAll(strings.TrimPrefix(part, "Example: "), "\nExample: ", "\n"))
		r.request("EE")
		r.request("RE")
	}
}

// flags describes those that are not hidden.
func (r *roff) flags(flags []cli.Flag) {
	for _, f := range flags {
		d, ok := f.(cli.DocGenerationFlag)
		if v, hides := f.(cli.VisibleFlag); !ok || hides && !v.IsVisible() {
			continue
		}
		head := "\\fB" + escape("--"+f.Names()[0]) + "\\fR"
		text := d.GetUsage()
		if before, rest, ok := strings.Cut(text, "`"); ok {
			value, after, _ := strings.Cut(rest, "`")
			head += " \\fI" + escape(value) + "\\fR"
			text = before + value + after
		}
		if value := d.GetValue(); d.TakesValue() && value != "" && value != "0" {
			text += fmt.Sprintf(" (default: %s)", value)
		}
		r.request("TP")
		r.raw(head)
		r.text(text)
	}
}

func (r *roff) list(title string, entries []entry) {
	r.section(title)
	for _, e := range entries {
		r.request("TP")
		r.raw("\\fB" + escape(e.name) + "\\fR")
		r.text(e.text)
	}
}

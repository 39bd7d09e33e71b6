package main

import (
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"jstsync/internal/config"
)

// commandLine is one that is being typed, as far as it goes.
type commandLine struct {
	app       *cli.App
	command   *cli.Command // nil until one is named
	arguments []string
	config    string   // the value of --config
	ended     bool     // by --: what follows are arguments
	awaits    cli.Flag // whose value the last word is
	prefix    string   // what stands before that value in the same word
	last      string
}

// readLine reads what is typed as [arrange] does: flags may stand anywhere. Where
// the shell splits words at an equals sign, as bash does, that is a word as well.
func readLine(app *cli.App, words []string) *commandLine {
	l := &commandLine{app: app}
	if len(words) == 0 {
		return l
	}
	last := len(words) - 1
	for _, word := range words[:last] {
		l.read(word)
	}
	l.last = words[last]
	if name, value, ok := strings.Cut(l.last, "="); ok && l.awaits == nil && strings.HasPrefix(name, "-") {
		l.awaits, l.prefix, l.last = l.valued(name), name+"=", value
	} else if l.awaits != nil && l.last == "=" {
		l.last = ""
	}
	return l
}

// read takes one whole word into account.
func (l *commandLine) read(word string) {
	switch {
	case l.awaits != nil && word == "=":
	case l.awaits != nil:
		l.set(l.awaits, word)
		l.awaits = nil
	case l.ended || !strings.HasPrefix(word, "-") || word == "-":
		if next := find(l.app, l.command, word); next != nil && len(l.arguments) == 0 && !l.ended {
			l.command = next
			return
		}
		l.arguments = append(l.arguments, word)
	case word == "--":
		l.ended = true
	default:
		name, value, whole := strings.Cut(word, "=")
		if l.awaits = l.valued(name); whole && l.awaits != nil {
			l.set(l.awaits, value)
			l.awaits = nil
		}
	}
}

func (l *commandLine) set(flag cli.Flag, value string) {
	if slices.Contains(flag.Names(), "config") {
		l.config = value
	}
}

// known returns the flags that may stand here: the command's own and the global
// ones.
func (l *commandLine) known() []cli.Flag {
	if l.command == nil {
		return l.app.Flags
	}
	return slices.Concat(l.command.Flags, l.app.Flags)
}

// valued returns the flag of that name if it takes a value, or nil.
func (l *commandLine) valued(name string) cli.Flag {
	name = strings.TrimLeft(name, "-")
	for _, f := range l.known() {
		if slices.Contains(f.Names(), name) && takesValue([]cli.Flag{f})[name] {
			return f
		}
	}
	return nil
}

// flags returns the flags that may be typed.
func (l *commandLine) flags() []candidate {
	var all []candidate
	for _, f := range l.known() {
		if v, ok := f.(cli.VisibleFlag); ok && !v.IsVisible() {
			continue
		}
		all = append(all, candidate{"--" + f.Names()[0], usageOf(f)})
	}
	return append(all, candidate{"--help", "show help"})
}

func usageOf(f cli.Flag) string {
	if d, ok := f.(cli.DocGenerationFlag); ok {
		return d.GetUsage()
	}
	return ""
}

// valuesOf returns the values of the flag that awaits one.
func (p *program) valuesOf(l *commandLine) []candidate {
	if l.awaits.Names()[0] == "pipeline" {
		return p.pipelinesOf(l)
	}
	found := regexp.MustCompile("`[A-Z]+`[a-z ]*: ([^(;]+)").FindStringSubmatch(usageOf(l.awaits)) // the list that it gives
	if found == nil {
		return nil
	}
	var all []candidate
	for part := range strings.SplitSeq(strings.NewReplacer(", or ", ", ", " or ", ", ").Replace(found[1]), ", ") {
		if word := strings.TrimSpace(part); !strings.Contains(word, " ") {
			all = append(all, candidate{word: word})
		}
	}
	return all
}

// argumentsOf returns the commands that may be typed next, or the arguments of
// the command that is.
func (p *program) argumentsOf(l *commandLine) []candidate {
	commands := l.app.Commands
	if l.command != nil {
		commands = l.command.Subcommands
	}
	var all []candidate
	if len(l.arguments) == 0 && !l.ended {
		for _, c := range commands {
			if !c.Hidden {
				all = append(all, candidate{c.Name, c.Usage})
			}
		}
	}
	if l.command == nil {
		return all
	}
	switch what := l.command.ArgsUsage; {
	case what == "[PIPELINE…]":
		all = append(all, p.pipelinesOf(l)...)
	case strings.Contains(what, "|") && len(l.arguments) == 0:
		for word := range strings.SplitSeq(what, "|") {
			all = append(all, candidate{word: word})
		}
	}
	return all
}

// pipelinesOf returns the configured pipelines that are not on the line yet; none
// where the configuration cannot be read.
func (p *program) pipelinesOf(l *commandLine) []candidate {
	settings, err := config.Load(l.config, p.configHost())
	if err != nil {
		return nil
	}
	var all []candidate
	for i := range settings.Pipelines {
		if pl := &settings.Pipelines[i]; !slices.Contains(l.arguments, pl.Name) {
			all = append(all, candidate{pl.Name, "pipeline into table " + pl.Table})
		}
	}
	return all
}

package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// arrange puts flags where the library looks for them: global ones first, a
// command's own before its arguments. "--" ends the flags.
func arrange(app *cli.App, args []string) []string {
	if len(args) == 0 {
		return args
	}
	global := takesValue(app.Flags)
	var command *cli.Command
	var path, globals, flags, rest []string
	for i := 1; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			rest = append(rest, args[i:]...)
			break
		}
		if !strings.HasPrefix(arg, "-") || arg == "-" {
			if next := find(app, command, arg); next != nil && len(rest) == 0 {
				command = next
				path = append(path, arg)
			} else {
				rest = append(rest, arg)
			}
			continue
		}
		name, _, hasValue := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		value, isGlobal := global[name]
		list := &globals
		if !isGlobal {
			list = &flags
			if command != nil {
				value = takesValue(command.Flags)[name]
			}
		}
		*list = append(*list, arg)
		if value && !hasValue && i+1 < len(args) {
			i++
			*list = append(*list, args[i])
		}
	}
	if slices.Contains(flags, "--help") || slices.Contains(flags, "-h") {
		rest = nil // the library takes an argument for a topic
	}
	out := append([]string{args[0]}, globals...)
	return append(append(append(out, path...), flags...), rest...)
}

// takesValue tells for each flag name whether a value follows it.
func takesValue(flags []cli.Flag) map[string]bool {
	takes := map[string]bool{}
	for _, f := range flags {
		_, isBool := f.(*cli.BoolFlag)
		for _, name := range f.Names() {
			takes[name] = !isBool
		}
	}
	return takes
}

func find(app *cli.App, parent *cli.Command, name string) *cli.Command {
	commands := app.Commands
	if parent != nil {
		commands = parent.Subcommands
	}
	for _, c := range commands {
		if c.HasName(name) {
			return c
		}
	}
	return nil
}

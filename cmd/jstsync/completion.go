package main

import (
	"embed"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"
)

// The scripts only ask the program, so that what they offer is what there is.
//
//go:embed completion
var completionScripts embed.FS

func (p *program) completionCommand() *cli.Command {
	return &cli.Command{
		Name:      "completion",
		Usage:     "print the completion script of a shell",
		ArgsUsage: "bash|zsh|fish",
		Description: "Commands, flags, the values of flags that have a list of them, and the names\n" +
			"of pipelines are completed. In the shell's own start file:\n\n" +
			"Example: source <(jstsync completion bash)    # in ~/.bashrc\n" +
			"Example: source <(jstsync completion zsh)     # in ~/.zshrc, after compinit\n" +
			"Example: jstsync completion fish | source     # in ~/.config/fish/config.fish\n\n" +
			"Exit codes: 0 success, 64 wrong usage.",
		Action: p.completion,
	}
}

func (p *program) completion(c *cli.Context) error {
	if c.NArg() != 1 {
		return usage("completion takes one of bash, zsh, fish")
	}
	script, err := completionScripts.ReadFile("completion/jstsync." + c.Args().First())
	if err != nil {
		return usage("completion has no script for %q: it takes one of bash, zsh, fish", c.Args().First())
	}
	_, err = p.stdout.Write(script)
	return err
}

// completeVerb asks what the last of the words behind it can become. It is for
// the scripts, and stands in no help.
const completeVerb = "__complete"

// candidate is what a word can become, and what that is.
type candidate struct{ word, about string }

// complete prints what the last word can become, one candidate a line with what
// it is behind a tab. Nothing at all leaves the word to the shell, which knows
// files.
func (p *program) complete(words []string) error {
	for _, c := range p.candidates(p.app(), words) {
		about, _, _ := strings.Cut(strings.ReplaceAll(c.about, "`", ""), "\n")
		if _, err := fmt.Fprintf(p.stdout, "%s\t%s\n", c.word, about); err != nil {
			return err
		}
	}
	return nil
}

// candidates returns what the last word can become, in the order of the help.
func (p *program) candidates(app *cli.App, words []string) []candidate {
	line := readLine(app, words)
	var all []candidate
	switch {
	case line.awaits != nil:
		all = p.valuesOf(line)
	case strings.HasPrefix(line.last, "-") && !line.ended:
		all = line.flags()
	default:
		all = p.argumentsOf(line)
	}
	var fit []candidate
	for _, c := range all {
		if strings.HasPrefix(c.word, line.last) {
			c.word = line.prefix + c.word
			fit = append(fit, c)
		}
	}
	return fit
}

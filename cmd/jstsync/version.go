package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/urfave/cli/v2"
)

func (p *program) versionCommand() *cli.Command {
	return &cli.Command{
		Name: "version", Usage: "print the version",
		Description: "Example: jstsync version\n\nExit codes: 0 success, 64 wrong usage.",
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usage("version takes no argument %q", c.Args().First())
			}
			_, err := fmt.Fprintf(p.stdout, "jstsync %s %s %s/%s\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

// version returns the module's version as the build recorded it.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

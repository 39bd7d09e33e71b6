// Command jstsync keeps MySQL tables equal to what the Jushuitan ERP shows over
// its open API, by writing only what changed.
//
// This package parses flags, calls one function of the packages below, and
// prints what it returned. One file holds one verb. Data goes to stdout,
// everything else to stderr.
package main

import (
	"context"
	"os"
	"time"
)

func main() {
	os.Exit(run(context.Background(), os.Args, environment{
		stdout: os.Stdout,
		stderr: os.Stderr,
		getenv: os.LookupEnv,
		now:    time.Now, //nolint:forbidigo // the clock of the program
	}))
}

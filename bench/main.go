package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], time.Now) //nolint:forbidigo // the one clock of the program
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1) //nolint:forbidigo // main ends the process
	}
}

// run is one of the processes that this program is.
func run(ctx context.Context, args []string, now func() time.Time) error {
	name := ""
	if len(args) > 0 {
		name = args[0]
	}
	switch name {
	case "serve":
		return serve(args[1:], os.Stdin, os.Stdout)
	default:
		return measureAll(ctx, args, os.Stderr, now)
	}
}

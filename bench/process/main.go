// Command process is the small program of bench: process exec runs another
// program and says what it used, since Linux counts what the starting process
// holds at that moment into the peak memory of the started; process floor is
// the minimal client.
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
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "process:", err)
		os.Exit(1) //nolint:forbidigo // main ends the process
	}
}

func run(ctx context.Context, args []string) error {
	now := time.Now //nolint:forbidigo // the one clock of the program
	switch {
	case len(args) > 1 && args[0] == "exec":
		return execute(ctx, args[1:], os.Stdout, now)
	case len(args) > 0 && args[0] == "floor":
		return floor(ctx, args[1:], now)
	default:
		return fmt.Errorf("usage: process exec PROGRAM [ARGUMENT…] | process floor [FLAG…]")
	}
}

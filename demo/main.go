package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/term"

	"jstsync/internal/report"
)

func main() {
	// SIGPIPE as well, so that a reader that goes away leaves no directory behind.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGPIPE, syscall.SIGTERM)
	err := run(ctx, os.Stdout, text(os.Stdout), time.Now) //nolint:forbidigo // the one clock of the program
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1) //nolint:forbidigo // main ends the process
	}
}

// text returns how to write to f: in colours on a terminal alone.
func text(f *os.File) report.Text {
	t := report.Text{Limit: 8}
	if fd := int(f.Fd()); term.IsTerminal(fd) {
		t.Color = os.Getenv("NO_COLOR") == ""
		t.Width, _, _ = term.GetSize(fd)
	}
	return t
}

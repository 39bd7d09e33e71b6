package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"jstsync/diff"
	"jstsync/internal/config"
	"jstsync/internal/lang"
)

// Exit codes, an interface; the README lists them.
const (
	exitOK          = 0
	exitFailed      = 1
	exitChanges     = 2
	exitHeld        = 3
	exitPartly      = 4
	exitBusy        = 5
	exitUsage       = 64
	exitConfig      = 78
	exitInterrupted = 130
	exitTerminated  = 143
)

// outcome collects how the pipelines of one command ended.
type outcome struct{ codes []int }

func (o *outcome) add(code int) { o.codes = append(o.codes, code) }

// code returns the first of 1, 5, 3, 4, 2, 0 that occurred.
func (o *outcome) code() int {
	for _, code := range []int{exitFailed, exitBusy, exitHeld, exitPartly, exitChanges} {
		for _, c := range o.codes {
			if c == code {
				return code
			}
		}
	}
	return exitOK
}

// exitCode is the one place where an error becomes an exit code.
func exitCode(ctx context.Context, err error, o outcome) int {
	if s, ok := errors.AsType[*signalError](context.Cause(ctx)); ok && (err != nil || o.code() == exitFailed) {
		return s.code()
	}
	if err == nil {
		return o.code()
	}
	if isConfig(err) {
		return exitConfig
	}
	return codeOf(err)
}

func isConfig(err error) bool {
	_, ok := errors.AsType[*config.Error](err)
	return ok
}

// codeOf returns the exit code of a failure.
func codeOf(err error) int {
	switch diff.CodeOf(err) {
	case diff.CodeUsage:
		return exitUsage
	case diff.CodeConfig:
		return exitConfig
	case diff.CodeBusy, diff.CodeInDoubt, diff.CodeDiverged:
		return exitBusy
	default:
		return exitFailed
	}
}

// failureCode returns the exit code of one failure among several outcomes, all
// of which code ranks.
func failureCode(err error) int {
	if codeOf(err) == exitBusy {
		return exitBusy
	}
	return exitFailed
}

// signalError is why a run was told to stop.
type signalError struct{ signal os.Signal }

func (e *signalError) Error() string { return fmt.Sprintf("stopped by signal %s", e.signal) }

func (e *signalError) code() int {
	if e.signal == syscall.SIGTERM {
		return exitTerminated
	}
	return exitInterrupted
}

// withSignals returns a context that ends with the first SIGINT or SIGTERM; a
// second one ends the process.
func withSignals(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case s := <-signals:
			signal.Stop(signals)
			cancel(&signalError{s})
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		cancel(nil)
	}
}

// lines returns the lines to print for an error: one, but for a configuration
// with several mistakes.
func lines(l lang.Language, err error) []string {
	text := strings.Split(strings.TrimSpace(err.Error()), "\n")
	wrong, ok := errors.AsType[*config.Error](err)
	if !ok {
		return []string{l.Sentence(strings.Join(text, "; "))}
	}
	mistakes := make(map[string]config.Problem, len(wrong.Problems))
	for _, p := range wrong.Problems {
		mistakes[p.String()] = p
	}
	for i, line := range text {
		if p, ok := mistakes[line]; ok {
			text[i] = mistake(l, p)
		} else {
			text[i] = l.Sentence(line)
		}
	}
	return text
}

// mistake writes a mistake in the configuration.
func mistake(l lang.Language, p config.Problem) string {
	remedy, variable := l.Sentence(p.Remedy), ""
	if name, wrong, ok := strings.Cut(p.Message, " "); ok && p.File == "" && name == strings.ToUpper(name) {
		variable, p.Message = name+" ", wrong // the message begins with the variable that it is about
	}
	p.Message, p.Remedy = variable+l.Sentence(p.Message), ""
	return advised(l, p.String(), remedy)
}

// advised joins what happened and what to do about it.
func advised(l lang.Language, what, remedy string) string {
	if remedy == "" {
		return what
	}
	return l.Sprintf("%s; %s", what, remedy)
}

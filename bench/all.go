package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// plan is which sizes are measured, and how often.
type plan struct{ records, rounds int }

func plans(quick bool) []plan {
	if quick {
		return []plan{{200, 2}, {1204, 2}}
	}
	return []plan{{200, 15}, {1204, 15}, {100_000, 5}, {1_000_000, 3}}
}

// measureAll builds the product, measures it, and writes the page.
func measureAll(ctx context.Context, args []string, progress io.Writer, now func() time.Time) (err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(progress)
	root := flags.String("root", ".", "the `DIR` of the repository")
	out := flags.String("out", "", "write the page to `FILE` (default docs/performance.md of the repository)")
	quick := flags.Bool("quick", false, "two rounds, without the largest sizes: for a look, not for the record")
	only := flags.Int("records", 0, "one round of `N` records alone: for a look, not for the record")
	history := flags.Bool("history", false, "the history alone: for a look, not for the record")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("there is nothing called %q to measure", flags.Arg(0))
	}
	if *out == "" {
		*out = filepath.Join(*root, "docs", "performance.md")
	}
	dir, err := os.MkdirTemp("", "jstsync-bench")
	if err != nil {
		return fmt.Errorf("make a directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	sizes := plans(*quick)
	if *only > 0 {
		sizes = []plan{{*only, 1}}
	}
	past := &auditSize{keys: 100_000, runs: 1000, changes: 1000, rounds: 5}
	switch {
	case *history:
		sizes = nil
	case *quick:
		past = &auditSize{keys: 1204, runs: 20, changes: 10, rounds: 2}
	case *only > 0:
		past = nil
	}
	page, err := measurePage(ctx, *root, dir, sizes, past, progress, now)
	if err != nil {
		return err
	}
	if err := os.WriteFile(*out, page, 0o644); err != nil { //nolint:gosec // a page of the documentation
		return fmt.Errorf("write the page: %w", err)
	}
	fmt.Fprintf(progress, "written: %s\n", *out)
	return nil
}

// measurePage measures everything with its files in dir and returns the page.
func measurePage(ctx context.Context, root, dir string, plans []plan, past *auditSize, progress io.Writer, now func() time.Time) ([]byte, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	b := &bench{self: self, product: filepath.Join(dir, "jstsync"), dir: dir}
	if err := build(ctx, root, b.product); err != nil {
		return nil, err
	}
	if b.db, err = startMariaDB(ctx, dir); err != nil {
		return nil, err
	}
	defer b.db.close()
	m := machine{mariadb: b.db.version, date: now()}
	m.look(b.product)
	var all []*series
	for _, p := range plans {
		s, err := b.measure(ctx, p.records, p.rounds, progress)
		if err != nil {
			return nil, fmt.Errorf("measure %d records: %w", p.records, err)
		}
		all = append(all, s)
	}
	var c *chronicle
	if past != nil {
		if c, err = b.measureAudit(ctx, *past, progress, now); err != nil {
			return nil, fmt.Errorf("measure the history: %w", err)
		}
	}
	m.loadAfter = load()
	var text bytes.Buffer
	writePage(&text, &m, all)
	if c != nil {
		writeAudit(&text, c)
	}
	return text.Bytes(), nil
}

// build builds the binary as it ships.
func build(ctx context.Context, root, product string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", product, "./cmd/jstsync")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the product: %w\n%s", err, out)
	}
	return nil
}

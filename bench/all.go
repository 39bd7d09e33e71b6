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

// plan is which size is measured, how often, and whether file syncs are counted.
type plan struct {
	records, rounds int
	trace           bool
}

// all is what is measured.
type all struct {
	sizes []plan
	past  *auditSize
	read  *readersSize
}

func full() all {
	return all{
		sizes: []plan{{200, 15, true}, {1204, 15, true}, {10_000, 9, true}, {100_000, 15, true}, {1_000_000, 3, false}},
		past:  &auditSize{keys: 100_000, runs: 1000, changes: 1000, rounds: 7},
		read:  &readersSize{records: 1204, readers: 50, phases: 5, phase: 6 * time.Second},
	}
}

func quick() all {
	return all{
		sizes: []plan{{200, 2, true}, {1204, 2, false}},
		past:  &auditSize{keys: 1204, runs: 20, changes: 10, rounds: 2},
		read:  &readersSize{records: 200, readers: 5, phases: 1, phase: time.Second},
	}
}

// measureAll builds the product, measures it, and writes the page and its plots.
func measureAll(ctx context.Context, args []string, progress io.Writer, now func() time.Time) (err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(progress)
	root := flags.String("root", ".", "the `DIR` of the repository")
	out := flags.String("out", "", "write the page to `FILE` (default docs/performance.md of the repository)")
	short := flags.Bool("quick", false, "two rounds, without the largest sizes: for a look, not for the record")
	only := flags.Int("records", 0, "three rounds of `N` records alone: for a look, not for the record")
	history := flags.Bool("history", false, "the history alone: for a look, not for the record")
	readers := flags.Bool("readers", false, "readers of the console alone: for a look, not for the record")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("there is nothing called %q to measure", flags.Arg(0))
	}
	if *out == "" {
		*out = filepath.Join(*root, "docs", "performance.md")
	}
	what := full()
	switch {
	case *short:
		what = quick()
	case *only > 0:
		what = all{sizes: []plan{{*only, 3, true}}}
	case *history:
		what.sizes, what.read = nil, nil
	case *readers:
		what.sizes, what.past = nil, nil
	}
	dir, err := os.MkdirTemp("", "jstsync-bench")
	if err != nil {
		return fmt.Errorf("make a directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	r, err := measure(ctx, *root, dir, what, progress, now)
	if err != nil {
		return err
	}
	return r.save(*out, progress)
}

// save writes the page and, beside it, its plots.
func (r *report) save(file string, progress io.Writer) error {
	var text bytes.Buffer
	r.write(&text)
	if err := os.WriteFile(file, text.Bytes(), 0o644); err != nil { //nolint:gosec // a page of the documentation
		return fmt.Errorf("write the page: %w", err)
	}
	fmt.Fprintf(progress, "written: %s\n", file)
	if len(r.sizes) < 2 {
		return nil
	}
	return r.plots(filepath.Dir(file))
}

// measure measures everything with its files in dir.
func measure(ctx context.Context, root, dir string, what all, progress io.Writer, now func() time.Time) (*report, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	b := &bench{self: self, process: filepath.Join(dir, "process"), product: filepath.Join(dir, "jstsync"), dir: dir}
	err = errors.Join(
		build(ctx, root, "-ldflags", "-s -w", "-tags", "urfave_cli_no_docs", "-o", b.product, "./cmd/jstsync"),
		build(ctx, filepath.Join(root, "bench"), "-o", b.process, "./process"),
	)
	if err != nil {
		return nil, err
	}
	if b.db, err = startMariaDB(ctx, dir); err != nil {
		return nil, err
	}
	defer b.db.close()
	r := &report{machine: machine{mariadb: b.db.version, date: now()}}
	r.machine.look(b.product)
	for range 15 {
		taken, err := b.execute(ctx, []string{b.product, "version"})
		if err != nil {
			return nil, err
		}
		r.start = append(r.start, sample{usage: taken})
	}
	for _, p := range what.sizes {
		s, err := b.measure(ctx, p, progress)
		if err != nil {
			return nil, fmt.Errorf("measure %d records: %w", p.records, err)
		}
		r.sizes = append(r.sizes, s)
	}
	if what.past != nil {
		if r.past, err = b.measureAudit(ctx, *what.past, progress, now); err != nil {
			return nil, fmt.Errorf("measure the history: %w", err)
		}
	}
	if what.read != nil {
		if r.reading, err = b.measureReaders(ctx, *what.read, progress, now); err != nil {
			return nil, fmt.Errorf("measure runs beside readers: %w", err)
		}
	}
	r.machine.loadAfter = load()
	return r, nil
}

// build builds a program as the product ships.
func build(ctx context.Context, dir string, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", append([]string{"build", "-trimpath"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	return nil
}

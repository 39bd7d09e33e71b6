package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"jstsync/diff"
	"jstsync/extract"
	"jstsync/internal/mapping"
	"jstsync/internal/pipeline"
	"jstsync/internal/report"
	"jstsync/internal/sandbox"
	"jstsync/load"
	"jstsync/state"
)

const (
	pipelineName = "shops"
	tableName    = "jst_shops"
	shopCount    = 30
	pageSize     = 10     // rows; small, so that there are pages to see
	fast         = 10_000 // calls a second: nobody has to wait for the sandbox
)

// world is a source, a target and a state file, and what the audience sees.
type world struct {
	out  io.Writer
	text report.Text
	now  func() time.Time

	source    *sandbox.Server
	base      *url.URL
	shut      func() error // ends the source
	target    *engine
	dir       string // holds the state file
	mapper    *mapping.Mapper
	committed []*diff.Plan // in the order of the runs
	steps     int
}

// openWorld starts everything. What it returns is to be closed.
func openWorld(out io.Writer, text report.Text, now func() time.Time) (w *world, err error) {
	w = &world{out: out, text: text, now: now}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	if w.dir, err = os.MkdirTemp("", "jstsync-demo"); err != nil {
		return w, fmt.Errorf("make a directory: %w", err)
	}
	columns, key := mapping.Shops()
	if w.mapper, err = mapping.New(tableName, columns, key); err != nil {
		return w, err
	}
	w.source = sandbox.New(sandbox.Options{Seed: 7, Shops: shopCount, PerSecond: -1, PerMinute: -1, Now: now})
	address, shut, err := sandbox.Listen("127.0.0.1:0", w.source)
	if err != nil {
		return w, err
	}
	w.shut = shut
	if w.base, err = url.Parse(address); err != nil {
		return w, fmt.Errorf("parse the sandbox's address: %w", err)
	}
	w.target, err = startEngine()
	return w, err
}

// close stops everything and leaves nothing behind.
func (w *world) close() error {
	var errs []error
	if w.target != nil {
		errs = append(errs, w.target.close())
	}
	if w.shut != nil {
		errs = append(errs, w.shut())
	}
	if w.dir != "" {
		errs = append(errs, os.RemoveAll(w.dir))
	}
	return errors.Join(errs...)
}

func (w *world) stateFile() string { return filepath.Join(w.dir, "jstsync.db") }

// planner wires what finds out what a run would do. The source is to be closed.
func (w *world) planner() (pipeline.Planner, *extract.Shops, error) {
	shops, err := extract.NewShops(extract.Options{
		BaseURL: w.base, AppKey: "sandbox-key", AppSecret: "sandbox-secret",
		Token: extract.StaticToken("sandbox-token"), PageSize: pageSize,
		PerSecond: fast, PerMinute: 60 * fast, ID: w.mapper.ID,
	})
	if err != nil {
		return pipeline.Planner{}, nil, err
	}
	return pipeline.Planner{
		Pipeline: pipelineName,
		Source:   shops,
		Mapping:  pipeline.Mapping{Mapper: w.mapper, Table: w.mapper.Table(), Fingerprint: w.mapper.Fingerprint()},
		State:    state.NewReader(w.stateFile(), pipelineName),
		Guard:    diff.Guard{MaxDeletes: 5, MaxDeletePercent: 10, MaxUpdates: 20, MaxUpdatePercent: 50},
		Log:      slog.New(slog.DiscardHandler),
	}, shops, nil
}

// plan is the command jstsync plan.
func (w *world) plan(ctx context.Context) (*diff.Plan, error) {
	planner, shops, err := w.planner()
	if err != nil {
		return nil, err
	}
	defer shops.Close()
	plan, err := planner.Plan(ctx)
	if err != nil {
		return nil, err
	}
	return plan, w.text.Plan(w.out, plan)
}

// sync is the command jstsync sync.
func (w *world) sync(ctx context.Context) (plan *diff.Plan, err error) {
	planner, shops, err := w.planner()
	if err != nil {
		return nil, err
	}
	defer shops.Close()
	t, err := load.Open(w.target.dsn, pipelineName, w.mapper.Table(), planner.Log)
	if err != nil {
		return nil, err
	}
	lock, err := state.Acquire(ctx, w.stateFile(), time.Second, w.now())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	runner := pipeline.Runner{
		Planner: planner, Target: target{t}, Trigger: "sync", Now: w.now, NewID: newID,
		Journal: state.NewJournal(w.stateFile(), pipelineName, newID, w.now),
	}
	if plan, err = runner.Sync(ctx); err != nil {
		return nil, err
	}
	if plan.Status == diff.Committed {
		w.committed = append(w.committed, plan)
	}
	return plan, w.text.Plan(w.out, plan)
}

// target is a load.Target as a run sees it.
type target struct{ *load.Target }

func (t target) Connect(ctx context.Context) (pipeline.Session, error) {
	s, err := t.Target.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return s, nil
}

func newID() (id diff.ID) {
	_, _ = rand.Read(id[:]) // never fails
	return id
}

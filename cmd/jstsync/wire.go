package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"

	"jstsync/diff"
	"jstsync/extract"
	"jstsync/internal/config"
	"jstsync/internal/mapping"
	"jstsync/internal/pipeline"
	"jstsync/load"
	"jstsync/state"
)

// wiring makes runners of settings.
type wiring struct {
	*program
	settings *config.Settings
	answers  answers
	base     *url.URL
	pacer    *extract.Pacer
	sources  []*extract.Shops
	auth     *extract.Auth // these of what writes; nil until they are asked for
	tokens   *extract.Tokens
}

type runner = *pipeline.Runner

func (p *program) wire(settings *config.Settings) (*wiring, error) {
	base, err := url.Parse(settings.Source.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("parse source.base_url: %w", err)
	}
	rate := settings.Source.Rate
	return &wiring{
		program: p, settings: settings, base: base,
		pacer: extract.NewPacer(extract.PacerOptions{PerSecond: rate.PerSecond, PerMinute: rate.PerMinute, Now: p.now}),
	}, nil
}

func (w *wiring) close() {
	for _, s := range w.sources {
		s.Close()
	}
	if w.auth != nil {
		w.auth.Close()
	}
}

// planner wires what finds out what a run would do: nothing in it can write,
// nor renew a token.
func (w *wiring) planner(pl *config.Pipeline) (pipeline.Planner, error) {
	return w.plannerWith(pl, w.savedToken())
}

func (w *wiring) plannerWith(pl *config.Pipeline, tokens extract.TokenSource) (pipeline.Planner, error) {
	if err := w.needToken(); err != nil {
		return pipeline.Planner{}, err
	}
	mapper, err := mapperOf(pl)
	if err != nil {
		return pipeline.Planner{}, err
	}
	source, err := w.source(pl.Name, mapper, tokens)
	if err != nil {
		return pipeline.Planner{}, err
	}
	return pipeline.Planner{
		Pipeline: pl.Name,
		Source:   source,
		Mapping:  pipeline.Mapping{Mapper: mapper, Table: mapper.Table(), Fingerprint: mapper.Fingerprint()},
		State:    state.NewReader(w.settings.State, pl.Name),
		Guard: diff.Guard{
			MaxDeletes: pl.Guard.MaxDeletes, MaxDeletePercent: float64(pl.Guard.MaxDeletePercent),
			MaxUpdates: pl.Guard.MaxUpdates, MaxUpdatePercent: float64(pl.Guard.MaxUpdatePercent),
			AllowEmpty: pl.Guard.AllowEmpty,
		},
		Keep: pl.Deletes == config.DeletesKeep,
		Log:  w.log,
	}, nil
}

// callOptions are those of every call.
func (w *wiring) callOptions() extract.Options {
	src := &w.settings.Source
	return extract.Options{
		BaseURL: w.base, AppKey: src.AppKey, AppSecret: src.AppSecret.Reveal(), Timeout: src.Timeout,
		MaxAttempts: src.Retry.MaxAttempts, MaxElapsed: src.Retry.MaxElapsed,
		Logger: w.log, Pacer: w.pacer, Now: w.now,
	}
}

func (w *wiring) source(pipeline string, mapper *mapping.Mapper, tokens extract.TokenSource) (*extract.Shops, error) {
	o := w.callOptions()
	o.Token, o.PageSize, o.ID = tokens, w.settings.Source.PageSize, mapper.ID
	if err := w.answers.apply(&o, pipeline, w.settings.Source.Record); err != nil {
		return nil, err
	}
	shops, err := extract.NewShops(o)
	if err == nil {
		w.sources = append(w.sources, shops)
	}
	return shops, err
}

// runner wires what also writes.
func (w *wiring) runner(pl *config.Pipeline) (*pipeline.Runner, error) {
	tokens, err := w.renewing()
	if err != nil {
		return nil, err
	}
	planner, err := w.plannerWith(pl, tokens)
	if err != nil {
		return nil, err
	}
	t, err := w.open(pl, planner.Mapping.Table)
	if err != nil {
		return nil, err
	}
	return &pipeline.Runner{
		Planner: planner, Target: target{t}, Trigger: "sync", Now: w.now, NewID: newID,
		Journal: state.NewJournal(w.settings.State, pl.Name, newID, w.now),
	}, nil
}

// open makes the pipeline's target, without connecting to it.
func (w *wiring) open(pl *config.Pipeline, table *diff.Table) (*load.Target, error) {
	return load.Open(w.settings.Target.DSN.Reveal(), pl.Name, table, w.log,
		load.WithDeletes(load.Deletes(pl.Deletes)), load.Shared(pl.Shared), load.WithJSON(mapping.CanonicalJSON))
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

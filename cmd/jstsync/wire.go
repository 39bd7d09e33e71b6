package main

import (
	"context"
	"crypto/rand"
	"log/slog"
	"slices"
	"time"

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
	accounts map[string]*account // by the names of their sources
	sources  []*extract.Shops
	grace    time.Duration // for a commit that is under way when a run is told to stop
	broken   error         // what a write of the state file ended with
}

func (p *program) wire(settings *config.Settings) (*wiring, error) {
	accounts, err := p.accounts(settings)
	return &wiring{program: p, settings: settings, accounts: accounts}, err
}

func (w *wiring) close() {
	for _, s := range w.sources {
		s.Close()
	}
	for _, a := range w.accounts {
		if a.auth != nil {
			a.auth.Close()
		}
	}
}

// accountOf returns the account that the pipeline reads.
func (w *wiring) accountOf(pl *config.Pipeline) *account {
	return w.accounts[w.settings.SourceOf(*pl).Name]
}

// logOf is the log of what belongs to the account.
func (w *wiring) logOf(a *account) *slog.Logger {
	if a.Name == "" {
		return w.log
	}
	return w.log.With("source", a.Name)
}

// planner wires what finds out what a run would do: nothing in it can write,
// nor renew a token.
func (w *wiring) planner(pl *config.Pipeline) (pipeline.Planner, error) {
	a := w.accountOf(pl)
	planner, err := w.plannerWith(pl, a, w.savedToken(a))
	planner.Spill = spillAnywhere
	return planner, err
}

func (w *wiring) plannerWith(pl *config.Pipeline, a *account, tokens extract.TokenSource) (pipeline.Planner, error) {
	if err := w.needToken(a); err != nil {
		return pipeline.Planner{}, err
	}
	mapper, err := mapperOf(pl)
	if err != nil {
		return pipeline.Planner{}, err
	}
	shops, err := w.shops(pl.Name, a, mapper, tokens)
	if err != nil {
		return pipeline.Planner{}, a.address(err)
	}
	return pipeline.Planner{
		Pipeline: pl.Name,
		Source:   source{shops, a},
		Mapping:  pipeline.Mapping{Mapper: mapper, Table: mapper.Table(), Fingerprint: mapper.Fingerprint()},
		State:    state.NewReader(w.settings.State, pl.Name),
		Guard:    guardOf(pl),
		Keep:     pl.Deletes == config.DeletesKeep,
		Log:      w.log,
		Progress: w.stage("reading %s", pl.Name),
	}, nil
}

// callOptions are those of every call to the account.
func (w *wiring) callOptions(a *account) extract.Options {
	return extract.Options{
		BaseURL: a.base, AppKey: a.AppKey, AppSecret: a.AppSecret.Reveal(), Timeout: a.Timeout,
		MaxAttempts: a.Retry.MaxAttempts, MaxElapsed: a.Retry.MaxElapsed,
		Logger: w.logOf(a), Pacer: a.pacer, Now: w.now,
	}
}

func (w *wiring) shops(pipeline string, a *account, mapper *mapping.Mapper, tokens extract.TokenSource) (*extract.Shops, error) {
	o := w.callOptions(a)
	o.Token, o.PageSize, o.ID = tokens, a.PageSize, mapper.ID
	if err := w.answers.apply(&o, pipeline, a.Record); err != nil {
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
	a := w.accountOf(pl)
	tokens, err := w.renewing(a)
	if err != nil {
		return nil, err
	}
	planner, err := w.plannerWith(pl, a, tokens)
	if err != nil {
		return nil, err
	}
	planner.Spill = spillBeside(w.settings)
	t, err := w.open(pl, planner.Mapping.Table)
	if err != nil {
		return nil, err
	}
	return &pipeline.Runner{
		Planner: planner, Target: target{t}, Trigger: "sync", Grace: w.grace, Now: w.now, NewID: newID,
		Journal: journal{state.NewJournal(w.settings.State, pl.Name, newID, w.now).Taking(&w.turns), w},
	}, nil
}

// open makes the pipeline's target, without connecting to it.
func (w *wiring) open(pl *config.Pipeline, table *diff.Table) (*load.Target, error) {
	return load.Open(w.settings.Target.DSN.Reveal(), pl.Name, table, w.log,
		load.WithDeletes(load.Deletes(pl.Deletes)), load.Shared(pl.Shared), load.WithJSON(mapping.CanonicalJSON),
		load.WithCommits(w.committed(pl)), load.WithChangesTable(pl.ChangesTable), load.WithProgress(w.stage("writing %s", pl.Name)))
}

// committed returns what tells whether a run is one of the pipeline's commits.
func (w *wiring) committed(pl *config.Pipeline) func(diff.ID) (bool, error) {
	history := state.NewReader(w.settings.State, pl.Name)
	return func(run diff.ID) (bool, error) {
		commits, err := history.Commits(0)
		return slices.ContainsFunc(commits, func(c diff.Head) bool { return c.RunID == run }), err
	}
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

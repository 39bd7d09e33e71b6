package main

import (
	"context"
	"slices"

	"jstsync/diff"
	"jstsync/extract"
	"jstsync/internal/config"
	"jstsync/internal/doctor"
	"jstsync/load"
	"jstsync/state"
)

// doctorSource wires the look at an account, which can neither renew a token
// nor store one.
func (w *wiring) doctorSource(a *account) doctor.Source {
	s := doctor.Source{Name: a.Name, Host: a.base.Host, Setting: settingOf(a.Source, "base_url"), Address: a.addressed}
	for setting, lacks := range map[string]bool{"app_key": a.AppKey == "", "app_secret": a.AppSecret == "", "base_url": a.BaseURL == ""} {
		if lacks {
			s.Lacks = append(s.Lacks, settingOf(a.Source, setting))
		}
	}
	slices.Sort(s.Lacks)
	s.Token = func() (*diff.Token, bool, error) {
		stored, err := w.vault(a).Token()
		if stored != nil || a.AccessToken == "" {
			return stored, stored != nil, err
		}
		return &diff.Token{Access: a.AccessToken.Reveal()}, false, err
	}
	s.Call = func(ctx context.Context, access string) (doctor.Answer, error) {
		o := w.callOptions(a)
		o.Token = extract.StaticToken(access)
		shops, err := extract.NewShops(o)
		if err != nil {
			return doctor.Answer{}, err
		}
		defer shops.Close()
		probe, err := shops.Probe(ctx)
		return doctor.Answer(probe), err
	}
	return s
}

// doctorTarget wires the look at the server and the tables.
func (w *wiring) doctorTarget(checkup *doctor.Checkup) {
	const setting = "target.dsn (MYSQL_DSN)"
	checkup.Target = &doctor.Target{Setting: setting}
	if w.settings.Require(config.NeedTarget) != nil || w.settings.Target.DSN == "" {
		return
	}
	server, err := load.Open(w.settings.Target.DSN.Reveal(), "", &diff.Table{}, w.log)
	if err != nil {
		return // never: the settings were checked
	}
	checkup.Target.Name, checkup.Target.Connect = server.Server(), connecting(server)
	for i := range w.settings.Pipelines {
		pl := &w.settings.Pipelines[i]
		mapper, err := mapperOf(pl)
		if err != nil {
			continue // a finding of the settings
		}
		t, err := w.open(pl, mapper.Table())
		if err != nil {
			continue // as well
		}
		checkup.Pipelines = append(checkup.Pipelines, doctor.Pipeline{
			Name: pl.Name, Connect: connecting(t), Position: state.NewReader(w.settings.State, pl.Name).Position,
		})
	}
}

func connecting(t *load.Target) func(context.Context) (doctor.Session, error) {
	return func(ctx context.Context) (doctor.Session, error) {
		s, err := t.Connect(ctx)
		if err != nil {
			return nil, err
		}
		return s, nil
	}
}

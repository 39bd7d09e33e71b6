package main

import (
	"cmp"

	"github.com/urfave/cli/v2"

	"jstsync/extract"
	"jstsync/internal/config"
)

// answers says where the answers of the API are written to, or read from
// instead of calling it.
type answers struct{ record, replay string }

func recordFlag() cli.Flag {
	return &cli.StringFlag{Name: "record", Usage: "keep the API's answers in a new directory in `DIR`, and remove those older than source.record.keep, 7 days; instead of source.record.dir"}
}

// answersOf reads the flags.
func answersOf(c *cli.Context) (answers, error) {
	a := answers{record: c.String("record"), replay: c.String("replay")}
	for _, name := range []string{"record", "replay"} {
		if c.IsSet(name) && c.String(name) == "" {
			return a, usage("--%s is empty: it takes a directory", name)
		}
	}
	if a.record != "" && a.replay != "" {
		return a, usage("--record and --replay exclude each other: what is replayed is recorded already")
	}
	return a, nil
}

// needs returns the settings that reading the source takes.
func (a answers) needs() []config.Need {
	if a.replay != "" {
		return []config.Need{config.NeedState}
	}
	return []config.Need{config.NeedState, config.NeedApp}
}

// pipelines returns the named pipelines, or when none is named and one run is
// replayed, that run's.
func (a answers) pipelines(named []string) []string {
	if len(named) == 0 && a.replay != "" {
		if of := extract.RecordedPipeline(a.replay); of != "" {
			return []string{of}
		}
	}
	return named
}

// apply makes the calls of a pipeline be recorded or replayed; a flag counts
// before the setting.
func (a answers) apply(o *extract.Options, pipeline string, set config.Record) (err error) {
	dir := cmp.Or(a.record, set.Dir)
	switch {
	case a.replay != "":
		o.Replay, err = extract.OpenReplay(a.replay, pipeline)
	case dir != "":
		o.Record = &extract.Record{Dir: dir, Pipeline: pipeline, Keep: set.Keep}
	}
	return err
}

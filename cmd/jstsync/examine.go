package main

import (
	"errors"
	"fmt"
	"time"

	"jstsync/internal/config"
	"jstsync/internal/mapping"
	"jstsync/internal/schedule"
	"jstsync/internal/serve"
	"jstsync/load"
)

// examine finds the mistakes in settings that only their users know: what can be
// found without the network must not wait for a run.
func examine(s *config.Settings) []config.Finding {
	var found []config.Finding
	if dsn := s.Target.DSN.Reveal(); dsn != "" {
		for _, wrong := range load.CheckDSN(dsn) {
			found = append(found, config.Finding{Path: "target.dsn", Message: wrong.Message, Remedy: wrong.Remedy})
		}
	}
	for i := range s.Pipelines {
		pl := &s.Pipelines[i]
		found = append(found, examineColumns(pl)...)
		found = append(found, examineRules(pl)...)
	}
	found = append(found, examineServe(s)...)
	return append(found, examineShared(s)...)
}

// examineServe makes sure that what others can reach takes a token, and that
// each cron line comes round.
func examineServe(s *config.Settings) []config.Finding {
	var found []config.Finding
	if l := s.Serve.Listen; l != "" && !serve.Loopback(l) && s.Serve.Token == "" {
		found = append(found, config.Finding{
			Path: "serve.listen", Message: "can be reached from other machines, and no token is asked for",
			Remedy: "set serve.token (JSTSYNC_TOKEN), or listen on 127.0.0.1",
		})
	}
	for i := range s.Pipelines {
		pl := &s.Pipelines[i]
		if pl.Cron == "" {
			continue
		}
		if _, err := schedule.Cron(pl.Cron, time.UTC); err != nil {
			found = append(found, config.Finding{Path: pathOf(pl) + ".cron", Message: "names no time that ever comes", Remedy: "correct the day or the month"})
		}
	}
	return found
}

func pathOf(pl *config.Pipeline) string { return "pipelines." + pl.Name }

// examineColumns compiles the columns, and makes sure that they hold the key.
func examineColumns(pl *config.Pipeline) []config.Finding {
	columns, _ := mapping.Shops()
	mistakes := mapping.CheckKey(columns, pl.Key)
	if len(pl.Columns) > 0 {
		mistakes = mapping.Check(specsOf(pl), pl.Key)
	}
	var found []config.Finding
	for _, err := range mistakes {
		if wrong, ok := errors.AsType[*mapping.SpecError](err); ok && !causedBy(pl, wrong) {
			found = append(found, finding(pl, wrong))
		}
	}
	if mapper, err := mapperOf(pl); len(mistakes) == 0 && err == nil && mapper.IDColumn() == "" && pl.Deletes != config.DeletesKeep {
		found = append(found, config.Finding{
			Path:    pathOf(pl) + ".columns",
			Message: "has no column that is mapped as it is from " + mapping.ShopID + ", by which the source is asked whether a record is gone",
			Remedy:  "add {name: " + mapping.ShopID + ", type: BIGINT}, or write deletes: keep",
		})
	}
	return found
}

// causedBy reports whether a mistake only follows from a setting that has no
// value: that is a mistake of its own, and known.
func causedBy(pl *config.Pipeline, wrong *mapping.SpecError) bool {
	switch {
	case wrong.Kind == "key":
		for _, c := range pl.Columns {
			if c.From == "" && c.Expr == "" {
				return true
			}
		}
		return wrong.Name == ""
	case wrong.Field == "name":
		return pl.Columns[wrong.Index].Name == ""
	case wrong.Field == "type":
		return pl.Columns[wrong.Index].Type == ""
	case wrong.Field == "clean" && wrong.Item >= 0:
		return pl.Columns[wrong.Index].Clean[wrong.Item] == ""
	}
	return false
}

// examineRules compiles the rules, and makes sure that what a unique one
// compares is mapped.
func examineRules(pl *config.Pipeline) []config.Finding {
	columns, _ := mapping.Shops()
	if len(pl.Columns) > 0 {
		columns, _ = mapping.Compile(specsOf(pl))
	}
	var found []config.Finding
	for i := range pl.Rules {
		rule, err := mapping.CompileRule(ruleSpec(&pl.Rules[i]))
		mistakes := []error{err}
		if err == nil && columns != nil {
			mistakes = mapping.CheckUnique(columns, rule)
		}
		for _, err := range mistakes {
			if wrong, ok := errors.AsType[*mapping.SpecError](err); ok && !unwritten(&pl.Rules[i]) {
				wrong.Index = i
				found = append(found, finding(pl, wrong))
			}
		}
	}
	return found
}

// unwritten reports whether a rule has no condition, which is a mistake of its
// own, and known.
func unwritten(r *config.Rule) bool {
	return r.Expr+r.NotNull+r.Length+r.Range+r.Regex+r.OneOf == "" && len(r.Unique) == 0
}

// finding says at which setting a mistake is.
func finding(pl *config.Pipeline, wrong *mapping.SpecError) config.Finding {
	list := map[string]string{"column": "columns", "rule": "rules", "key": "key"}[wrong.Kind]
	path := fmt.Sprintf("%s.%s[%d]", pathOf(pl), list, wrong.Index)
	if wrong.Field != "" {
		path += "." + wrong.Field
	}
	if wrong.Item >= 0 {
		path += fmt.Sprintf("[%d]", wrong.Item)
	}
	return config.Finding{Path: path, At: wrong.Err.At, Message: wrong.Err.Message, Remedy: wrong.Err.Remedy, Quotes: true}
}

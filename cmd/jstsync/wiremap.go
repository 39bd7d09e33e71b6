package main

import (
	"cmp"
	"errors"

	"jstsync/diff"
	"jstsync/internal/config"
	"jstsync/internal/mapping"
	"jstsync/load"
)

// mapperOf compiles a pipeline's columns, whose mistakes examine has found before.
func mapperOf(pl *config.Pipeline) (*mapping.Mapper, error) {
	columns, _ := mapping.Shops()
	var mistakes []error
	if len(pl.Columns) > 0 {
		columns, mistakes = mapping.Compile(specsOf(pl))
	}
	rules := make([]*mapping.Rule, len(pl.Rules))
	for i := range pl.Rules {
		rule, err := mapping.CompileRule(ruleSpec(&pl.Rules[i]))
		rules[i], mistakes = rule, append(mistakes, err)
	}
	if err := errors.Join(mistakes...); err != nil {
		return nil, &diff.Error{Code: diff.CodeConfig, Message: "pipelines." + pl.Name, Err: err}
	}
	mapper, err := mapping.New(pl.Table, columns, pl.Key, rules...)
	if err != nil {
		return nil, &diff.Error{Code: diff.CodeConfig, Message: "pipelines." + pl.Name, Err: err}
	}
	return mapper, nil
}

// specsOf returns the columns that a pipeline's configuration describes.
func specsOf(pl *config.Pipeline) []mapping.Spec {
	specs := make([]mapping.Spec, len(pl.Columns))
	for i, c := range pl.Columns {
		specs[i] = mapping.Spec{
			Name: c.Name, From: c.From, Type: c.Type, Nullable: c.Nullable, Comment: c.Comment,
			Default: c.Default, Expr: c.Expr, Clean: c.Clean,
		}
	}
	return specs
}

// ruleSpec returns the rule that a configuration describes.
func ruleSpec(r *config.Rule) mapping.RuleSpec {
	return mapping.RuleSpec{
		Name: r.Name, OnFail: cmp.Or(r.OnFail, config.OnFailWarn), Expr: r.Expr, NotNull: r.NotNull, Unique: r.Unique,
		Length: r.Length, Range: r.Range, Min: r.Min, Max: r.Max, Regex: r.Regex, Pattern: r.Pattern, OneOf: r.OneOf, Values: r.Values,
	}
}

func guardOf(pl *config.Pipeline) diff.Guard {
	return diff.Guard{
		MaxDeletes: pl.Guard.MaxDeletes, MaxDeletePercent: float64(pl.Guard.MaxDeletePercent),
		MaxUpdates: pl.Guard.MaxUpdates, MaxUpdatePercent: float64(pl.Guard.MaxUpdatePercent),
		AllowEmpty: pl.Guard.AllowEmpty,
	}
}

// termsOf returns what a saved plan of the pipeline holds for.
func termsOf(pl *config.Pipeline, t *load.Target) diff.Terms {
	return diff.Terms{Target: t.Identity(), Deletes: pl.Deletes, Shared: pl.Shared}
}

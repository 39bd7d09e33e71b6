package main

import (
	"errors"
	"fmt"

	"jstsync/diff"
	"jstsync/internal/config"
	"jstsync/internal/mapping"
)

// mapperOf compiles a pipeline's columns.
func mapperOf(pl *config.Pipeline) (*mapping.Mapper, error) {
	columns, _ := mapping.Shops()
	if len(pl.Columns) > 0 {
		specs := make([]mapping.Spec, len(pl.Columns))
		for i, c := range pl.Columns {
			specs[i] = mapping.Spec{
				Name: c.Name, From: c.From, Type: c.Type, Nullable: c.Nullable, Comment: c.Comment,
				Default: c.Default, Expr: c.Expr, Clean: c.Clean,
			}
		}
		var mistakes []error
		if columns, mistakes = mapping.Compile(specs); mistakes != nil {
			return nil, badColumns(pl, errors.Join(mistakes...))
		}
	}
	mapper, err := mapping.New(pl.Table, columns, pl.Key)
	if err != nil {
		return nil, badColumns(pl, err)
	}
	if mapper.IDColumn() == "" && pl.Deletes != config.DeletesKeep {
		return nil, badColumns(pl, fmt.Errorf("no column is mapped as it is from %s, by which the source is asked whether a record is gone; "+
			"add {name: %s, type: BIGINT}, or write deletes: keep", mapping.ShopID, mapping.ShopID))
	}
	return mapper, nil
}

func badColumns(pl *config.Pipeline, err error) error {
	return &diff.Error{Code: diff.CodeConfig, Message: "pipelines." + pl.Name, Err: err}
}

// supported refuses settings that are understood and not yet acted upon, where
// ignoring them would do something else than what was asked for.
func supported(s *config.Settings, pl *config.Pipeline) error {
	refuse := func(path string) error {
		return &diff.Error{
			Code: diff.CodeConfig, Message: fmt.Sprintf("%s is not supported by this version", path),
			Remedy: "remove it",
		}
	}
	switch {
	case len(s.Sources) > 1:
		return refuse("more than one account under sources")
	case len(pl.Rules) > 0:
		return refuse("pipelines." + pl.Name + ".rules")
	case pl.ChangesTable != "":
		return refuse("pipelines." + pl.Name + ".changes_table")
	}
	return nil
}

package main

import (
	"fmt"
	"slices"
	"strings"

	"jstsync/diff"
	"jstsync/internal/config"
)

// examineShared finds pipelines that share a table and cannot: of two, the later
// by name is reported.
func examineShared(s *config.Settings) []config.Finding {
	var found []config.Finding
	tables := map[string]*diff.Table{}
	for i := range s.Pipelines {
		pl := &s.Pipelines[i]
		if !pl.Shared || pl.Table == "" || len(examineColumns(pl)) > 0 {
			continue
		}
		mapper, err := mapperOf(pl)
		if err != nil {
			continue
		}
		tables[pl.Name] = mapper.Table()
		for j := range s.Pipelines[:i] {
			other := &s.Pipelines[j]
			if theirs := tables[other.Name]; theirs != nil && other.Table == pl.Table {
				wrong := sharing(s, pl, other, tables[pl.Name], theirs)
				if found = append(found, wrong...); wrong != nil {
					break
				}
			}
		}
	}
	return found
}

// sharing says what keeps two pipelines from sharing their table.
func sharing(s *config.Settings, pl, other *config.Pipeline, ours, theirs *diff.Table) []config.Finding {
	var found []config.Finding
	wrong := func(setting, remedy, format string, args ...any) {
		found = append(found, config.Finding{
			Path: pathOf(pl) + "." + setting, Remedy: remedy,
			Message: fmt.Sprintf(format, args...) + fmt.Sprintf(" pipeline %q, which shares the table", other.Name),
		})
	}
	if a, b := keyShape(ours), keyShape(theirs); !strings.EqualFold(a, b) {
		wrong("key", "give both the same key columns", "is held by the column %s, but %s by", a, b)
		return found
	}
	if account := s.SourceOf(*pl); account != nil && account == s.SourceOf(*other) && slices.Equal(pl.Key, other.Key) && len(pl.Rules)+len(other.Rules) == 0 {
		wrong("shared", "read another account, or write another table", "cannot be: the account, and so every row, is that of")
	}
	for i, c := range ours.Columns {
		setting := fmt.Sprintf("columns[%d]", i)
		if other.Deletes == config.DeletesSoft && strings.EqualFold(c.Name, "deleted_at") {
			wrong(setting+".name", "rename it", "is the column in which the time of a delete is kept by")
		}
		theirs, mapped := columnNamed(theirs, c.Name)
		switch {
		case !mapped && c.NotNull && c.Default == nil:
			wrong(setting+".nullable", "write nullable: true or a default, or map the column there too", "must be true: column %s gets no value from", c.Name)
		case mapped && theirs.Type != c.Type:
			wrong(setting+".type", "write the same type in both", "is %s, but %s for column %s in", c.Type, theirs.Type, c.Name)
		}
	}
	for _, c := range theirs.Columns {
		if _, mapped := columnNamed(ours, c.Name); !mapped && c.NotNull && c.Default == nil {
			wrong("columns", "map it here too, or write nullable: true or a default there", "leave out column %s, which is NOT NULL in", c.Name)
		}
		if pl.Deletes == config.DeletesSoft && strings.EqualFold(c.Name, "deleted_at") {
			wrong("deletes", "rename that column", "needs the column deleted_at, which is mapped by")
		}
	}
	return found
}

func columnNamed(t *diff.Table, name string) (diff.Column, bool) {
	i := slices.IndexFunc(t.Columns, func(c diff.Column) bool { return strings.EqualFold(c.Name, name) })
	if i < 0 {
		return diff.Column{}, false
	}
	return t.Columns[i], true
}

// keyShape writes the columns of a key with their types.
func keyShape(t *diff.Table) string {
	parts := make([]string, len(t.Key))
	for i, col := range t.Key {
		parts[i] = fmt.Sprintf("%s %s", t.Columns[col].Name, t.Columns[col].Type)
	}
	return strings.Join(parts, ", ")
}

package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// validate checks what one setting alone does not tell, and fills what depends
// on another.
func (d *decoder) validate(s *Settings) {
	for i := range s.Pipelines {
		p := &s.Pipelines[i]
		path := "pipelines." + p.Name
		d.checkSource(s, p, path)
		d.checkColumns(p, path)
		d.unique(path+".rules", namesOf(p.Rules, func(r Rule) string { return r.Name }))
		for n := range p.Rules {
			d.checkRule(&p.Rules[n], fmt.Sprintf("%s.rules[%d]", path, n))
		}
	}
	d.checkTables(s.Pipelines)
	d.unique("alerts.channels", namesOf(s.Alerts.Channels, func(c Channel) string { return c.Name }))
	if len(s.Sources) == 1 {
		s.Source = s.Sources[0]
	}
}

// at is where the path, or else what it is part of, stands in the file.
func (d *decoder) at(path string) origin {
	for path != "" {
		if at, ok := d.places[path]; ok {
			return at
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return origin{}
}

func (d *decoder) wrong(path, message, remedy string) {
	d.report(d.at(path), path, fault{message, remedy})
}

// sound tells whether nothing is wrong with, and nothing missing of, a path and
// what is part of it.
func (d *decoder) sound(path string) bool {
	return d.faultless(path) && !slices.ContainsFunc(d.missing, func(p Problem) bool { return within(p.Path, path) })
}

// faultless tells whether nothing is wrong with a path and what is part of it.
func (d *decoder) faultless(path string) bool {
	return !slices.ContainsFunc(d.problems, func(p Problem) bool { return within(p.Path, path) })
}

// within tells whether a path is that of a section, or of what is part of it.
func within(path, section string) bool {
	rest, ok := strings.CutPrefix(path, section)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// unique reports the second of two equal names in a list, whatever their case.
func (d *decoder) unique(path string, names []string) {
	for i, name := range names {
		first := slices.IndexFunc(names, func(other string) bool { return strings.EqualFold(other, name) })
		if name != "" && first < i {
			d.wrong(fmt.Sprintf("%s[%d].name", path, i), fmt.Sprintf("is the name of entry %d as well", first+1), "rename one of them")
		}
	}
}

// checkSource makes sure that the pipeline reads a source that there is.
func (d *decoder) checkSource(s *Settings, p *Pipeline, path string) {
	names := namesOf(s.Sources, Source.name)
	at := path + ".source"
	switch {
	case !d.sound(at) || !d.faultless("sources"):
	case len(names) == 0 && p.Source != "":
		d.wrong(at, "names a source, but the file has no sources", "remove it, or put the account under sources")
	case len(names) == 0:
	case p.Source == "" && len(names) == 1:
		p.Source = names[0]
	case p.Source == "":
		where := d.at(path)
		if where == (origin{}) { // the pipeline is not written
			where = d.places["sources"]
		}
		d.report(where, path, fault{"does not say which source it reads", "add source: " + orList(names)})
	case !slices.Contains(names, p.Source):
		remedy := "known: " + quoteAll(names)
		if best := nearest(p.Source, names); best != "" {
			remedy = fmt.Sprintf("did you mean %q? %s", best, remedy)
		}
		d.wrong(at, "is no source of this file", remedy)
	}
}

// checkColumns completes the columns and makes sure that they can hold the key.
func (d *decoder) checkColumns(p *Pipeline, path string) {
	path += ".columns"
	d.unique(path, namesOf(p.Columns, func(c Column) string { return c.Name }))
	for i := range p.Columns {
		d.checkColumn(p, i, fmt.Sprintf("%s[%d]", path, i))
	}
	if len(p.Columns) == 0 || !d.sound(path) {
		return
	}
	for i, member := range p.Key {
		mapped := slices.ContainsFunc(p.Columns, func(c Column) bool { return c.From == member })
		at := fmt.Sprintf("pipelines.%s.key[%d]", p.Name, i)
		if member != "" && !mapped {
			d.wrong(at, "is a source field that no column is mapped from", "add a column with from: and this field")
		}
	}
}

func (d *decoder) checkColumn(p *Pipeline, i int, path string) {
	c := &p.Columns[i]
	if c.From == "" && c.Expr == "" && d.sound(path+".from") && d.sound(path+".expr") {
		c.From = c.Name
	}
	t, wrong := parseType(c.Type)
	typed := wrong == (fault{})
	if c.From != "" && slices.Contains(p.Key, c.From) && c.From == firstFrom(p.Columns[:i], c.From) {
		_, written := d.places[path+".nullable"]
		switch {
		case written && c.Nullable:
			d.wrong(path+".nullable", "must be false for a column of the key", "remove it")
		case typed && (t.base == "TEXT" || t.base == "JSON"):
			d.wrong(path+".type", t.base+" cannot be a column of the key", "write VARCHAR(n)")
		}
		c.Nullable = false
	}
	d.checkClean(c.Clean, path+".clean")
	if c.Default != nil && typed {
		if wrong := t.checkDefault(*c.Default); wrong != (fault{}) {
			d.wrong(path+".default", wrong.message, wrong.remedy)
		}
	}
	if p.Deletes == DeletesSoft && strings.EqualFold(c.Name, "deleted_at") {
		d.wrong(path+".name", "is the column in which deletes: soft keeps the time of the delete", "rename it")
	}
}

// checkClean reports the second of two cleaning steps of which one undoes the other.
func (d *decoder) checkClean(steps []string, path string) {
	for _, pair := range [][2]string{{"upper", "lower"}, {"null_to_empty", "empty_to_null"}} {
		i, j := slices.Index(steps, pair[0]), slices.Index(steps, pair[1])
		if i >= 0 && j >= 0 {
			d.wrong(fmt.Sprintf("%s[%d]", path, max(i, j)), "undoes "+steps[min(i, j)], "keep one of them")
		}
	}
}

// firstFrom gives from when no earlier column is mapped from it: the first that
// is holds the key.
func firstFrom(earlier []Column, from string) string {
	if slices.ContainsFunc(earlier, func(c Column) bool { return c.From == from }) {
		return ""
	}
	return from
}

// checkTables makes sure that two pipelines write one table only when both say so.
func (d *decoder) checkTables(pipelines []Pipeline) {
	for i, p := range pipelines {
		for _, other := range pipelines[:i] {
			if p.Table != "" && p.Table == other.Table && (!p.Shared || !other.Shared) {
				a, b := other.Name, p.Name
				if d.before("pipelines."+b, "pipelines."+a) {
					a, b = b, a
				}
				d.wrong("pipelines."+b+".table", fmt.Sprintf("is the table of pipeline %q as well as of %q", a, b), "name another table, or set shared: true in both")
				break
			}
		}
	}
	for _, p := range pipelines {
		writes := slices.IndexFunc(pipelines, func(o Pipeline) bool { return strings.EqualFold(o.Table, p.ChangesTable) })
		if p.ChangesTable != "" && writes >= 0 {
			d.wrong("pipelines."+p.Name+".changes_table", fmt.Sprintf("is the table of pipeline %q", pipelines[writes].Name), "name another table")
		}
	}
}

// before tells whether a stands before b in the file.
func (d *decoder) before(a, b string) bool {
	x, y := d.at(a), d.at(b)
	return cmp.Or(cmp.Compare(x.line, y.line), cmp.Compare(x.column, y.column)) < 0
}

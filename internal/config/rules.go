package config

import (
	"slices"
	"strings"
)

// condition is one way to write a rule, and the settings that belong to it.
type condition struct {
	key     string
	set     bool
	belongs []string
}

func (r *Rule) conditions() []condition {
	bounds := []string{"min", "max"}
	return []condition{
		{"expr", r.Expr != "", nil},
		{"not_null", r.NotNull != "", nil},
		{"unique", len(r.Unique) > 0, nil},
		{"length", r.Length != "", bounds},
		{"range", r.Range != "", bounds},
		{"regex", r.Regex != "", []string{"pattern"}},
		{"one_of", r.OneOf != "", []string{"values"}},
	}
}

// details returns the settings that belong to one condition or another, and
// whether they are set.
func (r *Rule) details() []condition {
	return []condition{
		{"min", r.Min != "", nil},
		{"max", r.Max != "", nil},
		{"pattern", r.Pattern != "", nil},
		{"values", len(r.Values) > 0, nil},
	}
}

// checkRule makes sure that a rule has one condition and what belongs to it.
func (d *decoder) checkRule(r *Rule, path string) {
	all := r.conditions()
	keys := namesOf(all, func(c condition) string { return c.key })
	given := slices.DeleteFunc(all, func(c condition) bool { return !c.set })
	switch {
	case !d.sound(path):
	case len(given) == 0:
		d.wrong(path, "has no condition", "add "+orList(keys))
	case len(given) > 1:
		d.wrong(path, "has both "+given[0].key+" and "+given[1].key, "make two rules of it")
	default:
		d.checkDetails(r, given[0], path)
	}
}

func (d *decoder) checkDetails(r *Rule, c condition, path string) {
	var missing, has []string
	for _, detail := range r.details() {
		belongs := slices.Contains(c.belongs, detail.key)
		switch {
		case belongs && detail.set:
			has = append(has, detail.key)
		case belongs:
			missing = append(missing, detail.key)
		case detail.set:
			d.wrong(path+"."+detail.key, "does not go with "+c.key, "remove it")
		}
	}
	if len(has) == 0 && len(missing) > 0 {
		d.wrong(path, "has "+c.key+" without "+strings.Join(missing, " or "), "add "+orList(missing))
	}
}

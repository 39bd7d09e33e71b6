package mapping

import (
	"slices"
	"strings"

	"jstsync/diff"
)

// CheckKey returns what keeps the columns from holding the key, each a
// [*SpecError] about a member of the key or about the column that is to hold it.
func CheckKey(columns []Column, key []string) []error {
	var errs []error
	for i, member := range key {
		if _, wrong := keyColumn(columns, member); wrong != nil {
			if wrong.Kind == "key" {
				wrong.Index = i
			}
			errs = append(errs, wrong)
		}
	}
	return errs
}

// keyColumn returns the index of the column that holds a member of the key. A
// key is never cleaned: the record of a row is found by it.
func keyColumn(columns []Column, member string) (int, *SpecError) {
	i := slices.IndexFunc(columns, func(c Column) bool { return c.Expr == nil && c.From == member })
	if i < 0 {
		remedy := "add a column with from: " + member
		if fields := mapped(columns); len(fields) > 0 {
			remedy += ", or name one of " + strings.Join(fields, ", ")
		}
		return -1, &SpecError{Kind: "key", Name: member, Item: -1, Err: mistake(remedy, "no column is mapped from it")}
	}
	c := &columns[i]
	wrong := func(field string, m *MistakeError) (int, *SpecError) {
		return i, &SpecError{Kind: "column", Index: i, Name: c.Name, Field: field, Item: -1, Err: m}
	}
	changed := mistake("remove them, and clean in another column", "column %s has cleaning steps or a default, which would change keys", c.Name)
	switch {
	case len(c.Clean) > 0:
		return wrong("clean", changed)
	case c.Default != nil:
		return wrong("default", changed)
	case c.Type.Base == diff.JSON:
		return wrong("type", mistake("use VARCHAR(n)", "column %s is %s, which MySQL takes for no key", c.Name, c.Type))
	}
	return i, nil
}

// mapped returns the members that columns are mapped from as they are.
func mapped(columns []Column) []string {
	var members []string
	for _, c := range columns {
		if c.Expr == nil && c.From != "" && !slices.Contains(members, c.From) {
			members = append(members, c.From)
		}
	}
	return members
}

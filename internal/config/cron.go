package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// cronField is one of the five of a cron line.
type cronField struct {
	name        string
	least, most int
	words       string // names of the values, from the least on
}

func cronFields() []cronField {
	return []cronField{
		{"minute", 0, 59, ""},
		{"hour", 0, 23, ""},
		{"day of month", 1, 31, ""},
		{"month", 1, 12, "jan feb mar apr may jun jul aug sep oct nov dec"},
		{"day of week", 0, 6, "sun mon tue wed thu fri sat"},
	}
}

// checkCron takes five fields of numbers, ranges, steps and lists of these, and
// writes them with single blanks between them.
func checkCron(text string) (string, fault) {
	parts := strings.Fields(text)
	all := cronFields()
	if len(parts) != len(all) {
		return "", fault{fmt.Sprintf("must have five fields, not %d", len(parts)), `write minute, hour, day of month, month and day of week, as in "*/5 8-22 * * *"`}
	}
	for i, part := range parts {
		for one := range strings.SplitSeq(part, ",") {
			if !all[i].takes(one) {
				return "", fault{
					fmt.Sprintf("the %s is not *, a number of %d to %d, a range or a step", all[i].name, all[i].least, all[i].most),
					"write it like *, 5, 1-5, */5 or 0-30/10",
				}
			}
		}
	}
	return strings.Join(parts, " "), fault{}
}

// takes tells whether the text is *, a number or a range, the first and the last with a step or not.
func (f cronField) takes(text string) bool {
	span, step, stepped := strings.Cut(text, "/")
	if stepped {
		n, err := strconv.ParseUint(step, 10, 8)
		if err != nil || n == 0 || int(n) > f.most {
			return false
		}
	}
	if span == "*" {
		return true
	}
	from, to, isRange := strings.Cut(span, "-")
	low, ok := f.value(from)
	if !isRange {
		return ok && !stepped
	}
	high, alsoOK := f.value(to)
	return ok && alsoOK && low <= high
}

func (f cronField) value(text string) (int, bool) {
	if i := slices.Index(strings.Fields(f.words), strings.ToLower(text)); i >= 0 {
		return f.least + i, true
	}
	n, err := strconv.ParseUint(text, 10, 8)
	return int(n), err == nil && int(n) >= f.least && int(n) <= f.most
}

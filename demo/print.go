package main

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rivo/uniseg"

	"jstsync/diff"
)

// table writes the named columns of the rows, lined up.
func (w *world) table(rows []row, names ...string) {
	lines := [][]string{names}
	for _, r := range rows {
		var line []string
		for _, name := range names {
			line = append(line, show(r[slices.Index(columns[:], name)]))
		}
		lines = append(lines, line)
	}
	w.lineUp(lines)
}

// lineUp writes lines of cells with their columns lined up, whatever width the
// characters have.
func (w *world) lineUp(lines [][]string) {
	widths := make([]int, len(lines[0]))
	for _, line := range lines {
		for i, cell := range line {
			widths[i] = max(widths[i], uniseg.StringWidth(cell))
		}
	}
	for _, line := range lines {
		var b strings.Builder
		for i, cell := range line {
			b.WriteString(cell + strings.Repeat(" ", widths[i]-uniseg.StringWidth(cell)+2))
		}
		w.say("%s", strings.TrimRight(b.String(), " "))
	}
}

// audit lists what each committed run changed, as the runs themselves told it.
func (w *world) audit(context.Context) error {
	w.heading("Who changed what, and when")
	w.say("Each run keeps its changes field by field, before and after. Since the first load:\n")
	lines := [][]string{{"RUN", "AT (UTC)", "OP", "KEY", "FIELD", "BEFORE", "AFTER"}}
	for _, plan := range w.committed[1:] {
		for c, err := range plan.Changes.All() {
			if err != nil {
				return err
			}
			lines = append(lines, w.changeLines(plan, &c)...)
		}
	}
	w.lineUp(lines)
	return nil
}

// changeLines returns a line for each field of an update, and one for the name
// of a record that came or went.
func (w *world) changeLines(plan *diff.Plan, c *diff.Change) [][]string {
	head := []string{strconv.FormatUint(plan.Run, 10), plan.CommittedAt.UTC().Format(time.TimeOnly), c.Op.String(), c.Key.String()}
	line := func(column int, before, after string) []string {
		return append(slices.Clone(head), plan.Changes.Columns()[column], before, after)
	}
	const name = 1 // the column shop_name
	switch c.Op {
	case diff.Insert:
		return [][]string{line(name, "", show(c.After[name].String()))}
	case diff.Delete:
		return [][]string{line(name, show(c.Before[name].String()), "")}
	}
	var lines [][]string
	for _, f := range c.Fields() {
		lines = append(lines, line(f.Column, show(f.Before.String()), show(f.After.String())))
	}
	return lines
}

package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"jstsync/diff"
)

// Runs writes a table of runs.
func (t Text) Runs(out io.Writer, runs []diff.Run) error {
	rows := [][]string{t.heads("RUN", "PIPELINE", "STARTED", "STATUS", "READ", "INSERT", "UPDATE", "DELETE", "CALLS", "TOOK")}
	for i := range runs {
		r := &runs[i]
		took := ""
		if !r.Ended.IsZero() {
			took = r.Ended.Sub(r.Started).Round(time.Millisecond).String()
		}
		rows = append(rows, []string{
			strconv.FormatUint(r.Run, 10), plain(r.Pipeline), t.moment(r.Started), t.Lang.Text(string(r.Status)),
			thousands(r.Summary.Read), thousands(r.Summary.Insert), thousands(r.Summary.Update), thousands(r.Summary.Delete),
			thousands(r.Summary.Calls), took,
		})
	}
	if slices.ContainsFunc(runs, func(r diff.Run) bool { return r.Summary.Quarantined > 0 }) {
		rows[0] = append(rows[0], t.Lang.Text("QUARANTINED"))
		for i := range runs {
			rows[i+1] = append(rows[i+1], thousands(runs[i].Summary.Quarantined))
		}
	}
	return table(out, rows)
}

// heads returns the headings of a table.
func (t Text) heads(english ...string) []string {
	heads := make([]string, len(english))
	for i, text := range english {
		heads[i] = t.Lang.Text(text)
	}
	return heads
}

// table writes rows with their columns lined up; columns of numbers, whose
// cells below the heading are all digits and commas, stand to the right.
func table(out io.Writer, rows [][]string) error {
	widths := make([]int, len(rows[0]))
	texts := make([]bool, len(rows[0]))
	for n, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], width(cell))
			texts[i] = texts[i] || n > 0 && (cell == "" || strings.Trim(cell, "0123456789,") != "")
		}
	}
	var b strings.Builder
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			if i > 0 {
				line.WriteString("  ")
			}
			if !texts[i] {
				cell = strings.Repeat(" ", widths[i]-width(cell)) + cell
			}
			line.WriteString(pad(cell, widths[i]))
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// RunDetail writes everything that is known of one run.
func (t Text) RunDetail(out io.Writer, r *diff.Run) error {
	var b strings.Builder
	l := t.Lang
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%s  %s\n", pad(l.Text(name), 12), plain(l.Sprintf(format, args...)))
	}
	line("run", "%d (%s)", r.Run, r.RunID)
	line("pipeline", "%s", r.Pipeline)
	line("trigger", "%s", r.Trigger)
	line("status", "%s", l.Text(string(r.Status)))
	line("started", "%s", t.moment(r.Started))
	if !r.Ended.IsZero() {
		line("ended", "%s", t.moment(r.Ended))
	}
	if !r.CommittedAt.IsZero() {
		line("committed", "%s", t.moment(r.CommittedAt))
	}
	if r.ScanNote != "" {
		line("scan", "%s: %s", l.Text(string(r.Scan)), l.Sentence(r.ScanNote))
	} else {
		line("scan", "%s", l.Text(string(r.Scan)))
	}
	line("read", "%s in %s, %s", thousands(r.Summary.Read), plural(l, r.Summary.Pages, "page"), plural(l, r.Summary.Calls, "call"))
	line("changes", "%d insert, %d update, %d delete, %d unchanged", r.Summary.Insert, r.Summary.Update, r.Summary.Delete, r.Summary.Unchanged)
	if r.Guard != "" && r.Status == diff.Held {
		line("held", "guard %s", l.Text(r.Guard))
	} else if r.Guard != "" {
		line("guard", "%s, overridden", l.Text(r.Guard))
	}
	if r.Withheld > 0 {
		line("withheld", "%s: %s", plural(l, r.Withheld, "delete"), l.Sentence(r.WithheldWhy))
	}
	for _, rule := range r.Rules {
		line(string(rule.OnFail), "%s", ruleTally(l, rule))
	}
	for _, q := range r.Quarantine {
		line("quarantined", "%s", setAside(l, q))
	}
	if r.Error != "" {
		line("error", "%s: %s", r.ErrorCode, l.Sentence(r.Error))
	}
	if err := t.calls(&b, r); err != nil {
		return err
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// RunsCSV writes the records of runs as CSV with a heading; see newCSV.
func RunsCSV(out io.Writer, runs []diff.Run, excel bool) error {
	w := newCSV(out, excel)
	err := w.heading("run", "pipeline", "run_id", "trigger", "status", "started", "ended", "committed_at", "scan", "read", "pages", "calls", "unchanged", "insert", "update", "delete", "kept", "quarantined", "foreign", "withheld", "guard", "error_code", "error")
	for i := range runs {
		r := &runs[i]
		row := []string{strconv.FormatUint(r.Run, 10), r.Pipeline, r.RunID.String(), r.Trigger, string(r.Status), moment(r.Started), moment(r.Ended), moment(r.CommittedAt), string(r.Scan)}
		s := r.Summary
		for _, n := range []int{s.Read, s.Pages, s.Calls, s.Unchanged, s.Insert, s.Update, s.Delete, s.Kept, s.Quarantined, s.Foreign, r.Withheld} {
			row = append(row, strconv.Itoa(n))
		}
		err = cmp.Or(err, w.row(append(row, r.Guard, string(r.ErrorCode), r.Error)...))
	}
	return cmp.Or(err, w.close())
}

// unformula keeps a spreadsheet from taking a text for a formula, and from
// cutting digits off one that it would take for a number: it keeps 15, and no
// zero in front. Any other number is left to be one.
func unformula(s string) string {
	if digits := strings.TrimPrefix(s, "-"); strings.Trim(digits, "0123456789") == "" && (len(digits) > 15 || len(digits) > 1 && digits[0] == '0') {
		return "'" + s
	}
	if s != "" && strings.ContainsRune("=+-@\t\r\n", rune(s[0])) && (s[0] != '-' || strings.Trim(s[1:], "0123456789.") != "") {
		return "'" + s
	}
	return s
}

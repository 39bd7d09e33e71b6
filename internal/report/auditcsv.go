package report

import (
	"encoding/csv"
	"io"
	"strconv"

	"jstsync/diff"
)

// csvWriter writes CSV as RFC 4180 has it, with LF; for Excel with a byte order
// mark and CRLF, and so that no cell is taken for a formula.
type csvWriter struct {
	*csv.Writer
	excel bool
	out   io.Writer
	begun bool
}

func newCSV(out io.Writer, excel bool) *csvWriter {
	w := &csvWriter{Writer: csv.NewWriter(out), excel: excel, out: out}
	w.UseCRLF = excel
	return w
}

// heading writes the names of the columns, once.
func (w *csvWriter) heading(names ...string) error {
	if w.begun {
		return nil
	}
	w.begun = true
	if w.excel {
		if _, err := io.WriteString(w.out, "\uFEFF"); err != nil {
			return err
		}
	}
	return w.Write(names)
}

func (w *csvWriter) row(cells ...string) error {
	if w.excel {
		for i := range cells {
			cells[i] = unformula(cells[i])
		}
	}
	return w.Write(cells)
}

func (w *csvWriter) close() error {
	w.Flush()
	return w.Error()
}

// cell is a value as a CSV cell: nothing for NULL.
func cell(v diff.Value) string {
	if v.IsNull() {
		return ""
	}
	return v.String()
}

// auditCSV writes one row a field, or one row a row.
type auditCSV struct {
	AuditOptions
	w    *csvWriter
	tail string // a last cell of each row of fields, if any
}

func (a *auditCSV) Close() error {
	if a.Heading != nil {
		if err := a.w.heading(a.Heading...); err != nil {
			return err
		}
	}
	return a.w.close()
}

// ChangesHeading returns the names of the columns of changes as CSV.
func ChangesHeading() []string {
	return []string{"run", "at", "pipeline", "op", "key", "field", "before", "after"}
}

// CompareHeading returns the names of the columns of a difference as CSV.
func CompareHeading() []string {
	return []string{"pipeline", "op", "key", "field", "before", "after"}
}

func (a *auditCSV) Version(v diff.Version) error {
	if err := a.w.heading(ChangesHeading()...); err != nil {
		return err
	}
	op := v.Change.Op.String()
	if is := stateOf(&v); is != "" {
		op = is
	}
	return a.fields(v.Commit.Columns, &v.Change, strconv.FormatUint(v.Commit.Run, 10), moment(v.Commit.At), a.Pipeline, op, v.Change.Key.String())
}

func (a *auditCSV) Change(columns []string, c diff.Change) error {
	if err := a.w.heading(CompareHeading()...); err != nil {
		return err
	}
	return a.fields(columns, &c, a.Pipeline, c.Op.String(), c.Key.String())
}

// fields writes a row for each field that the change set, changed or removed.
func (a *auditCSV) fields(columns []string, c *diff.Change, lead ...string) error {
	for i, name := range columns {
		var before, after diff.Value
		if i < len(c.Before) {
			before = c.Before[i]
		}
		if i < len(c.After) {
			after = c.After[i]
		}
		if before == after || a.Field != "" && name != a.Field {
			continue
		}
		cells := append(lead[:len(lead):len(lead)], name, cell(before), cell(after))
		if a.tail != "" {
			cells = append(cells, a.tail)
		}
		if err := a.w.row(cells...); err != nil {
			return err
		}
	}
	return nil
}

func (a *auditCSV) Row(columns []string, row diff.Row) error {
	if err := a.w.heading(columns...); err != nil {
		return err
	}
	cells := make([]string, len(row))
	for i, v := range row {
		cells[i] = cell(v)
	}
	return a.w.row(cells...)
}

func (a *auditCSV) Blame(key diff.Key, b Blame) error {
	if err := a.w.heading("pipeline", "key", "field", "value", "run", "at", "op"); err != nil {
		return err
	}
	return a.w.row(a.Pipeline, key.String(), b.Field, cell(b.Value), strconv.FormatUint(b.Commit.Run, 10), moment(b.Commit.At), b.Op)
}

package report

import (
	"bufio"
	"fmt"
	"io"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"jstsync/diff"
)

// Audit writes versions of records, the net difference of two states, or the
// rows of one, each as it comes. Close ends what was begun.
type Audit interface {
	// Version writes one change of one run.
	Version(v diff.Version) error
	// Change writes one change between two states.
	Change(columns []string, c diff.Change) error
	// Row writes one row of a table.
	Row(columns []string, row diff.Row) error
	// Blame writes which change gave a field the value it has.
	Blame(key diff.Key, b Blame) error
	Close() error
}

// opTrimmed is the op of a version whose change is forgotten.
const opTrimmed = "trimmed"

// stateOf says what a version is that is no change but a row as it stood, and
// "" of a change.
func stateOf(v *diff.Version) string {
	switch {
	case v.Commit.Trimmed:
		return opTrimmed
	case v.Commit.Kind == diff.KindRebuild:
		return diff.KindRebuild
	default:
		return ""
	}
}

// AuditOptions say what is written how.
type AuditOptions struct {
	Pipeline string
	Field    string   // the only one to show, where changes are shown by field
	Heading  []string // of CSV in which nothing is listed
	Excel    bool     // CSV with a byte order mark, CRLF, and no cell that is a formula
	Text     Text
	Table    *diff.Table // whose comments head the fields of text in Chinese, or nil
}

// NewAudit returns a writer of text, json or csv; nil for another format.
func NewAudit(out io.Writer, format string, o AuditOptions) Audit {
	switch format {
	case "text":
		return &auditText{out: bufio.NewWriter(out), AuditOptions: o}
	case "json":
		return &auditJSON{newWriter(out), o}
	case "csv":
		return &auditCSV{w: newCSV(out, o.Excel), AuditOptions: o}
	default:
		return nil
	}
}

// auditJSON writes one object a line.
type auditJSON struct {
	*writer
	AuditOptions
}

func (a *auditJSON) Close() error {
	if a.err != nil {
		return fmt.Errorf("write JSON: %w", a.err)
	}
	return nil
}

func (a *auditJSON) Version(v diff.Version) error {
	a.token(jsontext.BeginObject)
	a.text("pipeline", a.Pipeline)
	a.member("run", v.Commit.Run)
	a.text("at", v.Commit.At.UTC().Format(millis))
	if op := stateOf(&v); op != "" {
		a.text("op", op)
		a.text("key", v.Change.Key.String())
		a.row("after", v.Commit.Columns, v.Change.After)
	} else {
		a.changed(&v.Change, v.Commit.Columns)
	}
	a.token(jsontext.EndObject)
	return a.err
}

func (a *auditJSON) Change(columns []string, c diff.Change) error {
	a.token(jsontext.BeginObject)
	a.text("pipeline", a.Pipeline)
	a.changed(&c, columns)
	a.token(jsontext.EndObject)
	return a.err
}

func (a *auditJSON) Row(columns []string, row diff.Row) error {
	a.token(jsontext.BeginObject)
	a.fields(columns, row)
	a.token(jsontext.EndObject)
	return a.err
}

func (a *auditJSON) Blame(key diff.Key, b Blame) error {
	a.token(jsontext.BeginObject)
	a.text("pipeline", a.Pipeline)
	a.text("key", key.String())
	a.text("field", b.Field)
	a.token(jsontext.String("value"))
	a.value(b.Value)
	a.member("run", b.Commit.Run)
	a.text("at", b.Commit.At.UTC().Format(millis))
	a.text("op", b.Op)
	a.token(jsontext.EndObject)
	return a.err
}

// auditText writes for people.
type auditText struct {
	AuditOptions
	out   *bufio.Writer
	run   uint64 // of the last heading
	blame [][]string
}

// failed returns the first error of writing.
func (a *auditText) failed() error {
	_, err := a.out.Write(nil)
	return err
}

func (a *auditText) Close() error {
	if a.blame != nil {
		rows := append([][]string{a.Text.heads("FIELD", "RUN", "SINCE", "BY", "VALUE")}, a.blame...)
		if err := table(a.out, rows); err != nil {
			return err
		}
	}
	return a.out.Flush()
}

func (a *auditText) Version(v diff.Version) error {
	if v.Commit.Run != a.run {
		a.run = v.Commit.Run
		fmt.Fprintf(a.out, "%s  %s  %s\n", a.Text.Lang.Sprintf("run %d", a.run), a.Text.moment(v.Commit.At), plain(a.Pipeline))
	}
	if op := stateOf(&v); op != "" {
		why := "taken over as the target held it; what came before may have a gap"
		if op == opTrimmed {
			why = "the oldest that is on record; what came before was trimmed"
		}
		fmt.Fprintf(a.out, "  = %s  %s\n", elide(plain(v.Change.Key.String()), a.Text.width()/2), a.Text.Lang.Text(why))
		a.values(v.Commit.Columns, v.Change.After)
	} else {
		a.change(&v.Change, v.Commit.Columns)
	}
	return a.failed()
}

func (a *auditText) Change(columns []string, c diff.Change) error {
	a.change(&c, columns)
	return a.failed()
}

// change writes a change with all its values, and of an update those that
// changed.
func (a *auditText) change(c *diff.Change, columns []string) {
	only := *c
	if a.Field != "" && c.Op == diff.Update {
		only.Before, only.After = a.pick(columns, c.Before), a.pick(columns, c.After)
		columns = []string{a.Field}
	}
	a.Text.change(a.out, &only, captions(a.Text.Lang, columns, a.Table), -1)
	switch c.Op {
	case diff.Insert:
		a.values(columns, c.After)
	case diff.Delete:
		a.values(columns, c.Before)
	}
}

// pick returns the row with the wanted field alone.
func (a *auditText) pick(columns []string, row diff.Row) diff.Row {
	return diff.Reshape(row, columns, []string{a.Field})
}

// values lists the values of a row that are not NULL.
func (a *auditText) values(columns []string, row diff.Row) {
	names, called := 0, captions(a.Text.Lang, columns, a.Table)
	for _, c := range called {
		names = min(max(names, width(c)), a.Text.captionRoom())
	}
	for i, v := range row {
		if v.IsNull() || a.Field != "" && columns[i] != a.Field {
			continue
		}
		room := a.Text.width() - 6 - names - 2
		fmt.Fprintf(a.out, "      %s  %s\n", pad(elide(called[i], names), names), elide(display(v), room))
	}
}

func (a *auditText) Row(columns []string, row diff.Row) error {
	for i, c := range captions(a.Text.Lang, columns, a.Table) {
		if i > 0 {
			fmt.Fprint(a.out, "  ")
		}
		fmt.Fprintf(a.out, "%s: %s", c, display(row[i]))
	}
	fmt.Fprintln(a.out)
	return a.failed()
}

func (a *auditText) Blame(_ diff.Key, b Blame) error {
	a.blame = append(a.blame, []string{
		captions(a.Text.Lang, []string{b.Field}, a.Table)[0], strconv.FormatUint(b.Commit.Run, 10), a.Text.moment(b.Commit.At),
		a.Text.Lang.Text(b.Op),
		elide(display(b.Value), a.Text.width()/2),
	})
	return nil
}

// Blame is the change that gave a field of a record the value it has, or had
// when the record went.
type Blame struct {
	Field  string
	Value  diff.Value
	Commit *diff.Commit
	Op     string // insert, update, delete or rebuild
}

// BlameOf finds for each field of a record its last change; versions are
// oldest first.
func BlameOf(versions []diff.Version) []Blame {
	if len(versions) == 0 {
		return nil
	}
	columns := versions[len(versions)-1].Commit.Columns
	blames := make([]Blame, len(columns))
	var last diff.Row
	for i := range versions {
		v := &versions[i]
		op, row := v.Change.Op.String(), diff.Reshape(v.Change.After, v.Commit.Columns, columns)
		if is := stateOf(v); is != "" {
			op = is
		}
		if v.Change.Op == diff.Delete {
			row = make(diff.Row, len(columns))
		}
		for n := range columns {
			if last == nil || op == diff.Insert.String() || last[n] != row[n] {
				blames[n] = Blame{columns[n], row[n], v.Commit, op}
			}
		}
		last = row
	}
	return blames
}

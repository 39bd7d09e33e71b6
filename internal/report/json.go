package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"jstsync/diff"
)

// millis is how times stand in JSON: UTC, to the millisecond.
const millis = "2006-01-02T15:04:05.000Z"

// writer writes JSON tokens and keeps the first error.
type writer struct {
	enc *jsontext.Encoder
	err error
}

// newWriter returns a writer that puts U+FFFD for bytes that are not UTF-8: an
// error message may quote anything, and must not cost the whole report.
func newWriter(w io.Writer) *writer {
	return &writer{enc: jsontext.NewEncoder(w, jsontext.AllowInvalidUTF8(true))}
}

func (w *writer) token(tokens ...jsontext.Token) {
	for _, t := range tokens {
		if w.err == nil {
			w.err = w.enc.WriteToken(t)
		}
	}
}

// member writes a member whose value encoding/json can marshal.
func (w *writer) member(name string, value any) {
	w.token(jsontext.String(name))
	raw, err := json.Marshal(value)
	if w.err == nil {
		w.err = errors.Join(err, w.enc.WriteValue(raw))
	}
}

func (w *writer) text(name, value string) { w.token(jsontext.String(name), jsontext.String(value)) }

func (w *writer) value(v diff.Value) {
	switch v.Kind() {
	case diff.Int:
		w.token(jsontext.Int(v.Int()))
	case diff.Text:
		w.token(jsontext.String(v.Text()))
	default:
		w.token(jsontext.Null)
	}
}

func (w *writer) row(name string, columns []string, row diff.Row) {
	w.token(jsontext.String(name), jsontext.BeginObject)
	w.fields(columns, row)
	w.token(jsontext.EndObject)
}

// fields writes the members of a row.
func (w *writer) fields(columns []string, row diff.Row) {
	for i, c := range columns {
		w.token(jsontext.String(c))
		w.value(row[i])
	}
}

// PlanJSON writes the plan, or the run it became, as one object on one line.
func PlanJSON(out io.Writer, p *diff.Plan) error {
	w := newWriter(out)
	w.token(jsontext.BeginObject)
	w.member("format", Format)
	w.text("pipeline", p.Pipeline)
	w.text("status", string(p.Status))
	if p.Run != 0 {
		w.member("run", p.Run)
	}
	if !p.CommittedAt.IsZero() {
		w.text("committed_at", p.CommittedAt.UTC().Format(millis))
	}
	w.member("base_seq", p.Base.Seq)
	w.text("digest", p.Digest.String())
	w.text("scan", string(p.Scan.Verdict))
	w.member("summary", p.Summary)
	w.withheld(p.Withheld)
	w.quarantine(p.Quarantine)
	if len(p.Rules) > 0 {
		w.member("rules", p.Rules)
	}
	if p.Remapped {
		w.member("mapping_changed", true)
	}
	if len(p.NewFields) > 0 {
		w.member("new_fields", p.NewFields)
	}
	w.guard(p)
	w.failure(p.Err)
	if err := w.changes("changes", p.Changes); err != nil {
		return err
	}
	w.token(jsontext.EndObject)
	if w.err != nil {
		return fmt.Errorf("write plan: %w", w.err)
	}
	return nil
}

func (w *writer) changes(name string, set *diff.ChangeSet) error {
	w.token(jsontext.String(name), jsontext.BeginArray)
	for c, err := range set.All() {
		if err != nil {
			return err
		}
		w.change(&c, set.Columns())
	}
	w.token(jsontext.EndArray)
	return nil
}

func (w *writer) withheld(h diff.Withheld) {
	w.token(jsontext.String("withheld"), jsontext.BeginObject)
	w.member("count", len(h.Keys))
	w.text("reason", h.Reason)
	w.keys("keys", h.Keys)
	w.token(jsontext.EndObject)
}

// quarantine writes what was set aside, where anything was.
func (w *writer) quarantine(list []diff.Quarantined) {
	if len(list) > 0 {
		w.member("quarantine", list)
	}
}

func (w *writer) keys(name string, keys []diff.Key) {
	w.token(jsontext.String(name), jsontext.BeginArray)
	for _, k := range keys {
		w.token(jsontext.String(k.String()))
	}
	w.token(jsontext.EndArray)
}

func (w *writer) guard(p *diff.Plan) {
	w.token(jsontext.String("guard"), jsontext.BeginObject)
	w.member("tripped", p.Guard.Tripped)
	w.text("kind", p.Guard.Kind)
	w.member("limit", p.Guard.Limit)
	w.member("count", p.Guard.Count)
	w.keys("first_keys", firstKeys(p))
	w.token(jsontext.EndObject)
}

// firstKeys returns the first keys of the changes that tripped the guard.
func firstKeys(p *diff.Plan) []diff.Key {
	if !p.Guard.Tripped {
		return nil
	}
	op := diff.Delete
	if p.Guard.Kind == "update" {
		op = diff.Update
	}
	var keys []diff.Key
	for c, err := range p.Changes.Only(op) {
		if err != nil {
			break
		}
		if keys = append(keys, c.Key); len(keys) == remarkLimit {
			break
		}
	}
	return keys
}

func (w *writer) failure(err error) {
	if err == nil {
		return
	}
	e := describe(err)
	w.token(jsontext.String("error"), jsontext.BeginObject)
	w.text("code", string(e.Code))
	w.text("message", err.Error())
	w.text("remedy", e.Remedy)
	w.token(jsontext.EndObject)
}

func describe(err error) *diff.Error {
	if e, ok := errors.AsType[*diff.Error](err); ok {
		return e
	}
	return &diff.Error{Code: diff.CodeFailed}
}

func (w *writer) change(c *diff.Change, columns []string) {
	w.token(jsontext.BeginObject)
	w.changed(c, columns)
	w.token(jsontext.EndObject)
}

// changed writes the members of a change.
func (w *writer) changed(c *diff.Change, columns []string) {
	w.text("op", c.Op.String())
	w.text("key", c.Key.String())
	switch c.Op {
	case diff.Insert:
		w.row("after", columns, c.After)
	case diff.Delete:
		w.row("before", columns, c.Before)
	case diff.Update:
		w.token(jsontext.String("fields"), jsontext.BeginArray)
		for _, f := range c.Fields() {
			w.token(jsontext.BeginObject)
			w.text("name", columns[f.Column])
			w.token(jsontext.String("before"))
			w.value(f.Before)
			w.token(jsontext.String("after"))
			w.value(f.After)
			w.token(jsontext.EndObject)
		}
		w.token(jsontext.EndArray)
	}
}

// RunsJSON writes the records of runs, one object a line.
func RunsJSON(out io.Writer, runs []diff.Run) error {
	w := newWriter(out)
	for i := range runs {
		r := &runs[i]
		w.token(jsontext.BeginObject)
		w.text("pipeline", r.Pipeline)
		w.member("run", r.Run)
		w.text("run_id", r.RunID.String())
		w.text("trigger", r.Trigger)
		w.text("status", string(r.Status))
		w.text("started", moment(r.Started))
		w.text("ended", moment(r.Ended))
		w.text("committed_at", moment(r.CommittedAt))
		w.text("scan", string(r.Scan))
		w.text("scan_note", r.ScanNote)
		w.member("summary", r.Summary)
		w.member("withheld", r.Withheld)
		w.text("withheld_reason", r.WithheldWhy)
		w.text("guard", r.Guard)
		if len(r.Rules) > 0 {
			w.member("rules", r.Rules)
		}
		w.calls(r)
		if r.Error != "" {
			w.token(jsontext.String("error"), jsontext.BeginObject)
			w.text("code", string(r.ErrorCode))
			w.text("message", r.Error)
			w.token(jsontext.EndObject)
		}
		w.token(jsontext.EndObject)
	}
	if w.err != nil {
		return fmt.Errorf("write runs: %w", w.err)
	}
	return nil
}

// moment writes a time, or nothing for none.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(millis)
}

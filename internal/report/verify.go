package report

import (
	"bufio"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"

	"jstsync/diff"
)

// Verification is what a comparison of a target with the snapshot found.
type Verification struct {
	*diff.Plan            // what brings the target back: to insert is missing there, to update different, to delete extra
	Foreign    []diff.Key // the first of the rows that are nobody's of ours
	Behind     bool       // the target went back in time
	Source     *diff.Plan // what the source would change in the snapshot; nil when it was not asked
	Left       int        // rows that still differ after a repair
	Keep       bool       // the pipeline deletes nothing, extra rows neither
}

// Drifted reports whether anything differs, or still does after a repair.
func (v *Verification) Drifted() bool {
	if v.Source != nil && v.Source.Changes.Len() > 0 {
		return true
	}
	if v.Status == diff.Committed {
		return v.Left > 0
	}
	return v.Changes.Len() > 0 || v.Behind
}

// Verification writes what was found.
func (t Text) Verification(out io.Writer, v *Verification) error {
	if v.Status == diff.Failed {
		return nil // its error goes elsewhere
	}
	b := bufio.NewWriter(out)
	s, l := v.Summary, t.Lang
	_, _ = b.WriteString(l.Sprintf("%s  %s in the target · %s missing · %s different · %s extra · %s equal", plain(v.Pipeline), plural(l, s.Read, "row"),
		thousands(s.Insert), thousands(s.Update), thousands(s.Delete), thousands(s.Unchanged)))
	if s.Foreign > 0 {
		_, _ = b.WriteString(" · " + l.Sprintf("%s foreign", thousands(s.Foreign)))
	}
	fmt.Fprintln(b)
	if err := t.changes(b, v.Plan); err != nil {
		return err
	}
	if v.Behind {
		t.remark(b, yellow, l.Text("behind:"), l.Text("the target is at an earlier run than the snapshot: it was restored, or its checkpoint is lost"))
	}
	if s.Foreign > 0 {
		t.remark(b, yellow, l.Text("foreign:"), keyList(l, l.Text("keys: "), v.Foreign, s.Foreign))
	}
	t.repaired(b, v)
	if v.Source != nil {
		fmt.Fprintln(b, l.Text("source, compared with the snapshot:"))
	}
	if err := b.Flush(); err != nil || v.Source == nil {
		return err
	}
	return t.Plan(out, v.Source)
}

// repaired says what a repair did.
func (t Text) repaired(b *bufio.Writer, v *Verification) {
	l := t.Lang
	switch {
	case v.Guard.Tripped:
		t.remark(b, red, l.Text("held:"), GuardReason(l, v.Guard))
		t.indented(b, keyList(l, l.Text("first keys: "), firstKeys(v.Plan), v.Guard.Count))
	case v.Status == diff.Committed && v.Left > 0 && v.Keep:
		t.remark(b, yellow, l.Text("repaired:"), l.Sprintf("as run %d; %s left, to be deleted by hand under deletes: keep", v.Run, plural(l, v.Left, "extra row")))
	case v.Status == diff.Committed && v.Left > 0:
		t.remark(b, yellow, l.Text("repaired:"), l.Sprintf("as run %d; %s left, which --delete-extra deletes", v.Run, plural(l, v.Left, "extra row")))
	case v.Status == diff.Committed:
		t.remark(b, green, l.Text("repaired:"), l.Sprintf("as run %d; nothing is left", v.Run))
	}
}

// VerificationJSON writes what was found as one object on one line.
func VerificationJSON(out io.Writer, v *Verification, against string) error {
	w := newWriter(out)
	w.token(jsontext.BeginObject)
	w.member("format", Format)
	w.text("pipeline", v.Pipeline)
	w.text("against", against)
	w.text("status", string(v.Status))
	if v.Run != 0 {
		w.member("run", v.Run)
	}
	if !v.CommittedAt.IsZero() {
		w.text("committed_at", v.CommittedAt.UTC().Format(millis))
	}
	w.member("base_seq", v.Base.Seq)
	s := v.Summary
	w.member("summary", map[string]int{
		"rows": s.Read, "equal": s.Unchanged, "missing": s.Insert, "different": s.Update, "extra": s.Delete, "foreign": s.Foreign,
	})
	w.member("behind", v.Behind)
	w.guard(v.Plan)
	w.failure(v.Err)
	if err := w.changes("changes", v.Changes); err != nil {
		return err
	}
	w.keys("foreign_keys", v.Foreign)
	if v.Source != nil {
		w.member("source_summary", v.Source.Summary)
		if err := w.changes("source_changes", v.Source.Changes); err != nil {
			return err
		}
	}
	w.token(jsontext.EndObject)
	if w.err != nil {
		return fmt.Errorf("write verification: %w", w.err)
	}
	return nil
}

// VerificationCSV writes what differs as CSV, a row a field: before is what the
// target holds and after what it should; on the side of the source, before is
// what the snapshot holds and after what the source says.
func VerificationCSV(out io.Writer, v *Verification, excel bool) error {
	a := &auditCSV{AuditOptions: AuditOptions{Pipeline: v.Pipeline}, w: newCSV(out, excel)}
	if err := a.w.heading(append(CompareHeading(), "side")...); err != nil {
		return err
	}
	if err := a.side("target", v.Plan); err != nil {
		return err
	}
	if v.Source != nil {
		if err := a.side("source", v.Source); err != nil {
			return err
		}
	}
	return a.Close()
}

// side writes the changes of one side.
func (a *auditCSV) side(name string, plan *diff.Plan) error {
	a.tail = name
	for c, err := range plan.Changes.All() {
		if err != nil {
			return err
		}
		if err := a.Change(plan.Changes.Columns(), c); err != nil {
			return err
		}
	}
	return nil
}

package report

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"jstsync/diff"
	"jstsync/internal/lang"
)

// SQL renders the statements that a plan comes to, for review: comments on top, then deletes, updates and inserts, each kind in key order and each row
// a statement of its own.
//
// The text means the same in every sql_mode. Under NO_BACKSLASH_ESCAPES a
// backslash stands for itself and without it begins an escape, so none is ever
// inside quotes: it is written in hexadecimal, as is everything that a reader
// would not see.
type SQL struct {
	Lang lang.Language // of the comments
}

// Plan writes the statements.
func (f SQL) Plan(out io.Writer, p *diff.Plan) error {
	s := sqlWriter{Writer: bufio.NewWriter(out), plan: p, lang: f.Lang}
	s.head()
	if p.Table == nil || p.Changes.Len() == 0 {
		return s.Flush()
	}
	fmt.Fprintf(s, "\nSET NAMES utf8mb4;\n")
	for _, op := range []diff.Op{diff.Delete, diff.Update, diff.Insert} {
		if n := p.Changes.Count(op); n > 0 {
			fmt.Fprintf(s, "\n-- %s\n", plural(f.Lang, n, op.String()))
		}
		for c, err := range p.Changes.Only(op) {
			if err != nil {
				return err
			}
			s.statement(&c)
		}
	}
	return s.Flush()
}

// sqlWriter keeps the first error until Flush.
type sqlWriter struct {
	*bufio.Writer
	plan *diff.Plan
	lang lang.Language
}

func (s sqlWriter) comment(format string, args ...any) {
	for _, line := range wrapped(s.lang, plain(s.lang.Sprintf(format, args...)), 100) {
		fmt.Fprintf(s, "-- %s\n", line)
	}
}

func (s sqlWriter) head() {
	p, l := s.plan, s.lang
	s.comment("%s · %s", readCount(l, p), strings.Join(changeCounts(l, p), " · "))
	s.comment("For review only: do not run it. jstsync apply and sync write these rows in one transaction, " +
		"in batches, beside the checkpoint that says which run the table is at, and roll everything back when a row is missing that " +
		"should be there, or there that should not. What anything else writes, this text included, jstsync takes for somebody else's change.")
	if p.Changes.Count(diff.Delete)+p.Changes.Count(diff.Insert) > 0 {
		s.comment("Where the pipeline says deletes: soft, apply sets %s instead of deleting a row, and clears it where a row returns.",
			sqlName("deleted_at"))
	}
	if p.Scan.Verdict == diff.Unstable {
		s.comment("UNSTABLE SCAN: %s", scanNote(l, p.Scan))
	}
	if p.Err != nil {
		e := describe(p.Err)
		s.comment("FAILED: %v", l.Sentence(p.Err.Error()))
		s.comment("%s", l.Sentence(e.Remedy))
	}
	if p.Guard.Tripped {
		s.comment("HELD: %s", GuardReason(l, p.Guard))
		s.comment("%s", GuardRemedy(l, p))
	}
	if len(p.Withheld.Keys) > 0 {
		s.comment("WITHHELD: %s", withheldReason(l, p))
		s.comment("%s", keyList(l, l.Text("keys: "), p.Withheld.Keys, len(p.Withheld.Keys)))
	}
	for _, r := range p.Rules {
		if r.OnFail == diff.Warn {
			s.comment("WARNING: %s", ruleTally(l, r))
		}
	}
	for _, q := range p.Quarantine {
		s.comment("QUARANTINED: %s", setAside(l, q))
	}
}

func (s sqlWriter) statement(c *diff.Change) {
	table, names := sqlName(s.plan.Table.Name), s.plan.Table.Names()
	switch c.Op {
	case diff.Delete:
		fmt.Fprintf(s, "DELETE FROM %s WHERE %s;\n", table, s.where(c.Before))
	case diff.Update:
		var set, was []string
		for _, f := range c.Fields() {
			set = append(set, sqlName(names[f.Column])+" = "+sqlValue(f.After))
			was = append(was, s.lang.Sprintf("%s was %s", plain(caption(s.lang, &s.plan.Table.Columns[f.Column])), display(f.Before)))
		}
		fmt.Fprintf(s, "-- %s: %s\nUPDATE %s SET %s WHERE %s;\n",
			plain(c.Key.String()), strings.Join(was, ", "), table, strings.Join(set, ", "), s.where(c.After))
	case diff.Insert:
		columns, values := make([]string, len(names)), make([]string, len(names))
		for i := range names {
			columns[i], values[i] = sqlName(names[i]), sqlValue(c.After[i])
		}
		fmt.Fprintf(s, "INSERT INTO %s (%s) VALUES (%s);\n", table, strings.Join(columns, ", "), strings.Join(values, ", "))
	}
}

func (s sqlWriter) where(row diff.Row) string {
	names := s.plan.Table.Names()
	conditions := make([]string, len(s.plan.Table.Key))
	for i, k := range s.plan.Table.Key {
		conditions[i] = sqlName(names[k]) + " = " + sqlValue(row[k])
	}
	return strings.Join(conditions, " AND ")
}

// sqlName quotes an identifier.
func sqlName(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// sqlValue writes a value as a literal, or as the CONCAT of several.
func sqlValue(v diff.Value) string {
	if v.Kind() != diff.Text {
		return v.String()
	}
	var parts []string
	for s := v.Text(); s != ""; {
		n := strings.IndexFunc(s, hidden)
		if n < 0 {
			n = len(s)
		}
		if n > 0 {
			parts = append(parts, "'"+strings.ReplaceAll(s[:n], "'", "''")+"'")
			s = s[n:]
			continue
		}
		if n = strings.IndexFunc(s, func(r rune) bool { return !hidden(r) }); n < 0 {
			n = len(s)
		}
		parts = append(parts, fmt.Sprintf("_utf8mb4 X'%X'", s[:n]))
		s = s[n:]
	}
	switch len(parts) {
	case 0:
		return "''"
	case 1:
		return parts[0]
	default:
		return "CONCAT(" + strings.Join(parts, ", ") + ")"
	}
}

// hidden reports whether a character is not to stand inside quotes: a reader
// would not see it, or a server might not take it for itself. The joiner that
// makes one emoji of several is left alone, as are blanks.
func hidden(r rune) bool {
	const joiner = '\u200d'
	return r == '\\' || r == utf8.RuneError || r != joiner && r != ' ' && (!unicode.IsGraphic(r) || unicode.IsSpace(r)) ||
		unicode.Is(unicode.Bidi_Control, r) || slices.Contains([]rune{'\u2028', '\u2029'}, r)
}

package report

import (
	"bufio"
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"jstsync/diff"
)

// remarkLimit is how many keys or records a remark names.
const remarkLimit = 10

// remarks says what the counts and changes do not: why nothing was written,
// and what was left out.
func (t Text) remarks(b *bufio.Writer, p *diff.Plan) {
	if p.Scan.Verdict == diff.Unstable {
		t.remark(b, yellow, "unstable scan:", scanNote(p.Scan))
	}
	if p.Remapped {
		t.remark(b, yellow, "mapping changed:", remapped(p))
	}
	if len(p.NewFields) > 0 {
		t.remark(b, yellow, "new in the source, mapped to no column:", plain(strings.Join(p.NewFields, ", ")))
	}
	if p.Guard.Tripped && p.Status == diff.Committed {
		t.remark(b, yellow, "guard overridden:", strings.TrimSuffix(GuardReason(p.Guard), "; nothing was written"))
	} else if p.Guard.Tripped {
		t.remark(b, red, "held:", GuardReason(p.Guard))
		t.indented(b, keyList("first keys: ", firstKeys(p), p.Guard.Count))
		t.indented(b, GuardRemedy(p))
	}
	if n := len(p.Withheld.Keys); n > 0 {
		t.remark(b, yellow, "withheld:", withheldReason(p))
		t.indented(b, keyList("keys: ", p.Withheld.Keys, n))
	}
	for _, r := range p.Rules {
		if r.OnFail == diff.Warn {
			t.remark(b, yellow, "warning:", ruleTally(r))
		}
	}
	for i, q := range p.Quarantine {
		if i == remarkLimit {
			fmt.Fprintf(b, "  … and %s more quarantined\n", thousands(len(p.Quarantine)-i))
			break
		}
		t.remark(b, yellow, "quarantined:", setAside(q))
	}
}

// remark writes a coloured label and a text, in as many lines as it takes.
func (t Text) remark(b *bufio.Writer, color, label, text string) {
	lines := wrap(label+" "+text, t.width()-8)
	lines[0] = t.paint(color, label) + strings.TrimPrefix(lines[0], label)
	fmt.Fprintf(b, "  %s\n", strings.Join(lines, "\n        "))
}

// indented writes more of a remark.
func (t Text) indented(b *bufio.Writer, text string) {
	if text != "" {
		fmt.Fprintf(b, "        %s\n", strings.Join(wrap(text, t.width()-8), "\n        "))
	}
}

// keyList names the first keys of so many, or nothing when there is none.
func keyList(label string, keys []diff.Key, of int) string {
	if len(keys) == 0 {
		return ""
	}
	names := make([]string, min(len(keys), remarkLimit))
	for i := range names {
		names[i] = plain(keys[i].String())
	}
	list := label + strings.Join(names, ", ")
	if more := of - len(names); more > 0 {
		list += " … and " + thousands(more) + " more"
	}
	return list
}

// remapped says what a change of the mapping came to.
func remapped(p *diff.Plan) string {
	return fmt.Sprintf("every row was compared by value; %s differ", thousands(p.Summary.Update))
}

// setAside says which record was quarantined and why.
func setAside(q diff.Quarantined) string {
	return plain(cmp.Or(q.Key, "(no key)") + "  " + q.Reason)
}

// ruleTally says which records broke a rule.
func ruleTally(r diff.RuleTally) string {
	text := fmt.Sprintf("rule %s is broken by %s: %s", r.Rule, plural(r.Count, "record"), strings.Join(r.Keys, ", "))
	if more := r.Count - len(r.Keys); more > 0 {
		text += " … and " + thousands(more) + " more"
	}
	return plain(text)
}

func withheldReason(p *diff.Plan) string {
	return fmt.Sprintf("%s not made: %s", plural(len(p.Withheld.Keys), "delete"), plain(p.Withheld.Reason))
}

// scanNote says why a scan is not complete.
func scanNote(s diff.ScanInfo) string {
	return plain(cmp.Or(s.Note, "rows moved between pages while they were read"))
}

// GuardReason says in a sentence why the guard tripped.
func GuardReason(g diff.GuardVerdict) string {
	if g.Kind == "empty" {
		return fmt.Sprintf("the source answered no records, the snapshot holds %s; nothing was written", thousands(g.Rows))
	}
	return fmt.Sprintf("%s of %s rows to %s is over the limit of %d and of %s %%; nothing was written",
		thousands(g.Count), thousands(g.Rows), g.Kind, g.Limit, strconv.FormatFloat(g.Percent, 'f', -1, 64))
}

// GuardRemedy says how a held plan gets past the guard.
func GuardRemedy(p *diff.Plan) string {
	if p.Guard.Kind == "empty" {
		return "no flag lifts this; if the source is empty indeed, set guard.allow_empty of this pipeline"
	}
	return fmt.Sprintf("if it is right: jstsync plan %s --out FILE, read it with jstsync show FILE, then jstsync apply --override-guard FILE",
		plain(p.Pipeline))
}

// thousands writes a count with its thousands apart.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return thousands(n) + " " + what + "s"
}

package report

import (
	"bufio"
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"jstsync/diff"
	"jstsync/internal/lang"
)

// remarkLimit is how many keys or records a remark names.
const remarkLimit = 10

// remarks says what the counts and changes do not: why nothing was written,
// and what was left out.
func (t Text) remarks(b *bufio.Writer, p *diff.Plan) {
	l := t.Lang
	if p.Scan.Verdict == diff.Unstable {
		t.remark(b, yellow, l.Text("unstable scan:"), scanNote(l, p.Scan))
	}
	if p.Remapped {
		t.remark(b, yellow, l.Text("mapping changed:"), remapped(l, p))
	}
	if len(p.NewFields) > 0 {
		t.remark(b, yellow, l.Text("new in the source, mapped to no column:"), plain(strings.Join(p.NewFields, ", ")))
	}
	if p.Guard.Tripped && p.Status == diff.Committed {
		t.remark(b, yellow, l.Text("guard overridden:"), overLimit(l, p.Guard))
	} else if p.Guard.Tripped {
		t.remark(b, red, l.Text("held:"), GuardReason(l, p.Guard))
		t.indented(b, keyList(l, l.Text("first keys: "), firstKeys(p), p.Guard.Count))
		t.indented(b, GuardRemedy(l, p))
	}
	if n := len(p.Withheld.Keys); n > 0 {
		t.remark(b, yellow, l.Text("withheld:"), withheldReason(l, p))
		t.indented(b, keyList(l, l.Text("keys: "), p.Withheld.Keys, n))
	}
	for _, r := range p.Rules {
		if r.OnFail == diff.Warn {
			t.remark(b, yellow, l.Text("warning:"), ruleTally(l, r))
		}
	}
	for i, q := range p.Quarantine {
		if i == remarkLimit {
			fmt.Fprintf(b, "  %s\n", l.Sprintf("… and %s more quarantined", thousands(len(p.Quarantine)-i)))
			break
		}
		t.remark(b, yellow, l.Text("quarantined:"), setAside(l, q))
	}
}

// remark writes a coloured label and a text, in as many lines as it takes.
func (t Text) remark(b *bufio.Writer, color, label, text string) {
	if !strings.HasSuffix(label, "：") { // which is wide enough by itself
		label += " "
	}
	lines := wrapped(t.Lang, label+text, t.width()-8)
	lines[0] = t.paint(color, strings.TrimSuffix(label, " ")) + strings.TrimPrefix(lines[0], strings.TrimSuffix(label, " "))
	fmt.Fprintf(b, "  %s\n", strings.Join(lines, "\n        "))
}

// indented writes more of a remark.
func (t Text) indented(b *bufio.Writer, text string) {
	if text != "" {
		fmt.Fprintf(b, "        %s\n", strings.Join(wrapped(t.Lang, text, t.width()-8), "\n        "))
	}
}

// keyList names the first keys of so many, or nothing when there is none.
func keyList(l lang.Language, label string, keys []diff.Key, of int) string {
	if len(keys) == 0 {
		return ""
	}
	names := make([]string, min(len(keys), remarkLimit))
	for i := range names {
		names[i] = plain(keys[i].String())
	}
	list := label + strings.Join(names, ", ")
	if more := of - len(names); more > 0 {
		list += " " + l.Sprintf("… and %s more", thousands(more))
	}
	return list
}

// remapped says what a change of the mapping came to.
func remapped(l lang.Language, p *diff.Plan) string {
	return l.Sprintf("every row was compared by value; %s differ", thousands(p.Summary.Update))
}

// setAside says which record was quarantined and why.
func setAside(l lang.Language, q diff.Quarantined) string {
	return plain(cmp.Or(q.Key, l.Text("(no key)")) + "  " + l.Sentence(q.Reason))
}

// ruleTally says which records broke a rule.
func ruleTally(l lang.Language, r diff.RuleTally) string {
	text := l.Sprintf("rule %s is broken by %s: %s", r.Rule, plural(l, r.Count, "record"), strings.Join(r.Keys, ", "))
	if more := r.Count - len(r.Keys); more > 0 {
		text += " " + l.Sprintf("… and %s more", thousands(more))
	}
	return plain(text)
}

func withheldReason(l lang.Language, p *diff.Plan) string {
	return l.Sprintf("%s not made: %s", plural(l, len(p.Withheld.Keys), "delete"), plain(l.Sentence(p.Withheld.Reason)))
}

// scanNote says why a scan is not complete.
func scanNote(l lang.Language, s diff.ScanInfo) string {
	return plain(l.Sentence(cmp.Or(s.Note, "rows moved between pages while they were read")))
}

// GuardReason says in a sentence why the guard tripped.
func GuardReason(l lang.Language, g diff.GuardVerdict) string {
	return overLimit(l, g) + l.Text("; nothing was written")
}

func overLimit(l lang.Language, g diff.GuardVerdict) string {
	if g.Kind == "empty" {
		return l.Sprintf("the source answered no records, the snapshot holds %s", thousands(g.Rows))
	}
	return l.Sprintf("%s of %s rows to %s is over the limit of %d and of %s %%",
		thousands(g.Count), thousands(g.Rows), l.Text(g.Kind), g.Limit, strconv.FormatFloat(g.Percent, 'f', -1, 64))
}

// GuardRemedy says how a held plan gets past the guard.
func GuardRemedy(l lang.Language, p *diff.Plan) string {
	if p.Guard.Kind == "empty" {
		return l.Text("no flag lifts this; if the source is empty indeed, set guard.allow_empty of this pipeline")
	}
	return l.Sprintf("if it is right: jstsync plan %s --out FILE, read it with jstsync show FILE, then jstsync apply --override-guard FILE",
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

// plural counts things by their English word. Chinese has one form for any
// number.
func plural(l lang.Language, n int, what string) string {
	if n == 1 && l != lang.Chinese {
		return "1 " + what
	}
	return l.Sprintf("%s "+what+"s", thousands(n))
}

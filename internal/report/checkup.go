package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"jstsync/diff"
)

// cyan marks what is good to know.
const cyan = "\x1b[36m"

// Checkup writes findings for people, as they come, under headings: first what
// was seen, then what to do about it.
type Checkup struct {
	text   Text
	out    io.Writer
	counts map[diff.Severity]int
	group  string // of the finding before
}

// Checkup returns a writer of findings. Its lines are as wide as the terminal,
// and 80 columns in a file or a pipe.
func (t Text) Checkup(out io.Writer) *Checkup {
	return &Checkup{text: t, out: out, counts: map[diff.Severity]int{}}
}

// severities are all there are, the worst first.
func severities() []diff.Severity {
	return []diff.Severity{diff.SeverityError, diff.SeverityWarning, diff.SeverityNote, diff.SeverityOK}
}

func colorOf(s diff.Severity) string {
	switch s {
	case diff.SeverityError:
		return red
	case diff.SeverityWarning:
		return yellow
	case diff.SeverityNote:
		return cyan
	default:
		return green
	}
}

// Add writes a finding.
func (c *Checkup) Add(f *diff.Finding) error {
	c.counts[f.Severity]++
	var b strings.Builder
	if group := c.heading(f); group != c.group {
		if c.group != "" {
			b.WriteByte('\n')
		}
		b.WriteString(group + "\n")
		c.group = group
	}
	indent := 0
	for _, s := range severities() {
		indent = max(indent, 4+width(c.text.Lang.Text(string(s))))
	}
	b.WriteString(c.text.paint(colorOf(f.Severity), pad("  "+c.text.Lang.Text(string(f.Severity)), indent)))
	seen := c.text.Lang.Sprintf("%s: %s [%s]", f.Subject, c.say(f.Evidence), f.ID)
	c.paragraph(&b, seen, indent)
	if remedy := c.say(f.Remedy); remedy != "" {
		b.WriteString(strings.Repeat(" ", indent))
		c.paragraph(&b, c.text.Lang.Sprintf("remedy: %s", remedy), indent)
	}
	_, err := io.WriteString(c.out, b.String())
	return err
}

// say says a phrase in the reader's language. What has no entry of its own may
// be an error, put into words elsewhere.
func (c *Checkup) say(p diff.Phrase) string {
	return p.In(func(english string) string {
		if said := c.text.Lang.Text(english); said != english {
			return said
		}
		return c.text.Lang.Sentence(english)
	})
}

// paragraph writes a text whose first line is indented already.
func (c *Checkup) paragraph(b *strings.Builder, text string, indent int) {
	columns := c.text.Width
	if columns < 0 {
		columns = 80
	}
	for i, line := range wrap(plain(text), max(columns, 80)-indent) {
		if i > 0 {
			b.WriteString(strings.Repeat(" ", indent))
		}
		b.WriteString(line + "\n")
	}
}

// heading names what a finding is about.
func (c *Checkup) heading(f *diff.Finding) string {
	area, _, _ := strings.Cut(f.ID, ".")
	switch {
	case area == "config":
		return c.text.Lang.Text("configuration")
	case f.Pipeline != "":
		return c.text.Lang.Sprintf("pipeline %s", f.Pipeline)
	case f.Source != "":
		return c.text.Lang.Sprintf("source %s", f.Source)
	case area == "state":
		return c.text.Lang.Text("state file")
	case area == "api":
		return c.text.Lang.Text("source")
	default:
		return c.text.Lang.Text("MySQL server")
	}
}

// End writes how many findings there are of each kind.
func (c *Checkup) End() error {
	var parts []string
	for _, s := range severities() {
		part := fmt.Sprintf("%s %d", c.text.Lang.Text(string(s)), c.counts[s])
		if c.counts[s] > 0 {
			part = c.text.paint(colorOf(s), part)
		}
		parts = append(parts, part)
	}
	_, err := io.WriteString(c.out, "\n"+strings.Join(parts, " · ")+"\n")
	return err
}

// FindingJSON writes a finding as one line.
func FindingJSON(out io.Writer, f *diff.Finding) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(struct {
		Format   int           `json:"format"`
		Pipeline string        `json:"pipeline"`
		Source   string        `json:"source,omitempty"`
		Severity diff.Severity `json:"severity"`
		ID       string        `json:"id"`
		Subject  string        `json:"subject"`
		Evidence string        `json:"evidence"`
		Remedy   string        `json:"remedy"`
	}{1, f.Pipeline, f.Source, f.Severity, f.ID, f.Subject, f.Evidence.String(), f.Remedy.String()})
}

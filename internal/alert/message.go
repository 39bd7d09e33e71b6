package alert

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"jstsync/diff"
	"jstsync/internal/lang"
)

// Message is what one call of a robot says.
type Message struct {
	Title   string
	Good    bool     // nothing in it is wrong
	Lines   []Line   // in the language it is made for
	Notices []Notice // what it tells, for a webhook
	At      time.Time
}

// Line is a sentence and the facts below it.
type Line struct {
	Text  string   `json:"text"`
	Facts []string `json:"facts,omitempty"`
}

// NewMessage says the notices in a language, times in the zone.
func NewMessage(notices []Notice, l lang.Language, zone *time.Location, at time.Time) *Message {
	m := &Message{Good: true, Notices: notices, At: at}
	for _, n := range notices {
		m.Good = m.Good && !n.Raised
		m.Lines = append(m.Lines, line(&n, l, zone))
	}
	if m.Title = l.Sprintf("jstsync: %d alerts", len(notices)); len(notices) == 1 {
		m.Title = "jstsync: " + m.Lines[0].Text
	}
	return m
}

// line says one notice.
func line(n *Notice, l lang.Language, zone *time.Location) Line {
	s := Line{Text: headline(n, l, zone)}
	if n.Detail != "" && n.Kind != Held && (n.Raised || n.Kind == Test) {
		s.Facts = append(s.Facts, l.Sentence(n.Detail))
	}
	for _, shop := range n.Shops {
		s.Facts = append(s.Facts, l.Sprintf("%s %s: %s", shop.ID, shop.Name, ending(shop.Ends, n.At, l)))
	}
	if n.Remedy != "" {
		s.Facts = append(s.Facts, l.Sprintf("what to do: %s", l.Sentence(n.Remedy)))
	}
	return s
}

// ending says how many days an authorisation has.
func ending(ends, now time.Time, l lang.Language) string {
	if ends.IsZero() {
		return l.Text("no longer ends")
	}
	day := ends.In(diff.Beijing).Format(time.DateOnly)
	switch days := int(ends.Sub(now) / (24 * time.Hour)); {
	case !ends.After(now):
		return l.Sprintf("ended on %s", day)
	case days == 0:
		return l.Sprintf("ends on %s, in less than a day", day)
	default:
		return l.Sprintf("ends on %s, in %d days", day, days)
	}
}

func headline(n *Notice, l lang.Language, zone *time.Location) string {
	until := n.Until.In(zone).Format("2006-01-02 15:04")
	over := !n.Raised
	switch n.Kind {
	case Failed:
		if over {
			return l.Sprintf("pipeline %s has recovered after %d failed runs", n.Subject, n.Count)
		}
		return l.Sprintf("pipeline %s has failed %d times in a row", n.Subject, n.Count)
	case Held:
		if over {
			return l.Sprintf("pipeline %s is no longer held by the guard", n.Subject)
		}
		return l.Sprintf("pipeline %s is held by the guard (%s): nothing was written", n.Subject, n.Detail)
	case Quarantine:
		if over {
			return l.Sprintf("pipeline %s has no record set aside any more", n.Subject)
		}
		return l.Sprintf("pipeline %s has set %d records aside", n.Subject, n.Count)
	case Withheld:
		if over {
			return l.Sprintf("pipeline %s withholds no delete any more", n.Subject)
		}
		return l.Sprintf("pipeline %s withholds %d deletes for want of a witness", n.Subject, n.Count)
	case Drift:
		switch {
		case over:
			return l.Sprintf("the target of pipeline %s is in step again", n.Subject)
		case n.Count > 0:
			return l.Sprintf("the target of pipeline %s differs from the snapshot in %d rows", n.Subject, n.Count)
		default:
			return l.Sprintf("the target of pipeline %s is not where the last run left it", n.Subject)
		}
	case Stale:
		if over {
			return l.Sprintf("pipeline %s has had a good run again", n.Subject)
		}
		return l.Sprintf("pipeline %s has had no good run since %s", n.Subject, until)
	case Token:
		if over {
			return l.Sprintf("the access token of %s was renewed", n.Subject)
		}
		return l.Sprintf("the access token of %s ends at %s", n.Subject, until)
	case Authorization:
		if over {
			return l.Sprintf("the authorisations of %d shops of pipeline %s were renewed", n.Count, n.Subject)
		}
		return l.Sprintf("the authorisations of %d shops of pipeline %s end soon or have ended", n.Count, n.Subject)
	default:
		return l.Text("this is a test: alerts of jstsync arrive here")
	}
}

// text writes the message as lines, each made harmless by inert, within so many
// bytes; what there is no room for is counted.
func (m *Message) text(most int, l lang.Language, bold, bullet string, inert func(string) string) string {
	var b strings.Builder
	left := 0
	for _, line := range m.Lines {
		parts := []string{bold + inert(line.Text) + bold}
		for _, f := range line.Facts {
			parts = append(parts, bullet+inert(f))
		}
		for _, p := range parts {
			if p = clip(p, 600); left > 0 || b.Len()+len(p)+2 > most-80 {
				left++
				continue
			}
			b.WriteString(p + "\n\n")
		}
	}
	if left > 0 {
		b.WriteString(l.Sprintf("… and %d lines more", left))
	}
	return strings.TrimRight(b.String(), "\n")
}

// clip keeps so many bytes of a text, and no half of a character.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	s = s[:most]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s + "…"
}

// markdown makes a text harmless in the Markdown of a robot: nothing in it is a
// link, a mention or markup.
func markdown(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case strings.ContainsRune("<>&*`[]~|\\", r):
			b.WriteRune(r - '!' + '！') // its full-width form
		case r < ' ':
			b.WriteByte(' ')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// plain makes a text one line.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, s)
}

// Change is one change for a digest.
type Change struct {
	Op, Key, Name string
	Fields        []string // as NAME before → after
}

// NewDigest says what changed.
func NewDigest(pipeline, since string, at time.Time, changes []Change, total int, l lang.Language) *Message {
	m := &Message{Good: true, Notices: []Notice{}, At: at, Title: l.Sprintf("jstsync: %d changes of pipeline %s since %s", total, pipeline, since)}
	for _, c := range changes {
		mark := map[string]string{"insert": "+", "update": "~", "delete": "-"}[c.Op]
		m.Lines = append(m.Lines, Line{Text: fmt.Sprintf("%s %s %s", mark, c.Key, c.Name), Facts: c.Fields})
	}
	if more := total - len(changes); more > 0 {
		m.Lines = append(m.Lines, Line{Text: l.Sprintf("… and %d more", more)})
	}
	return m
}

package report

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/rivo/uniseg"
)

// width returns how many terminal columns the text takes.
func width(s string) int { return uniseg.StringWidth(s) }

// pad fills the text with blanks to n columns.
func pad(s string, n int) string { return s + strings.Repeat(" ", max(0, n-width(s))) }

// elide shortens the text to n columns by taking out its middle, between
// characters as a reader sees them.
func elide(s string, n int) string {
	if width(s) <= n {
		return s
	}
	var clusters []string
	for g := uniseg.NewGraphemes(s); g.Next(); {
		clusters = append(clusters, g.Str())
	}
	head, tail, room := 0, len(clusters), n-1
	for head < tail {
		if w := width(clusters[head]); w <= room {
			room -= w
			head++
		} else {
			break
		}
		if head == tail {
			break
		}
		if w := width(clusters[tail-1]); w <= room {
			room -= w
			tail--
		} else {
			break
		}
	}
	return strings.Join(clusters[:head], "") + "…" + strings.Join(clusters[tail:], "")
}

// wrap breaks the text into lines of at most n columns: at blanks, and a word
// that is longer than a line between characters as a reader sees them.
func wrap(s string, n int) []string {
	line := ""
	var lines []string
	for i, word := range strings.Split(s, " ") {
		if i > 0 && width(line)+1+width(word) <= n {
			line += " " + word
			continue
		}
		if i > 0 {
			lines, line = append(lines, line), ""
		}
		for g := uniseg.NewGraphemes(word); g.Next(); line += g.Str() {
			if width(line)+g.Width() > n {
				lines, line = append(lines, line), ""
			}
		}
	}
	return append(lines, line)
}

// plain makes a source's text safe to print: what would move the cursor, end
// the line or turn the writing direction is shown as an escape.
func plain(s string) string { return escape(s, "") }

// quote is plain in quotes, with quotes and backslashes inside escaped.
func quote(s string) string { return `"` + escape(s, `"\`) + `"` }

// escape escapes what no output may hold, and puts a backslash before each of
// the special characters.
func escape(s, special string) string {
	unsafe := func(r rune) bool {
		return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case strings.ContainsRune(special, r):
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case unsafe(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

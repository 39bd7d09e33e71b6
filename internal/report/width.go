package report

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/rivo/uniseg"

	"jstsync/internal/lang"
)

// width returns how many terminal columns the text takes.
func width(s string) int { return uniseg.StringWidth(s) }

// pad fills the text with blanks to n columns.
func pad(s string, n int) string { return s + strings.Repeat(" ", max(0, n-width(s))) }

// Padded is pad for lines that are made elsewhere.
func Padded(s string, n int) string { return pad(s, n) }

// elide shortens the text to n columns by taking out its middle, between
// characters as a reader sees them.
func elide(s string, n int) string {
	if width(s) <= n {
		return s
	}
	clusters := clusters(s)
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

// elidePair shortens two texts to n columns each by taking out their middles;
// or, when just that hid where they differ, what they begin and end with alike.
func elidePair(a, b string, n int) (string, string) {
	if before, after := elide(a, n), elide(b, n); before != after {
		return before, after
	}
	one, two := clusters(a), clusters(b)
	head, tail := common(one, two)
	middles := [2][]string{one[head : len(one)-tail], two[head : len(two)-tail]}
	before, after := one[:head], one[len(one)-tail:]
	room := max(0, n-2-max(width(strings.Join(middles[0], "")), width(strings.Join(middles[1], ""))))
	widthBefore, widthAfter := width(strings.Join(before, "")), width(strings.Join(after, ""))
	roomBefore := min(widthBefore, max(room/2, room-widthAfter))
	first := cutLeft(before, roomBefore)
	last := cutRight(after, room-roomBefore)
	return elide(first+strings.Join(middles[0], "")+last, n), elide(first+strings.Join(middles[1], "")+last, n)
}

// cutLeft keeps the last n columns of a text, cutRight the first.
func cutLeft(clusters []string, n int) string {
	from := len(clusters)
	for from > 0 && width(clusters[from-1]) <= n {
		from--
		n -= width(clusters[from])
	}
	if from == 0 {
		return strings.Join(clusters, "")
	}
	return "…" + strings.Join(clusters[from:], "")
}

func cutRight(clusters []string, n int) string {
	to := 0
	for to < len(clusters) && width(clusters[to]) <= n {
		n -= width(clusters[to])
		to++
	}
	if to == len(clusters) {
		return strings.Join(clusters, "")
	}
	return strings.Join(clusters[:to], "") + "…"
}

// clusters takes a text apart into characters as a reader sees them.
func clusters(s string) []string {
	var list []string
	for g := uniseg.NewGraphemes(s); g.Next(); {
		list = append(list, g.Str())
	}
	return list
}

// common counts what two texts begin with alike, and what the rest ends with
// alike.
func common(a, b []string) (head, tail int) {
	for head < min(len(a), len(b)) && a[head] == b[head] {
		head++
	}
	for tail < min(len(a), len(b))-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	return head, tail
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

// wrapped breaks the text as its language is broken: Chinese between characters
// too, and never before a mark that ends something.
func wrapped(l lang.Language, s string, n int) []string {
	if l != lang.Chinese {
		return wrap(s, n)
	}
	var lines []string
	line, state := "", -1
	for s != "" {
		var segment string
		segment, s, _, state = uniseg.FirstLineSegmentInString(s, state)
		if line != "" && width(strings.TrimRight(line+segment, " ")) > n {
			lines, line = append(lines, strings.TrimRight(line, " ")), ""
		}
		line += segment
		if width(strings.TrimRight(line, " ")) > n { // by itself
			parts := wrap(strings.TrimRight(line, " "), n)
			lines, line = append(lines, parts[:len(parts)-1]...), parts[len(parts)-1]
		}
	}
	return append(lines, strings.TrimRight(line, " "))
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

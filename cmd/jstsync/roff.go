package main

import (
	"fmt"
	"strings"
)

// roff writes a page in the language of man(7). What it is given is plain text,
// in which nothing means anything but itself.
type roff struct{ strings.Builder }

// request writes a line that begins with a dot.
func (r *roff) request(name string, args ...string) {
	r.WriteString("." + name)
	for _, a := range args {
		r.WriteString(` "` + strings.ReplaceAll(escape(a), `"`, `\(dq`) + `"`)
	}
	r.WriteByte('\n')
}

func (r *roff) section(title string) { r.request("SH", title) }

// paragraph begins a new one.
func (r *roff) paragraph(text string) {
	if text = strings.TrimSpace(text); text != "" {
		r.request("PP")
		r.text(text)
	}
}

// text writes lines of text.
func (r *roff) text(text string) {
	for line := range strings.SplitSeq(text, "\n") {
		line = escape(line)
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, `\(aq`) {
			line = `\&` + line
		}
		r.raw(line)
	}
}

// raw writes a line that is roff already.
func (r *roff) raw(line string) { r.WriteString(line + "\n") }

// escape returns a text in which every character stands for itself.
func escape(text string) string {
	var b strings.Builder
	for _, c := range text {
		switch c {
		case '\\':
			b.WriteString(`\e`)
		case '-':
			b.WriteString(`\-`)
		case '\'':
			b.WriteString(`\(aq`)
		case '`':
			b.WriteString(`\(ga`)
		case '^':
			b.WriteString(`\(ha`)
		case '~':
			b.WriteString(`\(ti`)
		default:
			if c < 0x80 {
				b.WriteRune(c)
			} else {
				fmt.Fprintf(&b, `\[u%04X]`, c)
			}
		}
	}
	return b.String()
}

package mapping

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
	"golang.org/x/text/unicode/norm"

	"jstsync/diff"
)

// Step is one cleaning step. Steps run in the order given, before the value is
// brought to its column's type, and change texts; in a VARCHAR or TEXT column a
// number counts as the text of its digits.
type Step string

// The cleaning steps.
const (
	Trim           Step = "trim"              // no white space at the ends
	CollapseSpace  Step = "collapse_space"    // each run of white space is one blank
	EmptyToNull    Step = "empty_to_null"     // "" is NULL
	NullToEmpty    Step = "null_to_empty"     // null and missing are ""; for VARCHAR and TEXT
	NFC            Step = "nfc"               // characters composed, as Unicode's normalisation form C
	Upper          Step = "upper"             // upper case, of no particular language
	Lower          Step = "lower"             // lower case, of no particular language
	ZeroDateToNull Step = "zero_date_to_null" // 0000-00-00, with or without a time of zeros, is NULL
	Truncate       Step = "truncate"          // cut to the column's length, between characters as people see them; for VARCHAR and TEXT
)

// Steps returns the names of all cleaning steps.
func Steps() []Step {
	return []Step{Trim, CollapseSpace, EmptyToNull, NullToEmpty, NFC, Upper, Lower, ZeroDateToNull, Truncate}
}

var zeroDate = regexp.MustCompile(`^0000-00-00([ T]00:00(:00(\.0+)?)?)?$`)

// isText reports whether the column stores free text.
func (c *Column) isText() bool {
	return c.Type.Base == diff.VarChar || c.Type.Base == diff.LongText
}

// clean runs the column's steps over the datum.
func (c *Column) clean(d datum) datum {
	if d.kind == isNumber && c.isText() {
		d.kind = isText
	}
	for _, step := range c.Clean {
		switch {
		case d.kind == isNull && step == NullToEmpty:
			d = datum{isText, ""}
		case d.kind == isText:
			d = c.cleanText(step, d)
		}
	}
	return d
}

func (c *Column) cleanText(step Step, d datum) datum {
	switch step {
	case Trim:
		d.text = strings.TrimSpace(d.text)
	case CollapseSpace:
		d.text = collapse(d.text)
	case EmptyToNull:
		if d.text == "" {
			return datum{}
		}
	case NFC:
		d.text = norm.NFC.String(d.text)
	case Upper:
		d.text = strings.ToUpper(d.text)
	case Lower:
		d.text = strings.ToLower(d.text)
	case ZeroDateToNull:
		if zeroDate.MatchString(d.text) {
			return datum{}
		}
	case Truncate:
		if c.Type.Base == diff.LongText {
			d.text = truncate(d.text, maxTextBytes, maxTextBytes)
		} else {
			d.text = truncate(d.text, c.Type.Size, len(d.text))
		}
	}
	return d
}

// collapse makes one blank of each run of white space.
func collapse(text string) string {
	var b strings.Builder
	space := false
	for _, r := range text {
		if !unicode.IsSpace(r) {
			b.WriteRune(r)
		} else if !space {
			b.WriteByte(' ')
		}
		space = unicode.IsSpace(r)
	}
	return b.String()
}

// truncate cuts a text to at most so many code points and bytes: behind the
// last character, as people see them, that fits whole. A first one that does
// not is cut between its code points.
func truncate(text string, runes, size int) string {
	end, left := 0, runes
	for rest, state := text, -1; rest != ""; {
		var cluster string
		cluster, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
		n := utf8.RuneCountInString(cluster)
		if n > left || end+len(cluster) > size {
			break
		}
		left -= n
		end += len(cluster)
	}
	if end > 0 {
		return text[:end]
	}
	for i, r := range text {
		if left == 0 || i+utf8.RuneLen(r) > size {
			return text[:i]
		}
		left--
	}
	return text
}

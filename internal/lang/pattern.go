package lang

import (
	"regexp"
	"strconv"
	"strings"
)

// kind is what can stand for a verb.
type kind int

const (
	anything kind = iota // %s, %v
	digits               // %d
	quoted               // %q
)

// verb is a place of a format that an argument fills.
type verb struct {
	kind kind
	arg  int // from 0
}

// pattern is an entry whose English a finished text is compared with.
type pattern struct {
	english []string // the text around the verbs, one more than there are of these
	verbs   []verb
	chinese []string
	places  []verb
	letters int // of the English around the verbs
	words   int
}

// verbs are the ones that a format of sentences has.
var (
	verbs     = regexp.MustCompile(`%(?:\[(\d+)\])?[+#]?[-0]?\d*(?:\.\d+)?([sdoqvwxtT%])`)
	wordLike  = regexp.MustCompile(`[A-Za-z][A-Za-z'-]+`)
	allDigits = regexp.MustCompile(`^-?[0-9][0-9,.]*$`)
)

func newPattern(english, chinese string) pattern {
	p := pattern{}
	p.english, p.verbs = parse(english)
	p.chinese, p.places = parse(chinese)
	for _, text := range p.english {
		p.letters += len(text)
		p.words += len(wordLike.FindAllString(text, -1))
	}
	return p
}

// parse takes a format apart.
func parse(format string) (texts []string, list []verb) {
	text, from, next := "", 0, 0
	for _, at := range verbs.FindAllStringSubmatchIndex(format, -1) {
		text += format[from:at[0]]
		from = at[1]
		letter := format[at[4]]
		if letter == '%' {
			text += "%"
			continue
		}
		if at[2] >= 0 {
			n, _ := strconv.Atoi(format[at[2]:at[3]])
			next = max(0, n-1)
		}
		texts, text = append(texts, text), ""
		list = append(list, verb{map[byte]kind{'d': digits, 'q': quoted}[letter], next})
		next++
	}
	return append(texts, text+format[from:]), list
}

// isSentence reports whether the entry tells enough to be found in a text: two
// words, or one that is not alone; what stands beside it has to be known then.
func (p *pattern) isSentence() bool {
	return p.words > 1 || p.words == 1 && (len(p.verbs) > 0 || strings.ContainsRune(p.english[0], ' '))
}

// match returns what of the text fills the verbs, by the number of the argument
// that each takes.
func (p *pattern) match(text string) ([]string, bool) {
	last := len(p.english) - 1
	if !strings.HasPrefix(text, p.english[0]) || !strings.HasSuffix(text, p.english[last]) || len(text) < p.letters {
		return nil, false
	}
	m := matcher{pattern: p, args: make([]string, len(p.verbs)), tries: 200}
	if !m.from(0, text[len(p.english[0]):]) {
		return nil, false
	}
	return m.args, true
}

// matcher finds the arguments of one text; a text that takes too many tries has
// none.
type matcher struct {
	*pattern
	args  []string
	tries int
}

// from matches the text behind the literal before the nth verb.
func (m *matcher) from(n int, text string) bool {
	if n == len(m.verbs) {
		return text == ""
	}
	next, last := m.english[n+1], n+1 == len(m.verbs)
	for at := 1; at <= len(text) && m.tries > 0; at++ {
		m.tries--
		switch i := strings.Index(text[at:], next); {
		case last:
			at = len(text) - len(next)
		case i < 0:
			return false
		case next == "" && m.verbs[n].kind == quoted: // the next verb begins where the quotes end
			prefix, err := strconv.QuotedPrefix(text)
			if err != nil {
				return false
			}
			at = len(prefix)
		default:
			at += i
		}
		if at < 1 {
			return false
		}
		if m.verbs[n].kind.fits(text[:at]) && m.from(n+1, text[at+len(next):]) {
			m.args[n] = text[:at]
			return true
		}
		if last {
			return false
		}
	}
	return false
}

// fits reports whether a verb can have written the text.
func (k kind) fits(text string) bool {
	switch k {
	case digits:
		return allDigits.MatchString(text)
	case quoted:
		_, err := strconv.Unquote(text)
		return err == nil
	default:
		return true
	}
}

// render writes the Chinese with the arguments, which stand in the order of the
// English.
func (p *pattern) render(args []string) string {
	var b strings.Builder
	for i, text := range p.chinese {
		b.WriteString(text)
		if i < len(p.places) {
			b.WriteString(args[p.byNumber(p.places[i].arg)])
		}
	}
	return b.String()
}

// byNumber returns which verb of the English takes an argument.
func (p *pattern) byNumber(arg int) int {
	for i, v := range p.verbs {
		if v.arg == arg {
			return i
		}
	}
	return 0 // never: a test compares the verbs of both
}

package lang

import (
	"strings"
	"sync"
)

// The bounds of the search for the sentences of a text: what is longer, or
// nested deeper, is left as it is.
const (
	maxSentence = 8 << 10 // bytes
	maxJoints   = 16
	maxDepth    = 5
)

// Sentence returns a finished English text in the language: an error, a remedy,
// a remark of a record. It is for texts that are made where no reader is known,
// and kept in English.
//
// A text is taken apart into the entries of the catalogues whose English, a
// format, it can have been made by; they are joined by ": " and "; ", and an
// argument may be a text of the same kind. Of several ways the one counts that
// leaves the least unknown. Arguments are carried over as they stand, and what
// no entry knows stays English.
func (l Language) Sentence(text string) string {
	if l != Chinese || len(text) > maxSentence {
		return text
	}
	s := search{patterns: sentences(), known: map[string]said{}}
	return s.text(text, 0).text
}

// sentences are the entries that whole sentences are made by.
var sentences = sync.OnceValue(func() []pattern {
	var list []pattern
	for english, text := range chinese() {
		if p := newPattern(english, text); p.isSentence() {
			list = append(list, p)
			if of := ofSource.Replace(english); of != english {
				list = append(list, newPattern(of, ofSource.Replace(text)))
			}
		}
	}
	return list
})

// ofSource makes an entry name one of several sources, as remedies do where
// there are several.
var ofSource = strings.NewReplacer(
	"source.", "sources.%[9]s.", "jstsync auth init", "jstsync auth init --source %[9]s", "jstsync auth refresh", "jstsync auth refresh --source %[9]s",
)

// said is a text in the other language.
type said struct {
	text  string
	known int // bytes of the English that entries account for
	entry int // those of the outermost entry
}

// better reports whether s says more than t: more is known, or more at once. Of
// two alike the one that sorts first is taken, so that the answer is always the
// same.
func (s said) better(t said) bool {
	if s.known == 0 || s.known != t.known {
		return s.known > t.known
	}
	return s.entry > t.entry || s.entry == t.entry && s.text < t.text
}

// search is a search for the sentences of one text.
type search struct {
	patterns []pattern
	known    map[string]said
}

// text says a text, taken apart at its joints where that says as much.
func (s *search) text(text string, depth int) said {
	if best, ok := s.known[text]; ok {
		return best
	}
	entry, joined := said{text: text}, said{text: text}
	if depth > maxDepth || !strings.ContainsRune(text, ' ') {
		return entry
	}
	s.known[text] = entry // whatever leads back to it
	for i := range s.patterns {
		if one := s.sentence(&s.patterns[i], text, depth); one.better(entry) {
			entry = one
		}
	}
	for _, j := range joints(text) {
		left, right := s.text(text[:j.at], depth+1), s.text(text[j.at+len(j.mark):], depth+1)
		if known := left.known + right.known; known > joined.known {
			joined = said{text: left.text + j.between(left.known > 0) + right.text, known: known}
		}
	}
	if joined.known > 0 && joined.known >= entry.known {
		entry = joined
	}
	s.known[text] = entry
	return entry
}

// sentence says a text as one entry has it.
func (s *search) sentence(p *pattern, text string, depth int) said {
	args, ok := p.match(text)
	if !ok {
		return said{}
	}
	known := p.letters
	for i, a := range args {
		if p.verbs[i].kind == anything {
			one := s.text(a, depth+1)
			if p.words == 1 && one.known == 0 && (strings.ContainsRune(a, ' ') || i == 0 && p.english[0] == "") {
				return said{} // one word is not enough to vouch for others
			}
			args[i] = one.text
			known += one.known
		}
	}
	return said{p.render(args), known, p.letters}
}

// joint is where two sentences are joined.
type joint struct {
	at   int
	mark string
}

// between returns what joins the two in Chinese; behind what nobody knows, such
// as an address, nothing is changed.
func (j joint) between(known bool) string {
	switch {
	case !known:
		return j.mark
	case j.mark == ": ":
		return "："
	case j.mark == "; ":
		return "；"
	default:
		return j.mark
	}
}

// joints finds the joints of a text, the first first.
func joints(text string) []joint {
	var list []joint
	for i := 1; i+2 < len(text) && len(list) < maxJoints; i++ {
		switch {
		case text[i] == '\n':
			list = append(list, joint{i, "\n"})
		case (text[i] == ':' || text[i] == ';') && text[i+1] == ' ':
			list = append(list, joint{i, text[i : i+2]})
		}
	}
	return list
}

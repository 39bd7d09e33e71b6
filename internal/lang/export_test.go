package lang

import "strings"

// Entries returns the Chinese of every English text and format.
func Entries() map[string]string { return chinese() }

// Verbs returns the verbs of a format, each with the number of its argument.
func Verbs(format string) map[int]string {
	verbs := map[int]string{}
	_, list := parse(format)
	for _, v := range list {
		verbs[v.arg] += []string{"any", "digits", "quoted"}[v.kind] + " "
	}
	return verbs
}

// Argument stands for an argument that something is known of.
const Argument = "‹1›"

// Unknown returns the words of a text that no entry knows.
func Unknown(text string) string {
	mute := make([]pattern, len(sentences()))
	for i, p := range sentences() {
		p.chinese = make([]string, len(p.chinese))
		mute[i] = p
	}
	s := search{patterns: mute, known: map[string]said{Argument: {text: Argument, known: 1}}}
	var words []string
	for _, word := range strings.Fields(s.text(text, 0).text) {
		isName := strings.ContainsAny(word, "._/=<>") || word == strings.ToUpper(word) // of a setting, a file, or SQL
		if wordLike.MatchString(word) && !isName {
			words = append(words, word)
		}
	}
	return strings.Join(words, " ")
}

package diff

import "fmt"

// Severity says how much a [Finding] matters.
type Severity string

// The severities, from none to the greatest.
const (
	SeverityOK      Severity = "ok"      // it was looked at, and is as it should be
	SeverityNote    Severity = "note"    // good to know
	SeverityWarning Severity = "warning" // runs go on; this may make one fail, or surprise
	SeverityError   Severity = "error"   // runs fail until it is mended
)

// Finding is one thing that a look at the surroundings of runs has shown.
type Finding struct {
	Severity Severity
	ID       string // of the kind of finding, such as mysql.grants; never renamed
	Pipeline string // "" when it is of none in particular
	Source   string // the name of the account; "" when it is of none, or of the nameless one
	Subject  string // the file, host, table or setting that was looked at
	Evidence Phrase // what was seen
	Remedy   Phrase // what to do about it; empty when nothing needs to be done
}

// Phrase is a text for people: a format and its arguments, so that it can be
// said in another language than English.
type Phrase struct {
	Format string
	Args   []any // a phrase among them is said in the same language
}

// Say returns a phrase. Without arguments the format is the text as it is, per
// cent signs and all.
func Say(format string, args ...any) Phrase { return Phrase{format, args} }

// String is the phrase in English.
func (p Phrase) String() string { return p.In(func(english string) string { return english }) }

// In is the phrase in the language that translate puts a format in.
func (p Phrase) In(translate func(english string) string) string {
	format := translate(p.Format)
	if len(p.Args) == 0 {
		return format
	}
	args := make([]any, len(p.Args))
	for i, arg := range p.Args {
		if inner, ok := arg.(Phrase); ok {
			arg = inner.In(translate)
		}
		args[i] = arg
	}
	return fmt.Sprintf(format, args...)
}

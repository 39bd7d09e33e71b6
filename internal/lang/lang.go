// Package lang says things in the reader's language.
//
// The English text is the key, as it stands in the code, verbs included; the
// catalogues in zh/ hold the Chinese of it. What has no entry stays English, so
// that a person is never left without an answer.
//
// JSON, CSV headings, log keys and exit codes are not localised, and nothing
// here is asked for them.
package lang

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"sync"
)

// Language is one that people can be answered in. The zero value is English.
type Language string

// The languages there are.
const (
	English Language = "en"
	Chinese Language = "zh"
)

// Of returns the language that the environment asks for: Chinese where LC_ALL,
// or LANG when LC_ALL is not set, begins with zh; else English.
func Of(getenv func(string) (string, bool)) Language {
	locale, _ := getenv("LC_ALL")
	if locale == "" {
		locale, _ = getenv("LANG")
	}
	if strings.HasPrefix(strings.ToLower(locale), "zh") {
		return Chinese
	}
	return English
}

// Text returns a text, or a format, in the language.
func (l Language) Text(english string) string {
	if l == Chinese {
		if text, ok := chinese()[english]; ok {
			return text
		}
	}
	return english
}

// Sprintf formats in the language. An entry may take the arguments in another
// order, as in %[2]s.
func (l Language) Sprintf(english string, args ...any) string {
	return fmt.Sprintf(l.Text(english), args...)
}

//go:embed zh/*.json
var catalogues embed.FS

// chinese is read once, and only where somebody asks for Chinese. That every
// catalogue can be read is for the tests to see.
var chinese = sync.OnceValue(func() map[string]string {
	all, err := read(catalogues)
	if err != nil {
		panic(err)
	}
	return all
})

// read returns all entries. It is an error when two catalogues differ about one.
func read(files fs.FS) (map[string]string, error) {
	names, err := fs.Glob(files, "zh/*.json")
	if err != nil {
		return nil, fmt.Errorf("list catalogues: %w", err)
	}
	all := map[string]string{}
	for _, name := range names {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("read catalogue: %w", err)
		}
		var part map[string]string
		if err := json.Unmarshal(data, &part); err != nil {
			return nil, fmt.Errorf("read catalogue %s: %w", name, err)
		}
		for english, text := range part {
			if other, twice := all[english]; twice && other != text {
				return nil, fmt.Errorf("catalogue %s: %q stands elsewhere as %q", name, english, other)
			}
			all[english] = text
		}
	}
	return all, nil
}

package config

import (
	"reflect"
	"strconv"
	"strings"
	"time"
)

const (
	variablePattern = `\$\{` // any value may be made of variables, and is then checked when it is read
	durationPattern = `^\+?([0-9]+d)?(([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))*$`
	namePattern     = `^[A-Za-z0-9_-]{1,64}$`
)

// Schema gives the JSON Schema (draft 2020-12) of jstsync.yaml, for editors. It
// is meant to take every file that Load takes, but for numbers and booleans in
// quotes, and takes some that Load refuses: what is wrong with them depends on
// the environment, on two settings at once, or on more than the look of a text.
func Schema() ([]byte, error) {
	m := schemaMaker{made: map[string]bool{}}
	root := section{
		{"$schema", "https://json-schema.org/draft/2020-12/schema"},
		{"title", DefaultFile},
		{"description", "Settings of jstsync. Values are written as they are, or made of ${NAME} and ${NAME:-default} from the environment."},
	}
	root = append(root, m.structure(reflect.TypeFor[Settings]())...)
	root.add("$defs", m.defs)
	return toJSON(root, "  ")
}

// schemaMaker collects the schemas of sections that the settings consist of.
type schemaMaker struct {
	defs section
	made map[string]bool
}

// ref gives a reference to the schema of a section.
func (m *schemaMaker) ref(t reflect.Type) string {
	if !m.made[t.Name()] {
		m.made[t.Name()] = true
		m.defs.add(t.Name(), m.structure(t))
	}
	return "#/$defs/" + t.Name()
}

// structure is the schema of a section. One without a value is as good as one
// left out.
func (m *schemaMaker) structure(t reflect.Type) section {
	properties, required, exclusive, conditions := section{}, []any{}, []any{}, []any{}
	for _, f := range settingsOf(reflect.New(t).Elem(), "") {
		properties.add(f.key, m.field(f))
		if f.fileable() {
			inFile := f.key + "_file"
			properties.add(inFile, section{{"description", "File that holds " + f.key + "."}, {"type", "string"}, {"minLength", 1}})
			exclusive = append(exclusive, notBoth(f.key, inFile, false))
		}
		if other := f.tag.Get("unless"); other != "" {
			exclusive = append(exclusive, notBoth(f.key, other, true))
		}
		if f.tag.Get("condition") == "true" {
			conditions = append(conditions, requires(f.key))
		}
		switch {
		case f.required() && f.fileable():
			exclusive = append(exclusive, section{{"anyOf", []any{requires(f.key), requires(f.key + "_file")}}})
		case f.required():
			required = append(required, f.key)
		}
	}
	out := section{{"type", []any{"object", "null"}}, {"additionalProperties", false}, {"properties", properties}}
	if len(required) > 0 {
		out.add("required", required)
	}
	if len(conditions) > 0 {
		exclusive = append(exclusive, section{{"anyOf", conditions}})
	}
	if len(exclusive) > 0 {
		out.add("allOf", exclusive)
	}
	return out
}

func requires(keys ...any) section { return section{{"required", keys}} }

// notBoth refuses two keys beside each other, unless one of them may be empty and is.
func notBoth(a, b string, maybeEmpty bool) section {
	both := append(section{{"type", "object"}}, requires(a, b)...)
	if maybeEmpty {
		given := section{{"not", section{{"enum", []any{"", nil}}}}}
		both.add("properties", section{{a, given}, {b, given}})
	}
	return section{{"not", both}}
}

func (m *schemaMaker) field(f field) section {
	out := section{{"description", f.tag.Get("doc")}}
	t := f.value.Type()
	switch {
	case t.Kind() == reflect.Struct:
		out.add("$ref", m.ref(t))
	case f.named():
		out = append(out, section{
			{"type", []any{"object", "null"}},
			{"minProperties", 1},
			{"propertyNames", section{{"pattern", namePattern}}},
			{"additionalProperties", section{{"$ref", m.ref(t.Elem())}}},
		}...)
		if name, ok := f.fallback(); ok {
			out.add("default", section{{name, section{}}})
		}
	case t.Kind() == reflect.Slice:
		out = append(out, m.list(f)...)
	default:
		out = append(out, scalarSchema(f)...)
		if text, ok := f.fallback(); ok {
			out.add("default", typedDefault(f.value, text))
		}
	}
	return out
}

func (m *schemaMaker) list(f field) section {
	out := section{{"type", []any{"array", "null"}}}
	element := f.value.Type().Elem()
	if element.Kind() == reflect.Struct {
		out.add("items", section{{"$ref", m.ref(element)}, {"type", "object"}})
		return out
	}
	out.add("items", scalarSchema(field{value: reflect.New(element).Elem(), tag: f.tag, item: true}))
	out.add("uniqueItems", true)
	if text, ok := f.fallback(); ok {
		list := []any{}
		for _, word := range strings.Fields(text) {
			list = append(list, word)
		}
		out.add("minItems", 1)
		out.add("default", list)
	}
	return out
}

// scalarSchema is the schema of one value.
func scalarSchema(f field) section {
	switch f.value.Interface().(type) {
	case time.Duration:
		out := section{{"type", "string"}, {"pattern", durationPattern + "|" + variablePattern}, {"minLength", 1}}
		if _, ok := f.tag.Lookup("above"); ok {
			out.add("not", section{{"pattern", "^[^1-9$]*$"}}) // a duration of nothing
		}
		return out
	case int:
		return numberSchema(f, "integer")
	case float64:
		return numberSchema(f, "number")
	case bool:
		return section{{"type", []any{"boolean", "string"}}, {"pattern", variablePattern}}
	}
	return textSchema(f)
}

func numberSchema(f field, name string) section {
	out := section{{"type", []any{name, "string"}}, {"pattern", variablePattern}}
	for _, limit := range [][2]string{{"min", "minimum"}, {"max", "maximum"}, {"above", "exclusiveMinimum"}} {
		if text, ok := f.tag.Lookup(limit[0]); ok {
			out.add(limit[1], typedDefault(f.value, text))
		}
	}
	return out
}

// textSchema is the schema of a text. YAML reads some texts as numbers or
// booleans, and both are taken for their text.
func textSchema(f field) section {
	optional := f.optional() && !f.item
	if choices := strings.Fields(f.tag.Get("oneof")); len(choices) > 0 {
		var enum []any
		for _, choice := range choices {
			enum = append(enum, choice)
		}
		return section{{"anyOf", []any{section{{"enum", enum}}, section{{"type", "string"}, {"pattern", variablePattern}}}}}
	}
	types := []any{"string", "number", "boolean"}
	if optional {
		types = append(types, "null")
	}
	out := section{{"type", types}}
	if !optional {
		out.add("minLength", 1)
	}
	if pattern := forms(f.tag.Get("check")).pattern; pattern != "" {
		pattern += "|" + variablePattern
		if optional {
			pattern += "|^$"
		}
		out.add("pattern", pattern)
	}
	return out
}

// typedDefault gives a tag's text as the type of v has it in JSON.
func typedDefault(v reflect.Value, text string) any {
	switch v.Interface().(type) {
	case int:
		n, _ := strconv.Atoi(text)
		return n
	case float64:
		n, _ := strconv.ParseFloat(text, 64)
		return n
	case bool:
		return text == "true"
	}
	return text
}

package config

import (
	"bytes"
	"encoding/json"

	"github.com/goccy/go-yaml"
)

// section is a mapping that keeps the order of its keys in JSON and in YAML.
type section []member

type member struct {
	key   string
	value any
}

func (s *section) add(key string, value any) { *s = append(*s, member{key, value}) }

// MarshalJSON writes an object.
func (s section) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range s {
		if i > 0 {
			b.WriteByte(',')
		}
		for j, part := range []any{m.key, m.value} {
			if j > 0 {
				b.WriteByte(':')
			}
			text, err := toJSON(part, "")
			if err != nil {
				return nil, err
			}
			b.Write(text)
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// toJSON writes text as it is, without escapes for HTML.
func toJSON(v any, indent string) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", indent)
	err := encoder.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// items is the section as the YAML library takes it.
func (s section) items() yaml.MapSlice {
	items := make(yaml.MapSlice, len(s))
	for i, m := range s {
		items[i] = yaml.MapItem{Key: m.key, Value: plain(m.value)}
	}
	return items
}

// plain turns the sections within a value into what the YAML library takes.
func plain(v any) any {
	switch v := v.(type) {
	case section:
		return v.items()
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = plain(v[i])
		}
		return list
	}
	return v
}

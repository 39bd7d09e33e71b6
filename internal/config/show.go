package config

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// EffectiveYAML gives every setting with the value it has, defaults included, as
// jstsync.yaml would write it. A secret is shown as ***, a setting without a
// value as null. Variables have been replaced, so that a ${ in it is literal.
func (s *Settings) EffectiveYAML() ([]byte, error) {
	return yaml.MarshalWithOptions(s.effective().items(), yaml.Indent(2), yaml.IndentSequence(true))
}

// EffectiveJSON is EffectiveYAML as a JSON object on one line.
func (s *Settings) EffectiveJSON() ([]byte, error) { return toJSON(s.effective(), "") }

func (s *Settings) effective() section {
	missing := map[string]bool{}
	for _, p := range s.missing {
		missing[p.Path] = true
	}
	return effective(reflect.ValueOf(*s), "", missing)
}

func effective(v reflect.Value, path string, missing map[string]bool) section {
	out := section{}
	fields := settingsOf(v, path)
	for _, f := range fields {
		if f.excluded(fields) || f.named() && f.value.Len() == 0 {
			continue
		}
		out.add(f.key, shown(f, missing))
	}
	return out
}

// excluded tells whether a setting has no value because another has one.
func (f field) excluded(all []field) bool {
	for _, other := range all {
		if other.key == f.tag.Get("unless") {
			return !other.value.IsZero()
		}
	}
	return false
}

func shown(f field, missing map[string]bool) any {
	if missing[f.path] {
		return nil
	}
	switch v := f.value.Interface().(type) {
	case time.Duration:
		return formatDuration(v)
	case Secret:
		return v.String()
	case *string:
		if v == nil {
			return nil
		}
		return *v
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return int64(v)
		}
		return v
	case bool, int, string:
		return v
	}
	switch {
	case f.value.Kind() == reflect.Struct:
		return effective(f.value, f.path, missing)
	case f.named():
		named := section{}
		for i := range f.value.Len() {
			name := f.value.Index(i).FieldByName("Name").String()
			named.add(name, effective(f.value.Index(i), join(f.path, name), missing))
		}
		return named
	}
	list := []any{}
	for i := range f.value.Len() {
		element := field{value: f.value.Index(i), tag: f.tag, path: fmt.Sprintf("%s[%d]", f.path, i), key: f.key, item: true}
		list = append(list, shown(element, missing))
	}
	return list
}

// formatDuration writes a duration as people do: 400d, 1d12h, 5m.
func formatDuration(d time.Duration) string {
	const day = 24 * time.Hour
	days := ""
	if d >= day {
		days = fmt.Sprintf("%dd", d/day)
		d %= day
		if d == 0 {
			return days
		}
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return days + text
}

package config

import (
	"reflect"
	"strings"
)

// field is one setting of a struct, or one element of a list of values.
type field struct {
	value reflect.Value
	tag   reflect.StructTag
	path  string
	key   string
	owner origin // of the section it belongs to
	item  bool   // an element of a list
}

// settingsOf gives the settings of the struct v in the order of its fields.
func settingsOf(v reflect.Value, path string) []field {
	var fields []field
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag
		key, ok := tag.Lookup("yaml")
		if !ok {
			continue
		}
		fields = append(fields, field{value: v.Field(i), tag: tag, path: join(path, key), key: key})
	}
	return fields
}

func (f field) secret() bool   { return f.value.Type() == reflect.TypeFor[Secret]() }
func (f field) fileable() bool { return f.secret() || f.tag.Get("file") == "true" }
func (f field) optional() bool { return f.tag.Get("optional") == "true" }
func (f field) required() bool { return f.tag.Get("required") == "true" && !f.item }

// fallback is the default; an element of a list has none.
func (f field) fallback() (text string, ok bool) {
	text, ok = f.tag.Lookup("default")
	return text, ok && !f.item
}

// section is the path of what the setting belongs to, empty for the root.
func (f field) section() string {
	return strings.TrimSuffix(strings.TrimSuffix(f.path, f.key), ".")
}

// keys are those under which the setting may be written.
func (f field) keys() []string {
	if f.fileable() {
		return []string{f.key, f.key + "_file"}
	}
	return []string{f.key}
}

// named tells whether the setting is a section of names: a slice of structs
// with a field Name that is no setting.
func (f field) named() bool {
	if f.value.Kind() != reflect.Slice || f.value.Type().Elem().Kind() != reflect.Struct {
		return false
	}
	name, ok := f.value.Type().Elem().FieldByName("Name")
	return ok && name.Tag.Get("yaml") == ""
}

func join(path, key string) string {
	return strings.TrimPrefix(path+"."+key, ".")
}

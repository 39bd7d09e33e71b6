package config

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// decoder walks a document against a struct whose fields are tagged as
// settings.go says, and gathers every mistake.
type decoder struct {
	file     string
	host     Host
	problems []Problem
	missing  []Problem // of settings without a value: errors only for who requires them
	literal  *Problem  // where the first secret written out in the file stands
}

// origin is where a value came from.
type origin struct {
	line, column int
	source       string // what else than the file gave it, such as a variable's name
	shown        bool   // the value may be repeated in a message
}

// fault is what is wrong with a value, and what to do.
type fault struct{ message, remedy string }

func (d *decoder) problem(at origin, path string, f fault) Problem {
	p := Problem{Line: at.line, Column: at.column, Path: path, Message: f.message, Remedy: f.remedy}
	if at.source == "" {
		p.File = d.file
	} else {
		p.Message = at.source + " " + f.message
	}
	return p
}

func (d *decoder) report(at origin, path string, f fault) {
	d.problems = append(d.problems, d.problem(at, path, f))
}

// entry is one key of a mapping and its value.
type entry struct {
	name string
	at   origin // of the key
	node ast.Node
}

// field is one setting of a struct.
type field struct {
	value reflect.Value
	tag   reflect.StructTag
	path  string
	key   string
}

func (f field) secret() bool   { return f.value.Type() == reflect.TypeFor[Secret]() }
func (f field) fileable() bool { return f.secret() || f.tag.Get("file") == "true" }

// structure fills the struct v from a mapping, or from nothing.
func (d *decoder) structure(v reflect.Value, node ast.Node, path string) {
	fields := settingsOf(v, path)
	var known []string
	for _, f := range fields {
		known = append(known, f.key)
		if f.fileable() {
			known = append(known, f.key+"_file")
		}
	}
	entries := map[string]*entry{}
	for _, e := range d.members(node, path) {
		if !slices.Contains(known, e.name) {
			d.report(e.at, path, unknownKey(e.name, known))
			continue
		}
		entries[e.name] = &e
	}
	for _, f := range fields {
		d.field(f, entries[f.key], entries[f.key+"_file"])
	}
}

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

func (d *decoder) field(f field, written, inFile *entry) {
	var node ast.Node
	if written != nil {
		node = written.node
	}
	switch f.value.Kind() {
	case reflect.Struct:
		d.structure(f.value, node, f.path)
	case reflect.Slice:
		d.named(f, node)
	default:
		d.leaf(f, written, inFile)
	}
}

// named fills a slice of structs from a mapping of names, sorted by name. The
// struct has a field Name.
func (d *decoder) named(f field, node ast.Node) {
	entries := d.members(node, f.path)
	if m, ok := node.(*ast.MappingNode); ok && len(m.Values) == 0 {
		d.report(tokenOrigin(firstToken(node)), f.path, fault{"names nothing", "add an entry, or remove the key for the default " + f.tag.Get("default")})
		return
	}
	if len(entries) == 0 {
		entries = []entry{{name: f.tag.Get("default")}}
	}
	slices.SortStableFunc(entries, func(a, b entry) int { return cmp.Compare(a.name, b.name) })
	for _, e := range entries {
		if !validName(e.name) {
			d.report(e.at, f.path, fault{"has a name that is not 1 to 64 of A-Z, a-z, 0-9, _ and -", "rename it"})
			continue
		}
		element := reflect.New(f.value.Type().Elem()).Elem()
		element.FieldByName("Name").SetString(e.name)
		d.structure(element, e.node, join(f.path, e.name))
		f.value.Set(reflect.Append(f.value, element))
	}
}

// members gives a mapping's keys in order, without the second of two equal
// ones. A section without a value is one left out.
func (d *decoder) members(node ast.Node, path string) []entry {
	if node == nil || node.Type() == ast.NullType {
		return nil
	}
	mapping, ok := node.(*ast.MappingNode)
	if !ok {
		d.report(tokenOrigin(firstToken(node)), path, fault{"must be a section of keys, not " + describe(node), ""})
		return nil
	}
	var entries []entry
	lines := map[string]int{}
	for _, pair := range mapping.Values {
		at := tokenOrigin(pair.Key.GetToken())
		if !plainKey(pair.Key) {
			d.report(at, path, fault{"has " + describe(pair.Key) + " for a key", "write the key as plain text"})
			continue
		}
		name := pair.Key.GetToken().Value
		if first, ok := lines[name]; ok {
			d.report(at, path, fault{fmt.Sprintf("duplicate key%s, first on line %d", quotedKey(name), first), "keep one of them"})
			continue
		}
		lines[name] = at.line
		entries = append(entries, entry{name: name, at: at, node: pair.Value})
	}
	return entries
}

func plainKey(key ast.Node) bool {
	switch key.Type() {
	case ast.StringType, ast.IntegerType, ast.FloatType, ast.BoolType, ast.NullType:
		return true
	}
	return false
}

// scalar gives the text of a value; one that is null has none.
func (d *decoder) scalar(node ast.Node, path string) (string, bool) {
	switch n := node.(type) {
	case nil, *ast.NullNode:
		return "", true
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	d.report(tokenOrigin(firstToken(node)), path, fault{"must be one value, not " + describe(node), ""})
	return "", false
}

// describe says what a node is, in the reader's words and without its content.
func describe(node ast.Node) string {
	switch node.Type() {
	case ast.MappingType, ast.MappingValueType:
		return "a section of keys"
	case ast.SequenceType:
		return "a list"
	case ast.AnchorType:
		return "an anchor (&), which is not supported"
	case ast.AliasType:
		return "an alias (*), which is not supported"
	case ast.MergeKeyType:
		return "a merge key (<<), which is not supported"
	case ast.TagType:
		return "a tag (!), which is not supported"
	case ast.MappingKeyType:
		return "an explicit key (?), which is not supported"
	}
	return "a single value"
}

func join(path, key string) string {
	return strings.TrimPrefix(path+"."+key, ".")
}

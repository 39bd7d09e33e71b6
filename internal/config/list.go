package config

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// named fills a slice of structs from a mapping of names, sorted by name.
func (d *decoder) named(f field, node ast.Node) {
	entries := d.members(node, f.path)
	fallback, ok := f.fallback()
	if m, isMapping := node.(*ast.MappingNode); isMapping && len(m.Values) == 0 {
		remedy := "add an entry, or remove the key"
		if ok {
			remedy += " for the default " + fallback
		}
		d.report(tokenOrigin(firstToken(node)), f.path, fault{"names nothing", remedy})
		return
	}
	if len(entries) == 0 && ok {
		entries = []entry{{name: fallback}}
	}
	slices.SortStableFunc(entries, func(a, b entry) int { return cmp.Compare(a.name, b.name) })
	d.crowded = len(entries) > 1
	defer func() { d.crowded = false }()
	for _, e := range entries {
		if !validName(e.name) {
			d.report(e.at, f.path, fault{"has a name that is not 1 to 64 of A-Z, a-z, 0-9, _ and -", "rename it"})
			continue
		}
		element := reflect.New(f.value.Type().Elem()).Elem()
		element.FieldByName("Name").SetString(e.name)
		path := join(f.path, e.name)
		d.places[path] = e.at
		d.structure(element, e.node, path, e.at)
		f.value.Set(reflect.Append(f.value, element))
	}
}

// list fills a slice from a sequence. An element keeps its index, also one that
// is wrong.
func (d *decoder) list(f field, node ast.Node, at origin) {
	fallback, hasDefault := f.fallback()
	if node == nil {
		if hasDefault {
			f.value.Set(reflect.ValueOf(strings.Fields(fallback)))
		}
		return
	}
	sequence, ok := node.(*ast.SequenceNode)
	if !ok {
		d.report(at, f.path, fault{"must be a list, not " + describe(node), "write it as [ … ]"})
		return
	}
	if len(sequence.Values) == 0 && hasDefault {
		d.report(at, f.path, fault{"is an empty list", "add an element, or remove the key for the default [" + fallback + "]"})
		return
	}
	for i, item := range sequence.Values {
		element := reflect.New(f.value.Type().Elem()).Elem()
		e := entry{at: at, node: item}
		path := fmt.Sprintf("%s[%d]", f.path, i)
		d.places[path] = e.place()
		if element.Kind() == reflect.Struct {
			d.structure(element, item, path, e.place())
		} else {
			d.leaf(field{value: element, tag: f.tag, path: path, key: f.key, item: true}, &e, nil)
		}
		f.value.Set(reflect.Append(f.value, element))
	}
	d.distinct(f)
}

// distinct reports the second of two equal texts in a list.
func (d *decoder) distinct(f field) {
	texts, ok := f.value.Interface().([]string)
	if !ok {
		return
	}
	for i, text := range texts {
		if text != "" && slices.Contains(texts[:i], text) {
			path := fmt.Sprintf("%s[%d]", f.path, i)
			d.report(d.places[path], path, fault{"is in the list twice", "remove it"})
		}
	}
}

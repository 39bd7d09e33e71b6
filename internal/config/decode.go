package config

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/goccy/go-yaml/ast"
)

// decoder walks a document against a struct whose fields are tagged as
// settings.go says, and gathers every mistake.
type decoder struct {
	file     string
	host     Host
	source   source
	problems []Problem
	missing  []Problem // of settings without a value: errors only for who requires them
	findings []Problem // of examiners
	literal  *Problem  // where the first secret written out in the file stands
	decoded  bool      // the file could be parsed, and settings were made of it
	crowded  bool      // within one of several sources
	places   map[string]origin
}

// origin is where a value came from.
type origin struct {
	line, column int
	source       string // what else than the file gave it, such as a variable's name
	from         string // what the file names that gave it, or a part of it
	text         string // where all of it stands in the file and is harmless
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

// written tells whether there is an entry, and a value in it.
func (e *entry) written() bool {
	return e != nil && e.node != nil && e.node.Type() != ast.NullType
}

// place is where the value stands, or the key of one that is null.
func (e *entry) place() origin {
	if e.written() {
		return tokenOrigin(firstToken(e.node))
	}
	return e.at
}

// structure fills the struct v from a mapping, or from nothing.
func (d *decoder) structure(v reflect.Value, node ast.Node, path string, at origin) {
	fields := settingsOf(v, path)
	entries := d.known(fields, node, path)
	done := map[string]bool{}
	for _, f := range fields {
		f.owner = at
		i := slices.IndexFunc(fields, func(o field) bool { return o.key == f.tag.Get("unless") })
		switch {
		case i >= 0:
			other := fields[i]
			other.owner = at
			d.field(other, entries)
			done[other.key] = true
			d.alternative(f, other, entries)
		case !done[f.key]:
			d.field(f, entries)
		}
	}
}

// known gives the mapping's entries by key, and reports those that are no settings.
func (d *decoder) known(fields []field, node ast.Node, path string) map[string]*entry {
	var known []string
	for _, f := range fields {
		known = append(known, f.keys()...)
	}
	entries := map[string]*entry{}
	for _, e := range d.members(node, path) {
		if !slices.Contains(known, e.name) {
			d.report(e.at, path, unknownKey(e.name, known))
			continue
		}
		entries[e.name] = &e
	}
	return entries
}

func (d *decoder) field(f field, entries map[string]*entry) {
	written, inFile := entries[f.key], entries[f.key+"_file"]
	at := f.owner
	if written != nil {
		at = written.place()
		d.places[f.path] = at
	}
	var node ast.Node
	if written.written() {
		node = written.node
	}
	switch {
	case f.value.Kind() == reflect.Struct:
		d.structure(f.value, node, f.path, at)
	case f.named():
		d.named(f, node)
	case f.value.Kind() == reflect.Slice:
		d.list(f, node, at)
	default:
		d.leaf(f, written, inFile)
	}
}

// alternative decodes a setting that must not stand beside another, which has
// been decoded already.
func (d *decoder) alternative(f, other field, entries map[string]*entry) {
	if other.value.IsZero() {
		d.field(f, entries)
		return
	}
	mine, theirs := entries[f.key], entries[other.key]
	if !mine.written() || theirs == nil {
		return
	}
	later := mine.at
	if at := theirs.at; at.line > later.line || at.line == later.line && at.column > later.column {
		later = at
	}
	d.report(later, f.section(), fault{fmt.Sprintf("both %s and %s are given", f.key, other.key), "keep one of them"})
	missing := d.missing
	d.field(f, entries) // for the mistakes in it
	d.missing = missing
}

// members gives a mapping's keys in order, without the second of two equal
// ones. A section without a value is one left out.
func (d *decoder) members(node ast.Node, path string) []entry {
	if node == nil || node.Type() == ast.NullType {
		return nil
	}
	mapping, ok := node.(*ast.MappingNode)
	if !ok {
		d.report(tokenOrigin(firstToken(node)), path, fault{"must be a section of keys, not " + describe(node), "write its keys below it, as key: value"})
		return nil
	}
	var entries []entry
	lines := map[string]int{}
	for _, pair := range mapping.Values {
		at := tokenOrigin(pair.Key.GetToken())
		d.source.vouch(pair.Key.GetToken(), validName(pair.Key.GetToken().Value))
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
	d.report(tokenOrigin(firstToken(node)), path, fault{"must be one value, not " + describe(node), "write the value itself"})
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

package config

import (
	"fmt"
	"reflect"
	"strings"
)

const maxSecretFileBytes = 64 << 10

// leaf fills one setting: from the file read, else from a file it names, else
// from the environment, else by default.
func (d *decoder) leaf(f field, written, inFile *entry) {
	switch {
	case written != nil && inFile != nil:
		d.report(inFile.at, f.path, fault{fmt.Sprintf("both %s and %s_file are given", f.key, f.key), "keep one of them"})
	case written != nil:
		d.fromText(f, written)
	case inFile != nil:
		d.fromSecretFile(f, inFile)
	default:
		d.fromSurroundings(f)
	}
}

func (d *decoder) fromText(f field, e *entry) {
	x, at, ok := d.expanded(f, e, f.path)
	fallback, hasDefault := f.fallback()
	env := d.variable(f)
	switch {
	case !ok:
	case x.text != "", f.value.Kind() == reflect.Pointer && e.written():
		d.put(f, x.text, at)
	case f.optional():
	case len(x.names) > 0:
		d.lack(f, at, "", "write a value or export "+strings.Join(x.names, ", "))
	case hasDefault:
		d.report(at, f.path, fault{"is empty", "write a value, or remove the key for the default " + fallback})
	case env != "":
		d.lack(f, at, ": it is empty", "write a value, or remove the key and export "+env)
	case f.required() || f.item:
		d.report(at, f.path, fault{"is empty", "write a value"})
	default:
		d.lack(f, at, ": it is empty", "write a value")
	}
}

// variable is the name of the environment variable that may fill the setting,
// empty for none. Two accounts must not be filled from one variable.
func (d *decoder) variable(f field) string {
	if d.crowded && f.tag.Get("sole") == "true" {
		return ""
	}
	return f.tag.Get("env")
}

// expanded gives an entry's text with its variables replaced. It is not ok when
// the entry is wrong or names an unset variable, which has then been noted.
// at.shown means that the text stands in the file as it is.
func (d *decoder) expanded(f field, e *entry, path string) (x expansion, at origin, ok bool) {
	written, ok := d.scalar(e.node, path)
	if !ok {
		return expansion{}, origin{}, false
	}
	at = e.place()
	x, wrong := expand(written, d.host.env)
	if e.written() && path == f.path {
		harmless := !f.secret() && !mayHoldPassword(written) || wrong == (fault{}) && !x.holdsSecret(false)
		d.source.vouch(e.node.GetToken(), harmless)
	}
	if wrong != (fault{}) {
		d.report(at, path, wrong)
		return expansion{}, at, false
	}
	if path == f.path && f.secret() && d.literal == nil && x.holdsSecret(f.tag.Get("literal") == "password") {
		p := d.problem(at, path, fault{})
		d.literal = &p
	}
	if len(x.unset) > 0 {
		names := strings.Join(x.unset, ", ")
		d.lack(f, at, ": the environment has no "+names, "export "+names)
		return expansion{}, at, false
	}
	at.shown = len(x.names) == 0
	if at.from = strings.Join(x.names, ", "); at.shown && !f.secret() && !mayHoldPassword(written) {
		at.text = x.text
	}
	if path == f.path {
		d.places[path] = at
	}
	return x, at, true
}

func (d *decoder) fromSecretFile(f field, e *entry) {
	x, at, ok := d.expanded(f, e, f.path+"_file")
	if !ok {
		return
	}
	if x.text == "" {
		d.lack(f, at, fmt.Sprintf(": %s_file is empty", f.key), "write the path of a file")
		return
	}
	data, _, err := d.host.read(x.text, maxSecretFileBytes)
	text := strings.TrimRight(string(data), "\r\n")
	at.shown, at.text, at.from = false, "", fmt.Sprintf("the file that %s_file names", f.key)
	d.places[f.path] = at
	switch {
	case err != nil:
		d.lack(f, at, fmt.Sprintf(": the file that %s_file names %s", f.key, describeFileError(err)), "create it or correct the path")
	case len(data) > maxSecretFileBytes:
		d.report(at, f.path+"_file", fault{fmt.Sprintf("names a file larger than %d KiB", maxSecretFileBytes>>10), ""})
	case text == "":
		d.lack(f, at, fmt.Sprintf(": the file that %s_file names is empty", f.key), "put the value into it")
	default:
		d.put(f, text, at)
	}
}

func (d *decoder) fromSurroundings(f field) {
	name := d.variable(f)
	if name != "" {
		if text := d.host.env(name); text != "" {
			d.places[f.path] = origin{source: name}
			d.put(f, text, d.places[f.path])
			return
		}
	}
	fallback, hasDefault := f.fallback()
	switch {
	case hasDefault:
		d.put(f, fallback, origin{})
	case f.required():
		d.report(f.owner, f.section(), fault{"has no " + f.key, "add " + strings.Join(f.keys(), " or ")})
	case f.optional():
	default:
		remedy := "put it in " + d.file
		if name != "" {
			remedy += " or export " + name
		}
		d.missing = append(d.missing, Problem{Path: f.path, Message: f.path + " is not set", Remedy: remedy})
	}
}

// mayHoldPassword tells whether the text looks like an address with a user and a
// password in it, which people write where a plain value is meant.
func mayHoldPassword(text string) bool {
	return strings.Contains(text, "@") && strings.Contains(text, ":")
}

// lack notes that the setting has no value, and why.
func (d *decoder) lack(f field, at origin, why, remedy string) {
	d.missing = append(d.missing, d.problem(at, f.path, fault{f.path + " is not set" + why, remedy}))
}

// put converts the text to the setting's type, or reports why it cannot. Only
// what stands in the file as a number, a duration or a choice is repeated.
func (d *decoder) put(f field, text string, at origin) {
	wrong := assign(f.value, f.tag, text)
	if wrong == (fault{}) {
		return
	}
	if at.shown && f.value.Kind() != reflect.String && f.value.Kind() != reflect.Pointer && len(text) <= 40 {
		wrong.message += fmt.Sprintf(", not %q", text)
	}
	d.report(at, f.path, wrong)
}

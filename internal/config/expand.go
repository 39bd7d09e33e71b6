package config

import "strings"

// hole stands in a template's shape for what the environment gives.
const hole = "\x00"

// expansion is a text whose ${NAME} and ${NAME:-default} have been replaced.
type expansion struct {
	text  string
	shape string   // the same with a hole for each value that is not in the file
	names []string // the variables, in order
	unset []string // those without a value and without a default
}

// expand replaces the variables of text. $$ is a dollar, and so is a $ before
// anything but { and $. env gives the empty text for what is unset.
func expand(text string, env func(string) string) (expansion, fault) {
	var x expansion
	var out, shape strings.Builder
	for {
		before, after, found := strings.Cut(text, "$")
		out.WriteString(before)
		shape.WriteString(before)
		if !found {
			break
		}
		if !strings.HasPrefix(after, "{") {
			text = strings.TrimPrefix(after, "$")
			out.WriteByte('$')
			shape.WriteByte('$')
			continue
		}
		inner, rest, closed := strings.Cut(after[1:], "}")
		name, fallback, _ := strings.Cut(inner, ":-")
		if !closed || !validVariable(name) || strings.Contains(fallback, "${") {
			return expansion{}, fault{"has a ${ that is not ${NAME} or ${NAME:-default}", "write $$ for a dollar"}
		}
		fallback = strings.ReplaceAll(fallback, "$$", "$")
		value := env(name)
		if value == "" && !strings.Contains(inner, ":-") {
			x.unset = append(x.unset, name)
		}
		if value == "" {
			value = fallback
		}
		out.WriteString(value)
		shape.WriteString(fallback + hole)
		x.names = append(x.names, name)
		text = rest
	}
	x.text, x.shape = out.String(), shape.String()
	return x, fault{}
}

// holdsSecret tells whether a secret, or a password within a DSN, stands in the
// file itself. A default of a variable does.
func (x expansion) holdsSecret(passwordOnly bool) bool {
	part := x.shape
	if passwordOnly {
		part = passwordOf(part)
	}
	return strings.Trim(part, hole) != ""
}

// passwordOf gives the password of user:password@net(address)/database; when a
// hole hides where it ends, all of what may be it.
func passwordOf(dsn string) string {
	if i := strings.LastIndexByte(dsn, '/'); i >= 0 {
		dsn = dsn[:i]
	}
	user := dsn
	if i := strings.LastIndexByte(dsn, '@'); i >= 0 {
		user = dsn[:i]
	} else if !strings.Contains(dsn, hole) {
		return ""
	}
	_, password, _ := strings.Cut(user, ":")
	return password
}

func validVariable(name string) bool {
	return name != "" && (name[0] < '0' || name[0] > '9') && !strings.ContainsFunc(name, func(r rune) bool {
		return r != '_' && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
}

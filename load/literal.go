package load

import (
	"strconv"
	"strings"
)

// literals returns the statement with its arguments, integers, texts and NULLs,
// written into it, as the driver would while it sends it: so this can be done
// while the server works on the statement before. A statement of whose question
// marks not every one stands for an argument, or with an argument of another
// type, is left to the driver.
//
// The session's sql_mode is ours, and reads a backslash as an escape; its
// character set is utf8mb4, in which no other character holds the byte of one.
func literals(query string, args []any) (string, []any) {
	if strings.Count(query, "?") != len(args) {
		return query, args
	}
	size := len(query)
	for _, a := range args {
		size += 20
		if text, ok := a.(string); ok {
			size += len(text)
		}
	}
	b, rest := make([]byte, 0, size), query
	for _, a := range args {
		at := strings.IndexByte(rest, '?')
		b = append(b, rest[:at]...)
		rest = rest[at+1:]
		switch a := a.(type) {
		case int64:
			b = strconv.AppendInt(b, a, 10)
		case string:
			b = appendText(b, a)
		case nil:
			b = append(b, "NULL"...)
		default:
			return query, args
		}
	}
	return string(append(b, rest...)), nil
}

// appendText appends a text as a literal.
func appendText(b []byte, text string) []byte {
	b = append(b, '\'')
	from := 0
	for i := range len(text) {
		var escape byte
		switch text[i] {
		case 0:
			escape = '0'
		case '\n':
			escape = 'n'
		case '\r':
			escape = 'r'
		case '\x1a':
			escape = 'Z'
		case '\'', '"', '\\':
			escape = text[i]
		default:
			continue
		}
		b = append(b, text[from:i]...)
		b = append(b, '\\', escape)
		from = i + 1
	}
	return append(append(b, text[from:]...), '\'')
}

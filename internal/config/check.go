package config

import (
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// checkText holds a text against the tags check and oneof, and gives it in the
// form in which it is kept.
func checkText(text string, tag reflect.StructTag) (string, fault) {
	if strings.ContainsFunc(text, unicode.IsControl) {
		return "", fault{"contains a line break or another control character", "remove it"}
	}
	if choices := strings.Fields(tag.Get("oneof")); len(choices) > 0 && !slices.Contains(choices, text) {
		return "", fault{"must be " + strings.Join(choices, " or "), ""}
	}
	switch tag.Get("check") {
	case "url":
		return strings.TrimRight(text, "/"), checkURL(text)
	case "table":
		return text, checkTable(text)
	}
	return text, fault{}
}

func checkURL(text string) fault {
	u, err := url.Parse(text)
	if err != nil || u.Opaque != "" || u.Hostname() == "" || !validPort(u.Port()) {
		return fault{"must be a URL", "write it as https://host"}
	}
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return fault{"must begin with https://", ""}
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return fault{"must begin with https://", "http:// is for a server on this machine only"}
	case u.User != nil:
		return fault{"must not contain a user or a password", "use app_key and app_secret"}
	case strings.ContainsAny(text, "?#"):
		return fault{"must not contain a query or a fragment", "end it before the ? or #"}
	}
	return fault{}
}

func validPort(port string) bool {
	if port == "" {
		return true
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && addr.Unmap().IsLoopback()
}

// checkTable takes what MySQL takes as a quoted identifier, but for a dot: that
// would read as a schema.
func checkTable(name string) fault {
	switch {
	case utf8.RuneCountInString(name) > 64:
		return fault{"must have at most 64 characters", ""}
	case strings.Contains(name, "."):
		return fault{"must be a plain table name without a dot", "name the database in target.dsn"}
	case strings.ContainsFunc(name, func(r rune) bool { return r == '`' || r > 0xFFFF }):
		return fault{"contains a character that a table name must not have", ""}
	case strings.HasSuffix(name, " "):
		return fault{"must not end in a blank", ""}
	}
	return fault{}
}

// validName is the form of a pipeline's name.
func validName(name string) bool {
	if name == "" || len(name) > 64 {
		return false
	}
	return !strings.ContainsFunc(name, func(r rune) bool {
		return r >= utf8.RuneSelf || r != '_' && r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
}

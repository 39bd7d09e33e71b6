package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // a machine without a time-zone database must not refuse a zone
	"unicode"
	"unicode/utf8"
)

// checkText holds a text against the tags check and oneof, and gives it in the
// form in which it is kept.
func checkText(text string, tag reflect.StructTag) (string, fault) {
	form := forms(tag.Get("check"))
	control := strings.IndexFunc(text, func(r rune) bool {
		layout := form.lines && (r == '\n' || r == '\t')
		return unicode.IsControl(r) && !layout
	})
	if control >= 0 {
		return "", fault{"contains a line break or another control character", "remove it"}
	}
	if choices := strings.Fields(tag.Get("oneof")); len(choices) > 0 && !slices.Contains(choices, text) {
		remedy := ""
		if best := nearest(text, choices); best != "" {
			remedy = fmt.Sprintf("did you mean %q?", best)
		}
		return "", fault{"must be " + orList(choices), remedy}
	}
	if form.check == nil {
		return text, fault{}
	}
	return form.check(text)
}

// form is the form of a text that a tag check names.
type form struct {
	check   func(text string) (kept string, wrong fault)
	lines   bool   // line breaks and tabs are part of it
	pattern string // what the schema says about it; it takes all that check takes
}

// forms gives the form of that name; there is none without a name.
func forms(name string) form {
	as := func(check func(string) fault) func(string) (string, fault) {
		return func(text string) (string, fault) { return text, check(text) }
	}
	switch name {
	case "":
		return form{}
	case "url":
		return form{pattern: "^[hH][tT][tT][pP][sS]?://[^@?#]+$", check: func(text string) (string, fault) {
			return strings.TrimRight(text, "/"), checkURL(text)
		}}
	case "webhook":
		return form{check: as(checkWebhook)}
	case "table":
		return form{pattern: "^[^.`]{1,64}$", check: as(checkTable)}
	case "column":
		return form{pattern: "^[^`]{1,64}$", check: as(checkColumn)}
	case "field", "label":
		return form{check: as(func(text string) fault { return checkLength(text, 64) })}
	case "comment":
		return form{check: as(func(text string) fault { return checkLength(text, 1024) })}
	case "default":
		return form{lines: true}
	case "expr":
		return form{lines: true, pattern: `\S`, check: checkExpr}
	case "type":
		return form{pattern: typePattern(), check: canonicalType}
	case "cron":
		return form{pattern: `^\s*(\S+\s+){4}\S+\s*$`, check: checkCron}
	case "listen":
		return form{pattern: ":[0-9]+$", check: as(checkListen)}
	case "zone":
		return form{check: as(checkZone)}
	}
	panic("config: tag check: " + name)
}

// orList writes a list out: a, b or c.
func orList(all []string) string {
	if len(all) == 1 {
		return all[0]
	}
	return strings.Join(all[:len(all)-1], ", ") + " or " + all[len(all)-1]
}

func checkURL(text string) fault {
	u, wrong := checkAddress(text)
	switch {
	case wrong != (fault{}):
		return wrong
	case u.User != nil:
		return fault{"must not contain a user or a password", "use app_key and app_secret"}
	case strings.ContainsAny(text, "?#"):
		return fault{"must not contain a query or a fragment", "end it before the ? or #"}
	}
	return fault{}
}

// checkWebhook takes an address with the query that most of them have.
func checkWebhook(text string) fault {
	_, wrong := checkAddress(text)
	return wrong
}

func checkAddress(text string) (*url.URL, fault) {
	u, err := url.Parse(text)
	if err != nil || u.Opaque != "" || u.Hostname() == "" || !validPort(u.Port()) {
		return nil, fault{"must be a URL", "write it as https://host"}
	}
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, fault{"must begin with https://", ""}
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, fault{"must begin with https://", "http:// is for a server on this machine only"}
	}
	return u, fault{}
}

func checkListen(text string) fault {
	host, port, err := net.SplitHostPort(text)
	if err != nil || port == "" || !validPort(port) || strings.ContainsAny(host, " /@") {
		return fault{"must be host:port", "write it as 127.0.0.1:8321"}
	}
	return fault{}
}

func checkZone(text string) fault {
	if _, err := time.LoadLocation(text); err != nil || text == "Local" {
		return fault{"is no time zone that is known here", "write a name such as Asia/Shanghai or UTC"}
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
	case strings.Contains(name, "."):
		return fault{"must be a plain table name without a dot", "name the database in target.dsn"}
	case strings.EqualFold(name, "jstsync_checkpoint"):
		return fault{"is the table of jstsync's own checkpoints", "name another"}
	}
	return checkIdentifier(name, "a table name")
}

func checkColumn(name string) fault { return checkIdentifier(name, "a column name") }

func checkIdentifier(name, what string) fault {
	switch {
	case strings.ContainsFunc(name, func(r rune) bool { return r == '`' || r > 0xFFFF }):
		return fault{"contains a character that " + what + " must not have", "take the backquote or the emoji out"}
	case strings.HasSuffix(name, " "):
		return fault{"must not end in a blank", "remove it"}
	}
	return checkLength(name, 64)
}

func checkLength(text string, most int) fault {
	if utf8.RuneCountInString(text) > most {
		return fault{fmt.Sprintf("must have at most %d characters", most), "shorten it"}
	}
	return fault{}
}

// checkExpr takes any expression; it is compiled elsewhere.
func checkExpr(text string) (string, fault) {
	text = strings.TrimSpace(text)
	if text == "" {
		return "", fault{"is blank", "write an expression"}
	}
	return text, fault{}
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

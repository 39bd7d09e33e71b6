package config

import (
	"cmp"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// assign converts text to the type of v, holds it against the tags and stores
// it. The fault never repeats the text.
func assign(v reflect.Value, tag reflect.StructTag, text string) fault {
	switch p := v.Addr().Interface().(type) {
	case *time.Duration:
		return number(p, tag, text, parseDuration, fault{"must be a duration", "write a number and a unit, such as 30s, 5m or 7d"})
	case *int:
		return number(p, tag, text, strconv.Atoi, fault{"must be a whole number", "write its digits alone"})
	case *float64:
		return number(p, tag, text, parseFloat, fault{"must be a number", "write it like 5 or 0.5"})
	case *bool:
		switch strings.ToLower(text) {
		case "true", "false":
			*p = strings.EqualFold(text, "true")
			return fault{}
		}
		return fault{"must be true or false", ""}
	}
	text, wrong := checkText(text, tag)
	switch {
	case wrong != (fault{}):
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.ValueOf(&text))
	default:
		v.SetString(text)
	}
	return wrong
}

// number parses text and holds it against the tags min, max and above.
func number[T cmp.Ordered](p *T, tag reflect.StructTag, text string, parse func(string) (T, error), wrong fault) fault {
	n, err := parse(text)
	if err != nil {
		return wrong
	}
	limit := func(name string) (text string, order int, ok bool) {
		text, ok = tag.Lookup(name)
		if !ok {
			return "", 0, false
		}
		bound, err := parse(text)
		if err != nil {
			panic("config: tag " + name + ": " + text)
		}
		return text, cmp.Compare(n, bound), true
	}
	least, orderMin, hasMin := limit("min")
	most, orderMax, hasMax := limit("max")
	floor, orderAbove, hasAbove := limit("above")
	switch {
	case hasMin && hasMax && (orderMin < 0 || orderMax > 0):
		return fault{"must be " + least + " to " + most, ""}
	case hasMin && orderMin < 0:
		return fault{"must be " + least + " or more", ""}
	case hasMax && orderMax > 0:
		return fault{"must be " + most + " or less", ""}
	case hasAbove && orderAbove <= 0:
		return fault{"must be more than " + floor, ""}
	}
	*p = n
	return fault{}
}

// parseFloat takes finite decimal numbers.
func parseFloat(text string) (float64, error) {
	n, err := strconv.ParseFloat(text, 64)
	if err == nil && (math.IsInf(n, 0) || math.IsNaN(n) || strings.ContainsAny(text, "xX")) {
		err = strconv.ErrSyntax
	}
	return n, err
}

// parseDuration takes what time.ParseDuration takes, with whole days before it
// or alone: 90s, 400d, 1d12h.
func parseDuration(text string) (time.Duration, error) {
	days, rest, found := strings.Cut(text, "d")
	if !found {
		return time.ParseDuration(text)
	}
	n, err := strconv.ParseUint(days, 10, 16)
	if err != nil || rest == "" {
		return time.Duration(n) * 24 * time.Hour, err
	}
	if strings.ContainsAny(rest, "+-") {
		return 0, strconv.ErrSyntax
	}
	d, err := time.ParseDuration(rest)
	whole := time.Duration(n) * 24 * time.Hour
	if err == nil && d > math.MaxInt64-whole {
		err = strconv.ErrRange
	}
	return whole + d, err
}

package mapping

import (
	"math"
	"strconv"
	"strings"
)

// number is a decimal number in its only spelling: the digits of an integer
// that does not end in 0, times ten to the power of exp. Zero has no digits.
// Equal numbers are == each other.
type number struct {
	negative bool
	digits   string
	exp      int
}

// maxExponent bounds the exponents that are told apart: what lies beyond fits
// no column either way.
const maxExponent = 1_000_000

// parseNumber reads a number as JSON writes it, with or without an exponent;
// zeros may stand in front of it.
func parseNumber(text string) (number, bool) {
	var n number
	rest, negative := strings.CutPrefix(text, "-")
	mantissa, exponent, scientific := cutAny(rest, "eE")
	whole, fraction, pointed := strings.Cut(mantissa, ".")
	if !isDigits(whole) || pointed && !isDigits(fraction) {
		return n, false
	}
	if scientific {
		var ok bool
		if n.exp, ok = parseExponent(exponent); !ok {
			return n, false
		}
	}
	digits := strings.TrimLeft(whole+fraction, "0")
	n.digits = strings.TrimRight(digits, "0")
	if n.digits == "" {
		return number{}, true
	}
	n.negative = negative
	n.exp += len(digits) - len(n.digits) - len(fraction)
	return n, true
}

func parseExponent(text string) (int, bool) {
	digits := strings.TrimLeft(text, "+-")
	if !isDigits(digits) || len(text)-len(digits) > 1 {
		return 0, false
	}
	exp, err := strconv.Atoi(text)
	if err != nil || exp < -maxExponent || exp > maxExponent {
		if exp = maxExponent; text[0] == '-' {
			exp = -maxExponent
		}
	}
	return exp, true
}

func cutAny(s, chars string) (before, after string, found bool) {
	if i := strings.IndexAny(s, chars); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// wholeDigits returns how many digits stand before the point.
func (n number) wholeDigits() int { return max(len(n.digits)+n.exp, 0) }

// fixed writes the number with scale digits behind the point. It must have no
// more of them.
func (n number) fixed(scale int) string {
	digits := n.digits
	if digits != "" {
		digits += strings.Repeat("0", n.exp+scale)
	}
	if short := scale + 1 - len(digits); short > 0 {
		digits = strings.Repeat("0", short) + digits
	}
	point := len(digits) - scale
	text := digits[:point]
	if scale > 0 {
		text += "." + digits[point:]
	}
	if n.negative {
		return "-" + text
	}
	return text
}

// integer returns a whole number's digits, when there are at most 20.
func (n number) integer() (digits string, ok bool) {
	if n.exp < 0 || n.wholeDigits() > 20 {
		return "", false
	}
	return n.fixed(0), true
}

// float returns the floating-point number that stands for this number and no
// other of as few digits: the one that is written with the same digits.
func (n number) float() (float64, bool) {
	text := n.digits + "e" + strconv.Itoa(n.exp)
	if n.digits == "" {
		text = "0"
	}
	if n.negative {
		text = "-" + text
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(f, 0) {
		return 0, false
	}
	back, ok := parseNumber(strconv.FormatFloat(f, 'e', -1, 64))
	return f, ok && back == n
}

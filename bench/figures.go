package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
)

// spread is the median and the range.
func spread(samples []sample, of func(sample) float64) string {
	if len(samples) == 0 {
		return "–"
	}
	all := values(samples, of)
	return fmt.Sprintf("%s (%s–%s)", figure(median(samples, of)), figure(all[0]), figure(all[len(all)-1]))
}

// count is a number that every round should agree on; where they do not, it is
// the range.
func count(samples []sample, of func(sample) int) string {
	byCount := func(a, b sample) int { return cmp.Compare(of(a), of(b)) }
	least, most := of(slices.MinFunc(samples, byCount)), of(slices.MaxFunc(samples, byCount))
	if least == most {
		return thousands(most)
	}
	return thousands(least) + "–" + thousands(most)
}

func ratio(a, b float64) string { return figure(a/b) + " ×" }

// figure writes a number with as many digits as say something.
func figure(x float64) string {
	switch {
	case x < 0:
		return "−" + figure(-x)
	case x == 0:
		return "0"
	case x < 10:
		return strconv.FormatFloat(x, 'f', 2, 64)
	case x < 100:
		return strconv.FormatFloat(x, 'f', 1, 64)
	default:
		return thousands(int(x + 0.5))
	}
}

func mebibytes(n int64) string { return figure(float64(n) / (1 << 20)) }

func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return thousands(n) + " " + what + "s"
}

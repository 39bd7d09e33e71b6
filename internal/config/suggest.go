package config

import (
	"fmt"
	"strings"
)

// unknownKey says so, and what may have been meant.
func unknownKey(name string, known []string) fault {
	message := "unknown key" + quotedKey(name)
	if best := nearest(name, known); best != "" {
		return fault{message, fmt.Sprintf("did you mean %q?", best)}
	}
	return fault{message, "known here: " + strings.Join(known, ", ")}
}

// nearest gives the one of all that name was probably meant to be, or nothing.
func nearest(name string, all []string) string {
	best, least := "", 1+len(name)/4
	for _, one := range all {
		n := distance(strings.ToLower(name), strings.ToLower(one))
		if len(name) >= 3 && strings.HasPrefix(one, strings.ToLower(name)) {
			n = 1 // most of it is there
		}
		if n <= least && (best == "" || n < least) {
			best, least = one, n
		}
	}
	return best
}

// quotedKey repeats what looks like a key. Anything else may be a value that
// slipped into a key's place, a secret even.
func quotedKey(name string) string {
	if !validName(name) {
		return ""
	}
	return fmt.Sprintf(" %q", name)
}

// distance is the number of characters to insert, remove, replace or swap with
// their neighbour to make b of a.
func distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	if max(len(s), len(t)) > 64 {
		return max(len(s), len(t))
	}
	var d [65][65]int
	for i := range len(s) + 1 {
		for j := range len(t) + 1 {
			if i == 0 || j == 0 {
				d[i][j] = i + j
				continue
			}
			replace := d[i-1][j-1]
			if s[i-1] != t[j-1] {
				replace++
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, replace)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(s)][len(t)]
}

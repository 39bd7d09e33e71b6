package config

import (
	"slices"
	"strings"
)

// Need is a group of settings that a command uses.
type Need int

// What a command may need. Those of source mean every source there is; see
// [Settings.RequireFor].
const (
	NeedState  Need = iota + 1 // state, lock_timeout
	NeedApp                    // all of source but the access token: for obtaining one
	NeedToken                  // source.access_token
	NeedSource                 // all of source, the access token included
	NeedTarget                 // all of target
	NeedServe                  // all of serve
	NeedAlerts                 // all of alerts
)

func (n Need) covers(path string) bool {
	isSource, isToken := sourcePath(path)
	switch n {
	case NeedState:
		return path == "state" || path == "lock_timeout"
	case NeedApp:
		return isSource && !isToken
	case NeedToken:
		return isToken
	case NeedSource:
		return isSource
	case NeedTarget:
		return strings.HasPrefix(path, "target.")
	case NeedServe:
		return strings.HasPrefix(path, "serve.")
	case NeedAlerts:
		return strings.HasPrefix(path, "alerts.")
	}
	return false
}

// sourcePath tells whether the path is that of a source's setting, and of its token.
func sourcePath(path string) (isSource, isToken bool) {
	isSource = strings.HasPrefix(path, "source.") || strings.HasPrefix(path, "sources.")
	return isSource, isSource && strings.HasSuffix(path, ".access_token")
}

// Require answers an [*Error] with every setting of these needs that has no
// value, naming the key and the environment variable that can give it, and with
// what examiners found of these settings.
func (s *Settings) Require(needs ...Need) error {
	return problemsError(s.lacking(func(path string) bool {
		return slices.ContainsFunc(needs, func(n Need) bool { return n.covers(path) })
	}))
}

// RequireFor is Require, but of several sources only those that the pipelines read.
func (s *Settings) RequireFor(pipelines []Pipeline, needs ...Need) error {
	return s.RequireOf(namesOf(pipelines, func(p Pipeline) string { return p.Source }), needs...)
}

// RequireOf is Require, but of several sources only the named ones.
func (s *Settings) RequireOf(sources []string, needs ...Need) error {
	return problemsError(s.lacking(func(path string) bool {
		if rest, named := strings.CutPrefix(path, "sources."); named {
			name, _, _ := strings.Cut(rest, ".")
			if !slices.Contains(sources, name) {
				return false
			}
		}
		return slices.ContainsFunc(needs, func(n Need) bool { return n.covers(path) })
	}))
}

func (s *Settings) lacking(wanted func(path string) bool) []Problem {
	var problems []Problem
	for _, p := range slices.Concat(s.missing, s.findings) {
		if wanted(p.Path) {
			problems = append(problems, p)
		}
	}
	return problems
}

package config

import (
	"fmt"
	"slices"
	"strings"
)

// Need is a group of settings that a command uses.
type Need int

// What a command may need.
const (
	NeedState  Need = iota + 1 // state, lock_timeout
	NeedApp                    // all of source but the access token: for obtaining one
	NeedToken                  // source.access_token
	NeedSource                 // all of source, the access token included
	NeedTarget                 // all of target
)

func (n Need) covers(path string) bool {
	const token = "source.access_token"
	switch n {
	case NeedState:
		return path == "state" || path == "lock_timeout"
	case NeedApp:
		return strings.HasPrefix(path, "source.") && path != token
	case NeedToken:
		return path == token
	case NeedSource:
		return strings.HasPrefix(path, "source.")
	case NeedTarget:
		return strings.HasPrefix(path, "target.")
	}
	return false
}

// Require answers an [*Error] with every setting of these needs that has no
// value, naming the key and the environment variable that can give it.
func (s *Settings) Require(needs ...Need) error {
	return problemsError(s.lacking(func(path string) bool {
		return slices.ContainsFunc(needs, func(n Need) bool { return n.covers(path) })
	}))
}

// Pipeline gives the named pipelines in the order of the names, each once, or
// all of them when none is named. A name that is not configured is an
// [*UnknownPipelineError]; a setting of theirs without a value an [*Error].
func (s *Settings) Pipeline(names ...string) ([]Pipeline, error) {
	var chosen []Pipeline
	var unknown []string
	for _, name := range names {
		has := func(p Pipeline) bool { return p.Name == name }
		if slices.ContainsFunc(chosen, has) || slices.Contains(unknown, name) {
			continue
		}
		if i := slices.IndexFunc(s.Pipelines, has); i >= 0 {
			chosen = append(chosen, s.Pipelines[i])
		} else {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) > 0 {
		return nil, &UnknownPipelineError{Names: unknown, Known: s.pipelineNames()}
	}
	if len(names) == 0 {
		chosen = slices.Clone(s.Pipelines)
	}
	err := problemsError(s.lacking(func(path string) bool {
		return slices.ContainsFunc(chosen, func(p Pipeline) bool {
			return strings.HasPrefix(path, "pipelines."+p.Name+".")
		})
	}))
	if err != nil {
		return nil, err
	}
	return chosen, nil
}

func (s *Settings) lacking(wanted func(path string) bool) []Problem {
	var problems []Problem
	for _, p := range s.missing {
		if wanted(p.Path) {
			problems = append(problems, p)
		}
	}
	return problems
}

func (s *Settings) pipelineNames() []string {
	var names []string
	for _, p := range s.Pipelines {
		names = append(names, p.Name)
	}
	return names
}

// UnknownPipelineError says that pipelines were asked for that are not configured.
type UnknownPipelineError struct {
	Names []string // in the order asked for
	Known []string // sorted
}

// Error names both: no pipeline "x"; known: "a", "b".
func (e *UnknownPipelineError) Error() string {
	return fmt.Sprintf("no pipeline %s; known: %s", quoteAll(e.Names), quoteAll(e.Known))
}

func quoteAll(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = fmt.Sprintf("%q", name)
	}
	return strings.Join(quoted, ", ")
}

package pipeline

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"jstsync/diff"
)

// broken is a record that does not keep a rule.
type broken struct {
	key  diff.Key
	rule diff.BrokenRule
}

// judge holds a record against the rules. It returns why the record is to be
// set aside, "" when it is not.
func (s *scan) judge(key diff.Key, r *diff.Record) string {
	var reasons []string
	for _, rule := range s.Mapping.Broken(r) {
		if rule.OnFail == diff.Quarantine {
			reasons = append(reasons, rule.Reason)
		}
		s.note(key, rule)
	}
	return strings.Join(reasons, "; ")
}

// note remembers a broken rule. Why is told with the record that is set aside, or
// when the run fails; a warning gives the keys, of which there may be many.
func (s *scan) note(key diff.Key, rule diff.BrokenRule) {
	if rule.OnFail != diff.Fail {
		rule.Reason = ""
	}
	s.broken = append(s.broken, broken{key, rule})
}

// aside quarantines a record whose key is known. Its row stays as it is.
func (s *scan) aside(key diff.Key, reason string) {
	s.quarantine = append(s.quarantine, setAside{key, reason})
	s.unmapped = append(s.unmapped, key)
	s.isAside[key] = true
}

// tallies counts the broken rules, in the order of their names.
func (s *scan) tallies() []diff.RuleTally {
	slices.SortStableFunc(s.broken, func(a, b broken) int {
		return cmp.Or(cmp.Compare(a.rule.Rule, b.rule.Rule), cmp.Compare(a.key, b.key))
	})
	var list []diff.RuleTally
	for _, b := range s.broken {
		if n := len(list); n == 0 || list[n-1].Rule != b.rule.Rule {
			list = append(list, diff.RuleTally{Rule: b.rule.Rule, OnFail: b.rule.OnFail})
		}
		t := &list[len(list)-1]
		if t.Count++; t.Count <= diff.TallyKeys {
			t.Keys = append(t.Keys, b.key.String())
		}
	}
	return list
}

// refused returns an error when a record breaks a rule that ends the run.
func (s *scan) refused() error {
	var keys []diff.Key
	first := ""
	for _, b := range s.broken {
		if b.rule.OnFail != diff.Fail {
			continue
		}
		if first == "" {
			first = fmt.Sprintf("record %s breaks %s", b.key, b.rule.Reason)
		}
		keys = append(keys, b.key)
	}
	if len(keys) == 0 {
		return nil
	}
	slices.Sort(keys)
	remedy := "nothing was written; mend the record in Jushuitan, or set on_fail of the rule to quarantine, which sets it aside and lets the rest go on"
	if keys = slices.Compact(keys); len(keys) > 1 {
		first += fmt.Sprintf("; %d records break rules with on_fail: fail: %s", len(keys), named(keys))
		remedy = "nothing was written; mend the records in Jushuitan, or set on_fail of the rule to quarantine, which sets them aside and lets the rest go on"
	}
	return &diff.Error{Code: diff.CodeQuality, Message: first, Remedy: remedy}
}

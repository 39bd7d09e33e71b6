package pipeline

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"jstsync/diff"
)

// tuple stands for the values of a unique rule in one row. The zero tuple is
// that of a row with NULL among them, which is like no other.
type tuple [16]byte

func tupleOf(row diff.Row, columns []int) (t tuple) {
	if row == nil {
		return t
	}
	h := sha256.New()
	for _, i := range columns {
		v := row[i]
		if v.IsNull() {
			return tuple{}
		}
		text := v.String()
		frame := binary.BigEndian.AppendUint64([]byte{byte(v.Kind())}, uint64(len(text)))
		_, _ = h.Write(append(frame, text...)) // a hash never fails
	}
	copy(t[:], h.Sum(nil))
	return t
}

// claim is what a record that was evaluated in this run holds by a rule: its
// value, and the value of its stored row.
type claim struct{ value, stored tuple }

func (c claim) moves() bool { return c.value != c.stored }

// contest decides which rows may have which values, in the table as it would
// stand after the run. Rows that the run does not touch keep theirs, then those
// that it touches and whose value stays, then the others in the order of their
// keys. Where two rows have one value and both stay, one of them being set aside
// is enough.
type contest struct {
	rule    diff.UniqueRule
	claims  map[diff.Key]claim
	deleted map[diff.Key]bool
	aside   map[diff.Key]bool // whose records were set aside before
	holder  map[tuple]diff.Key
	losers  map[diff.Key]diff.Key // and who has the value that they want
	passed  []diff.Key            // set aside, whose value another row that has it too may keep
}

// compareRows holds the rows as they would stand after the run against the
// unique rules. Rules that set records aside come first: a record that is set
// aside keeps its row, whose values may in turn be wanted by another, so that
// the rules are gone through until none sets one aside.
//
// It costs nothing in a run that evaluated no record, and in any other a walk
// over the rows of the snapshot and about 100 bytes for each record evaluated.
func (s *scan) compareRows() error {
	rules := s.Mapping.Uniques()
	if len(rules) == 0 || s.changes.Count(diff.Insert)+s.changes.Count(diff.Update)+len(s.rehashed) == 0 {
		return nil
	}
	for again := true; again; {
		again = false
		for _, rule := range rules {
			if rule.OnFail != diff.Quarantine {
				continue
			}
			lost, err := s.contest(rule)
			if err != nil {
				return err
			}
			again = again || lost > 0
		}
	}
	for _, rule := range rules {
		if rule.OnFail != diff.Quarantine {
			if _, err := s.contest(rule); err != nil {
				return err
			}
		}
	}
	return nil
}

// contest holds one rule and returns how many records break it.
func (s *scan) contest(rule diff.UniqueRule) (lost int, err error) {
	c := &contest{
		rule: rule, claims: map[diff.Key]claim{}, deleted: map[diff.Key]bool{}, aside: s.isAside,
		holder: map[tuple]diff.Key{}, losers: map[diff.Key]diff.Key{},
	}
	if err := s.claim(c); err != nil {
		return 0, err
	}
	if err := s.incumbents(c); err != nil {
		return 0, err
	}
	c.decide()
	s.passed = append(s.passed, c.passed...)
	gone := map[diff.Key]bool{}
	for _, key := range slices.Sorted(maps.Keys(c.losers)) {
		b := diff.BrokenRule{Rule: rule.Rule, OnFail: rule.OnFail, Reason: fmt.Sprintf("rule %s: %s has the same value", rule.Rule, c.losers[key])}
		s.note(key, b)
		if rule.OnFail == diff.Quarantine {
			s.aside(key, b.Reason)
			gone[key] = true
			for _, row := range s.moved[key] { // which then stays, and keeps its values
				if c.deleted[row] && !gone[row] {
					gone[row] = true
					s.withhold([]diff.Key{row}, movedAside)
				}
			}
		}
	}
	if len(gone) > 0 {
		s.changes.Discard(gone)
		s.rehashed = slices.DeleteFunc(s.rehashed, func(r diff.Rehash) bool { return gone[r.Key] })
	}
	return len(c.losers), s.changes.Err()
}

// claim collects what the evaluated records hold.
func (s *scan) claim(c *contest) error {
	for change, err := range s.changes.All() {
		switch {
		case err != nil:
			return err
		case change.Op == diff.Delete:
			c.deleted[change.Key] = true
		default:
			c.claims[change.Key] = claim{tupleOf(change.After, c.rule.Columns), tupleOf(change.Before, c.rule.Columns)}
		}
	}
	for part := range slices.Chunk(s.rehashed, 1000) {
		keys := make([]diff.Key, len(part))
		for i := range part {
			keys[i] = part[i].Key
		}
		rows, err := s.State.Images(keys, s.columns)
		if err != nil {
			return err
		}
		for _, key := range keys {
			t := tupleOf(rows[key], c.rule.Columns)
			c.claims[key] = claim{t, t}
		}
	}
	return nil
}

// incumbents lets the rows that stay as they are hold the values that somebody
// claims; of those with one value, the first whose record is not set aside.
func (s *scan) incumbents(c *contest) error {
	wanted := make(map[tuple]bool, len(c.claims))
	for _, claim := range c.claims {
		wanted[claim.value] = true
	}
	return s.State.Stored(s.columns, func(key diff.Key, row diff.Row, _ bool) error {
		if _, claims := c.claims[key]; claims || c.deleted[key] {
			return nil
		}
		t := tupleOf(row, c.rule.Columns)
		if holder, taken := c.holder[t]; wanted[t] && t != (tuple{}) && (!taken || c.aside[holder]) {
			c.holder[t] = key
		}
		return nil
	})
}

// decide finds the claims that cannot be met.
func (c *contest) decide() {
	keys := slices.Sorted(maps.Keys(c.claims))
	for _, moves := range []bool{false, true} {
		for _, key := range keys {
			claim := c.claims[key]
			if claim.moves() != moves || claim.value == (tuple{}) {
				continue
			}
			holder, taken := c.holder[claim.value]
			if taken && (moves || !c.aside[holder]) {
				c.lose(key, holder)
				continue
			}
			if c.holder[claim.value] = key; taken {
				c.passed = append(c.passed, holder)
			}
		}
	}
}

// lose refuses a claim. Where that sets the record aside, its row stays, and
// who was given the value of that row loses it again, and so on.
func (c *contest) lose(key, holder diff.Key) {
	for {
		c.losers[key] = holder
		claim := c.claims[key]
		if c.rule.OnFail != diff.Quarantine || !claim.moves() || claim.stored == (tuple{}) {
			return
		}
		given, taken := c.holder[claim.stored]
		_, lost := c.losers[given]
		if taken && (lost || !c.claims[given].moves()) {
			return // a row as well that stays
		}
		c.holder[claim.stored] = key
		if !taken {
			return
		}
		key, holder = given, key
	}
}

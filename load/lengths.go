package load

import (
	"fmt"
	"strconv"
	"strings"

	"jstsync/diff"
)

// checkLengths makes sure that every change fits in a statement by itself. The
// server closes the connection upon one that is longer, and says nothing of
// which.
func (s *Session) checkLengths(changes *diff.ChangeSet) error {
	b := s.statements()
	fixed := len(b.table) + 256
	for i := range b.columns {
		fixed += 8*len(b.columns[i]) + 128
	}
	for _, around := range b.compare {
		fixed += len(around)
	}
	for e, err := range changes.Encoded() {
		if err != nil {
			return err
		}
		logged := 0
		if s.target.changes != "" { // its names, and each character as it may be escaped in JSON and then in SQL
			logged = 12 * len(e.Bytes)
		}
		if int64(fixed+2*len(e.Bytes)+logged) < s.packet {
			continue
		}
		c, err := diff.DecodeChange(e.Key, e.Bytes)
		if err != nil {
			return err
		}
		if logged > 0 {
			if err := s.checkLogged(&c, changes.Columns()); err != nil {
				return err
			}
		}
		if n := b.length(&c); n >= s.packet { // servers take what is shorter than their limit
			return &diff.Error{
				Code: diff.CodeTarget,
				Message: fmt.Sprintf("key %s of table %s: the statement that would %s its row takes %d bytes, MySQL server %s takes less than %d (max_allowed_packet)",
					c.Key, s.target.table.Name, c.Op, n, s.target.cfg.Addr, s.packet),
				Remedy: "raise max_allowed_packet on the server (up to 64 MiB is used), or do not map the long field",
			}
		}
	}
	return nil
}

// length is what the server receives for a change alone, in bytes.
func (s *statements) length(c *diff.Change) int64 {
	query, args := s.build(c.Op, []diff.Change{*c})
	if s.soft && c.Op == diff.Insert { // longer than the insert
		query, args = s.revive([]diff.Change{*c})
	}
	n := 1 + len(query) - len(args) // a byte says that it is a query; a literal takes the place of each ?
	for _, a := range args {
		n += literalLength(a)
	}
	return int64(n)
}

// literalLength is the length of a value as the driver writes it into a
// statement.
func literalLength(arg any) int {
	switch v := arg.(type) {
	case int64:
		return len(strconv.FormatInt(v, 10))
	case string:
		n := 2 + len(v)
		for _, escaped := range []string{"\x00", "\n", "\r", "\x1a", "'", `"`, `\`} {
			n += strings.Count(v, escaped)
		}
		return n
	}
	return len("NULL")
}

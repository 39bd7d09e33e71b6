package diff

import (
	"encoding/binary"

	"github.com/cespare/xxhash/v2"
)

// HashVersion numbers the definition of [SourceHash]. It is part of every
// fingerprint, so that a new definition compares by value first.
const HashVersion = 1

// SourceHash is a record's hash over the spelling of its members: the sum,
// modulo 2^64, of the hashes of each (name, raw value). The sum makes the
// order of members irrelevant; each member is framed by its lengths, so that
// no two lists of members run together.
type SourceHash uint64

// NoHash is the source hash of a row that is to be compared by value the next
// time its record is seen, whatever its spelling then.
const NoHash SourceHash = 0

// HashOf returns the hash of those of the members that are wanted.
func HashOf(members []Member, wanted map[string]bool) (h SourceHash) {
	var room [256]byte
	for i := range members {
		if m := &members[i]; wanted[m.Name] {
			h = h.add(room[:0], m.Name, m.Raw)
		}
	}
	return h
}

// Add returns the hash with one more member.
func (h SourceHash) Add(name string, raw []byte) SourceHash {
	var room [256]byte
	return h.add(room[:0], name, raw)
}

// add hashes in the given room, which is enough for the most of members, so
// that one call does it.
func (h SourceHash) add(room []byte, name string, raw []byte) SourceHash {
	b := append(room, 'm')
	b = binary.LittleEndian.AppendUint32(b, uint32(len(name)))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(raw)))
	b = append(b, name...)
	if len(b)+len(raw) <= cap(room) {
		return h + SourceHash(xxhash.Sum64(append(b, raw...)))
	}
	var d xxhash.Digest
	d.Reset()
	_, _ = d.Write(b) // a Digest never fails
	_, _ = d.Write(raw)
	return h + SourceHash(d.Sum64())
}

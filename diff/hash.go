package diff

import (
	"math/bits"

	"github.com/cespare/xxhash/v2"
)

// HashVersion numbers the definition of [SourceHash]. It is part of every
// fingerprint, so that a new definition compares by value first.
const HashVersion = 2

// SourceHash is a record's hash over the spelling of its members: the sum,
// modulo 2^64, of a term for each (name, raw value). The sum makes the order of
// members irrelevant. A term mixes the hash of the name, which stands first and
// is scaled, with that of the value: neither runs into the other, and they
// cannot be exchanged.
type SourceHash uint64

// NoHash is the source hash of a row that is to be compared by value the next
// time its record is seen, whatever its spelling then.
const NoHash SourceHash = 0

// Add returns the hash with one more member.
func (h SourceHash) Add(name string, raw []byte) SourceHash {
	return h + term(seed(name), raw)
}

// Mixed returns the hash with its bits mixed, so that hashes of several records
// can be added up.
func (h SourceHash) Mixed() uint64 { return mix(uint64(h)) }

// seed is a name's part of a term.
func seed(name string) uint64 {
	return bits.RotateLeft64(xxhash.Sum64String(name), 32) * 0x9e3779b97f4a7c15
}

func term(seed uint64, raw []byte) SourceHash {
	return SourceHash(mix(xxhash.Sum64(raw) ^ seed))
}

// mix is the finaliser of splitmix64: each bit of x decides over each of the
// result.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Hasher hashes records over those of their members that are wanted. It
// remembers names, so that as a rule a member costs little but the hash of its
// value. It serves one goroutine.
type Hasher struct {
	wanted func(name string) bool
	known  [1 << knownBits]knownName
}

// knownBits says how many names a hasher remembers, as a power of two.
const knownBits = 7

// knownName is what a hasher remembers of a name.
type knownName struct {
	name   string
	seed   uint64
	wanted bool
	set    bool
}

// NewHasher returns a hasher over the members that are wanted.
func NewHasher(wanted func(name string) bool) *Hasher { return &Hasher{wanted: wanted} }

// Hash returns the hash of those of the members that are wanted.
func (h *Hasher) Hash(members []Member) (sum SourceHash) {
	for i := range members {
		m := &members[i]
		if k := h.know(m.Name); k.wanted {
			sum += term(k.seed, m.Raw)
		}
	}
	return sum
}

// know returns what is known of a name, which is in one of two places. A name
// that is new takes the second, unless the first is free.
func (h *Hasher) know(name string) *knownName {
	i := slotOf(name)
	k := &h.known[i]
	if k.set && k.name == name {
		return k
	}
	if k.set {
		if k = &h.known[i^1]; k.set && k.name == name {
			return k
		}
	}
	*k = knownName{name, seed(name), h.wanted(name), true}
	return k
}

// slotOf spreads names over the slots, by their length and their last eight
// bytes. It is quick, and good enough for the names of a record.
func slotOf(name string) int {
	n := len(name)
	x := uint64(n)
	if n >= 8 {
		x ^= word(name[n-8:])
	} else {
		for i := range n {
			x = x<<8 | uint64(name[i])
		}
	}
	return int(x * 0xff51afd7ed558ccd >> (64 - knownBits))
}

// word returns the first eight bytes of s as a number.
func word[S string | []byte](s S) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

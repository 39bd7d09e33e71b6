package diff

import (
	"math/bits"

	"github.com/cespare/xxhash/v2"
)

// Sighting is what [Index.Observe] says of a record.
type Sighting uint8

// The sightings.
const (
	Same        Sighting = iota // in the snapshot under this source hash
	Differs                     // in the snapshot under another source hash, or under a key of the same key hash
	New                         // not in the snapshot
	Repeated                    // seen before in this scan, first spelled alike
	Conflicting                 // seen before in this scan, first spelled otherwise; or a new key whose hash another seen key has
)

// Index is the snapshot's keys and source hashes in memory, and which of them
// a scan has seen. It holds hashes of keys, not keys: 16 bytes and one bit a
// slot, and three slots for two records; twice as many at most where records
// are new.
//
// Keys of equal hash that are both in the snapshot are told apart by the
// index itself. A new key whose hash equals that of a key in the snapshot is
// reported as [Differs]; who then finds no stored row under it calls
// [Index.Reserve] on a fresh index and scans again. A new key whose hash is
// that of a key already seen is reported as [Conflicting]; reading it again by
// key and comparing by value settles it.
type Index struct {
	hash  func(Key) uint64
	slots []slot
	seen  []uint64 // one bit a slot
	used  int
	rows  int
	shown int // of the rows, those that the scan has shown
	twins map[Key]*twin
}

type slot struct {
	key    uint64 // hash of the key; 0 marks an empty slot
	source SourceHash
}

// twin is a key whose hash another key of the index has.
type twin struct {
	source SourceHash
	stored bool
	seen   bool
}

// NewIndex returns an index with room for n records.
func NewIndex(n int) *Index { return NewIndexWith(n, hashKey) }

// NewIndexWith returns an index that hashes keys with the given function, so
// that a test can make keys collide.
func NewIndexWith(n int, hash func(Key) uint64) *Index {
	x := &Index{hash: hash, twins: map[Key]*twin{}}
	x.grow(n)
	return x
}

// hashKey is one-to-one on keys of a single integer, so that no two collide but
// the one pair that the mark of an empty slot costs.
func hashKey(k Key) uint64 {
	if len(k) == 9 && k[0] == intPart {
		var n uint64
		for i := 1; i < 9; i++ {
			n = n<<8 | uint64(k[i])
		}
		n = (n ^ n>>33) * 0xff51afd7ed558ccd
		n = (n ^ n>>33) * 0xc4ceb9fe1a85ec53
		return n ^ n>>33
	}
	return xxhash.Sum64String(string(k))
}

func (x *Index) grow(n int) {
	size := max(24, n*3/2+1)
	old, oldSeen := x.slots, x.seen
	x.slots = make([]slot, size)
	x.seen = make([]uint64, (size+63)/64)
	for i, s := range old {
		if s.key == 0 {
			continue
		}
		j := x.find(s.key)
		x.slots[j] = s
		if bit(oldSeen, i) {
			setBit(x.seen, j)
		}
	}
}

// find returns the slot that holds the key hash, or the empty one it belongs in.
func (x *Index) find(keyHash uint64) int {
	at, _ := bits.Mul64(keyHash, uint64(len(x.slots))) // the hash as a fraction of all slots
	for i := int(at); ; i++ {
		if i == len(x.slots) {
			i = 0
		}
		if x.slots[i].key == keyHash || x.slots[i].key == 0 {
			return i
		}
	}
}

func (x *Index) keyHash(k Key) uint64 {
	if h := x.hash(k); h != 0 {
		return h
	}
	return 1
}

func (x *Index) put(i int, s slot) {
	x.slots[i] = s
	x.used++
	if x.used*3 > len(x.slots)*2 {
		x.grow(2 * x.used)
	}
}

// Load adds one record of the snapshot. It must not be called once a scan has begun.
func (x *Index) Load(k Key, source SourceHash) {
	x.rows++
	h := x.keyHash(k)
	i := x.find(h)
	if x.slots[i].key == h {
		x.twins[k] = &twin{source: source, stored: true}
		return
	}
	x.put(i, slot{h, source})
}

// Reserve makes room for a key that is not in the snapshot but has the hash of
// one that is.
func (x *Index) Reserve(k Key) { x.twins[k] = &twin{} }

// Rows returns the number of records in the snapshot.
func (x *Index) Rows() int { return x.rows }

// Complete reports whether the scan has shown every record of the snapshot. It
// may report false where a key has the hash of another.
func (x *Index) Complete() bool { return x.shown == x.rows && len(x.twins) == 0 }

// Observe marks the key as seen under the given source hash and says how it
// compares with the snapshot and with the scan so far.
func (x *Index) Observe(k Key, source SourceHash) Sighting {
	if t := x.twins[k]; t != nil {
		return t.observe(source)
	}
	h := x.keyHash(k)
	i := x.find(h)
	if x.slots[i].key == 0 {
		setBit(x.seen, i)
		x.put(i, slot{h, source})
		return New
	}
	s := &x.slots[i]
	same := s.source == source
	if bit(x.seen, i) {
		return again(same)
	}
	setBit(x.seen, i)
	x.shown++
	s.source = source
	if same && source != NoHash {
		return Same
	}
	return Differs
}

func (t *twin) observe(source SourceHash) Sighting {
	same := t.source == source
	if t.seen {
		return again(same)
	}
	t.seen, t.source = true, source
	switch {
	case !t.stored:
		return New
	case same && source != NoHash:
		return Same
	default:
		return Differs
	}
}

func again(same bool) Sighting {
	if same {
		return Repeated
	}
	return Conflicting
}

// Seen reports whether the scan has shown the key.
func (x *Index) Seen(k Key) bool {
	if t := x.twins[k]; t != nil {
		return t.seen
	}
	h := x.keyHash(k)
	i := x.find(h)
	return x.slots[i].key == h && bit(x.seen, i)
}

func bit(set []uint64, i int) bool { return set[i/64]&(1<<(i%64)) != 0 }
func setBit(set []uint64, i int)   { set[i/64] |= 1 << (i % 64) }

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
// a scan has seen. It holds hashes of keys, not keys: 16 bytes and one bit for
// each, and 6 to 12 more once the order in which they come is not that in
// which they were loaded; twice as many at most where records are new.
//
// Records mostly come in the order of before, so that the entry after the one
// observed last is looked at first.
//
// Keys of equal hash that are both in the snapshot are told apart by the
// index itself. A new key whose hash equals that of a key in the snapshot is
// reported as [Differs]; who then finds no stored row under it calls
// [Index.Reserve] on a fresh index and scans again. A new key whose hash is
// that of a key already seen is reported as [Conflicting]; reading it again by
// key and comparing by value settles it.
type Index struct {
	hash    func(Key) uint64 // nil is hashKey
	entries []entry          // as they came
	seen    []uint64         // one bit an entry
	table   []uint32         // 1 + the position of an entry, by its hash; nil until it is needed
	next    int              // position after that of the entry found last
	rows    int
	shown   int // of the rows, those that the scan has shown
	twins   map[Key]*twin
}

type entry struct {
	key    uint64 // hash of the key
	source SourceHash
}

// twin is a key whose hash another key of the index has.
type twin struct {
	source SourceHash
	stored bool
	seen   bool
}

// NewIndex returns an index with room for n records.
func NewIndex(n int) *Index { return NewIndexWith(n, nil) }

// NewIndexWith returns an index that hashes keys with the given function, so
// that a test can make keys collide.
func NewIndexWith(n int, hash func(Key) uint64) *Index {
	return &Index{hash: hash, entries: make([]entry, 0, n), seen: make([]uint64, 0, (n+63)/64), twins: map[Key]*twin{}}
}

// isInt reports whether the key is a single integer, of which [hashKey] is
// one-to-one.
func isInt(k Key) bool { return len(k) == 9 && k[0] == intPart }

func hashKey(k Key) uint64 {
	if isInt(k) {
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

func (x *Index) keyHash(k Key) uint64 {
	if x.hash != nil {
		return x.hash(k)
	}
	return hashKey(k)
}

// nearby is how many entries after the last one are looked at before the table.
const nearby = 4

// find returns the position of the entry with the key hash, or -1. It is cheap
// where entries are asked for in the order in which they came.
func (x *Index) find(keyHash uint64) int {
	for i := x.next; i < min(x.next+nearby, len(x.entries)); i++ {
		if x.entries[i].key == keyHash {
			x.next = i + 1
			return i
		}
	}
	if x.table == nil {
		x.tabulate()
	}
	if at := x.table[x.slot(keyHash)]; at != 0 {
		x.next = int(at)
		return x.next - 1
	}
	return -1
}

// slot returns the place in the table of the entry with the key hash, or the
// empty one it belongs in.
func (x *Index) slot(keyHash uint64) int {
	at, _ := bits.Mul64(keyHash, uint64(len(x.table))) // the hash as a fraction of all slots
	for i := int(at); ; i++ {
		if i == len(x.table) {
			i = 0
		}
		if x.table[i] == 0 || x.entries[x.table[i]-1].key == keyHash {
			return i
		}
	}
}

// tabulate makes the table, with room for half as many entries more.
func (x *Index) tabulate() {
	x.table = make([]uint32, max(24, len(x.entries)*9/4, cap(x.entries)*3/2))
	for i := range x.entries {
		x.table[x.slot(x.entries[i].key)] = uint32(i + 1)
	}
}

// put adds an entry and returns its position.
func (x *Index) put(e entry) int {
	x.entries = append(x.entries, e)
	n := len(x.entries)
	if n > 64*len(x.seen) {
		x.seen = append(x.seen, 0)
	}
	switch {
	case x.table == nil:
	case n*3 > len(x.table)*2:
		x.tabulate()
	default:
		x.table[x.slot(e.key)] = uint32(n)
	}
	return n - 1
}

// Load adds one record of the snapshot. It must not be called once a scan has begun.
func (x *Index) Load(k Key, source SourceHash) {
	x.rows++
	e := entry{x.keyHash(k), source}
	unique := x.table == nil && x.hash == nil && isInt(k) // as are those before
	if !unique && x.find(e.key) >= 0 {
		x.twins[k] = &twin{source: source, stored: true}
		return
	}
	x.put(e)
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
	if i < 0 {
		setBit(x.seen, x.put(entry{h, source}))
		return New
	}
	e := &x.entries[i]
	same := e.source == source
	if bit(x.seen, i) {
		return again(same)
	}
	setBit(x.seen, i)
	x.shown++
	e.source = source
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
	i := x.find(x.keyHash(k))
	return i >= 0 && bit(x.seen, i)
}

func bit(set []uint64, i int) bool { return set[i/64]&(1<<(i%64)) != 0 }
func setBit(set []uint64, i int)   { set[i/64] |= 1 << (i % 64) }

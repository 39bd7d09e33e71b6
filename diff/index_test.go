package diff_test

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"jstsync/diff"
)

func TestIndex_Observe(t *testing.T) {
	a, b, c := intKey(1), intKey(2), intKey(3)
	for _, tt := range []struct {
		name string
		weak bool // all keys have one hash
		load []diff.Key
		hold []diff.Key // reserved
		seen []observed
	}{
		{"same", false, []diff.Key{a}, nil, []observed{{a, 1, diff.Same}}},
		{"differs", false, []diff.Key{a}, nil, []observed{{a, 2, diff.Differs}}},
		{"new", false, []diff.Key{a}, nil, []observed{{b, 1, diff.New}}},
		{"repeated after same", false, []diff.Key{a}, nil, []observed{{a, 1, diff.Same}, {a, 1, diff.Repeated}, {a, 1, diff.Repeated}}},
		{"repeated after differs", false, []diff.Key{a}, nil, []observed{{a, 2, diff.Differs}, {a, 2, diff.Repeated}, {a, 1, diff.Conflicting}, {a, 2, diff.Repeated}}},
		{"the first spelling counts, of a twin too", true, []diff.Key{a, b}, nil, []observed{{b, 1, diff.Same}, {b, 2, diff.Conflicting}, {b, 2, diff.Conflicting}, {b, 1, diff.Repeated}}},
		{"conflicting after same", false, []diff.Key{a}, nil, []observed{{a, 1, diff.Same}, {a, 2, diff.Conflicting}}},
		{"repeated and conflicting after new", false, nil, nil, []observed{{a, 1, diff.New}, {a, 1, diff.Repeated}, {a, 2, diff.Conflicting}}},
		{"twins of the snapshot", true, []diff.Key{a, b, c}, nil, []observed{
			{b, 1, diff.Same}, {a, 7, diff.Differs}, {b, 1, diff.Repeated}, {a, 7, diff.Repeated}, {b, 8, diff.Conflicting}, {c, 1, diff.Same},
		}},
		{"new key of a stored key's hash", true, []diff.Key{a}, nil, []observed{{b, 9, diff.Differs}}},
		{"new key of a seen key's hash", true, []diff.Key{a}, nil, []observed{{a, 1, diff.Same}, {b, 9, diff.Conflicting}}},
		{"new key of a new key's hash", true, nil, nil, []observed{{a, 1, diff.New}, {b, 9, diff.Conflicting}}},
		{"reserved", true, []diff.Key{a}, []diff.Key{b}, []observed{{b, 9, diff.New}, {b, 9, diff.Repeated}, {b, 8, diff.Conflicting}, {a, 1, diff.Same}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := diff.NewIndex(0)
			if tt.weak {
				x = diff.NewIndexWith(0, func(diff.Key) uint64 { return 0 })
			}
			for _, k := range tt.load {
				x.Load(k, 1)
			}
			for _, k := range tt.hold {
				x.Reserve(k)
			}
			if got, want := x.Rows(), len(tt.load); got != want {
				t.Errorf("Rows: got %d, want %d", got, want)
			}
			for n, o := range tt.seen {
				if got := x.Observe(o.key, o.source); got != o.want {
					t.Errorf("sighting %d, of %s: got %d, want %d", n, o.key, got, o.want)
				}
				if !x.Seen(o.key) {
					t.Errorf("Seen(%s): got false", o.key)
				}
			}
		})
	}
}

type observed struct {
	key    diff.Key
	source diff.SourceHash
	want   diff.Sighting
}

func TestIndex_Seen(t *testing.T) {
	x := diff.NewIndexWith(0, func(diff.Key) uint64 { return 0 })
	x.Load(intKey(1), 1)
	x.Load(intKey(2), 1)
	x.Reserve(intKey(3))
	x.Observe(intKey(2), 1)
	for n, want := range map[int64]bool{1: false, 2: true, 3: false} {
		if got := x.Seen(intKey(n)); got != want {
			t.Errorf("Seen(%d): got %t, want %t", n, got, want)
		}
	}
}

// Thousands of new keys make the index grow in mid-scan; what was seen stays so.
func TestIndex_Growth(t *testing.T) {
	const rows, added = 500, 5000
	x := diff.NewIndex(0)
	for n := range int64(rows) {
		x.Load(intKey(n), diff.SourceHash(n))
	}
	for n := int64(0); n < rows; n += 2 {
		x.Observe(intKey(n), diff.SourceHash(n))
	}
	for n := int64(rows); n < rows+added; n++ {
		if got := x.Observe(intKey(n), 7); got != diff.New {
			t.Fatalf("Observe(%d): got %d, want New", n, got)
		}
	}
	for n := range int64(rows) {
		if got, want := x.Seen(intKey(n)), n%2 == 0; got != want {
			t.Fatalf("Seen(%d): got %t, want %t", n, got, want)
		}
		want := diff.Same
		if n%2 == 0 {
			want = diff.Repeated
		}
		if got := x.Observe(intKey(n), diff.SourceHash(n)); got != want {
			t.Fatalf("Observe(%d): got %d, want %d", n, got, want)
		}
	}
	if got := x.Rows(); got != rows {
		t.Errorf("Rows: got %d, want %d", got, rows)
	}
}

// Keys of text and of several parts have hashes of their own kind.
func TestIndex_TextKeys(t *testing.T) {
	x := diff.NewIndex(2)
	a, b := key(t, diff.TextValue("a")), key(t, diff.TextValue("a"), diff.IntValue(1))
	x.Load(a, 1)
	x.Load(b, 2)
	if got := x.Observe(b, 2); got != diff.Same || x.Seen(a) {
		t.Errorf("Observe(%s): got %d, Seen(%s): %t, want Same and not seen", b, got, a, x.Seen(a))
	}
	if got := x.Observe(a, 2); got != diff.Differs {
		t.Errorf("Observe(%s): got %d, want Differs", a, got)
	}
}

// The least integer, whose hash would be the mark of an empty slot, is a key like any other.
func TestIndex_LeastInteger(t *testing.T) {
	x := diff.NewIndex(0)
	least := intKey(math.MinInt64)
	x.Load(least, 1)
	if x.Seen(least) {
		t.Error("seen before the scan")
	}
	if got := x.Observe(least, 1); got != diff.Same || !x.Seen(least) {
		t.Errorf("got %d, seen %t, want Same, true", got, x.Seen(least))
	}
}

// model says what an index must answer, by looking at everything it was told.
type model struct {
	hash   func(diff.Key) uint64
	stored map[diff.Key]diff.SourceHash
	seen   map[diff.Key]diff.SourceHash
	apart  map[diff.Key]bool   // keys that are told apart from those of their hash
	owner  map[uint64]diff.Key // the one key of a hash that need not be
	mixed  map[uint64]bool     // the owner's place was taken for another key's
}

func (m *model) place(k diff.Key) {
	if _, taken := m.owner[m.hash(k)]; taken {
		m.apart[k] = true
	} else {
		m.owner[m.hash(k)] = k
	}
}

// lost reports whether the key is new and has the hash of another.
func (m *model) lost(k diff.Key) bool {
	owner, taken := m.owner[m.hash(k)]
	return taken && owner != k && !m.apart[k]
}

func (m *model) observe(k diff.Key, source diff.SourceHash) diff.Sighting {
	if m.lost(k) {
		m.mixed[m.hash(k)] = true
		if _, seen := m.seen[m.owner[m.hash(k)]]; seen {
			return diff.Conflicting
		}
		return diff.Differs
	}
	if !m.apart[k] {
		m.owner[m.hash(k)] = k
	}
	first, again := m.seen[k]
	image, stored := m.stored[k]
	if !again {
		m.seen[k] = source
	}
	switch {
	case again && first == source:
		return diff.Repeated
	case again:
		return diff.Conflicting
	case stored && image == source:
		return diff.Same
	case stored:
		return diff.Differs
	default:
		return diff.New
	}
}

// A row without a hash is compared by value, however its record is spelled.
func TestIndex_NoHash(t *testing.T) {
	x := diff.NewIndexWith(2, func(diff.Key) uint64 { return 5 })
	x.Load(intKey(1), diff.NoHash)
	x.Load(intKey(2), diff.NoHash) // told apart from the first
	for n := range int64(2) {
		if got := x.Observe(intKey(n+1), diff.NoHash); got != diff.Differs {
			t.Errorf("key %d: got sighting %d, want Differs", n+1, got)
		}
	}
}

// The index answers as a map would, whatever the hash function: one key passes
// for another only where the documentation says so.
func TestIndex_Model(t *testing.T) {
	for _, tt := range []struct {
		name string
		hash func(diff.Key) uint64
	}{
		{"one hash", func(diff.Key) uint64 { return 0 }},
		{"few hashes", func(k diff.Key) uint64 { return 1 + uint64(k[8])%5 }},
		{"one place", func(k diff.Key) uint64 { return 1<<40 + uint64(k[8])<<20 }},
		{"one to one", func(k diff.Key) uint64 { return 1 + uint64(k[8]) }},
		{"its own", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) { checkIndex(t, tt.hash) })
		})
	}
}

func checkIndex(t *rapid.T, hash func(diff.Key) uint64) {
	x := diff.NewIndexWith(rapid.IntRange(0, 40).Draw(t, "room"), hash)
	if hash == nil {
		hash = func(k diff.Key) uint64 { return uint64(k[8]) } // which is one-to-one as well
	}
	m := &model{
		hash: hash, stored: map[diff.Key]diff.SourceHash{}, seen: map[diff.Key]diff.SourceHash{},
		apart: map[diff.Key]bool{}, owner: map[uint64]diff.Key{}, mixed: map[uint64]bool{},
	}
	keys := rapid.Custom(func(t *rapid.T) diff.Key { return intKey(rapid.Int64Range(0, 60).Draw(t, "key")) })
	// The hashes of different keys' records differ: the key is among their members.
	source := func(k diff.Key) diff.SourceHash {
		return diff.SourceHash(k[8])<<8 | diff.SourceHash(rapid.IntRange(1, 3).Draw(t, "spelling"))
	}
	snapshot := rapid.SliceOfNDistinct(keys, 0, 40, rapid.ID).Draw(t, "snapshot")
	slices.Sort(snapshot)
	for _, k := range snapshot {
		m.stored[k] = source(k)
		m.place(k)
		x.Load(k, m.stored[k])
	}
	for _, k := range rapid.SliceOfNDistinct(keys, 0, 5, rapid.ID).Draw(t, "reserved") {
		if m.lost(k) {
			m.apart[k] = true
			x.Reserve(k)
		}
	}
	sightings := rapid.SliceOfN(keys, 0, 100).Draw(t, "sightings")
	if rapid.Bool().Draw(t, "in order") {
		slices.Sort(sightings)
	}
	for _, k := range sightings {
		if m.mixed[hash(k)] && !m.apart[k] {
			continue
		}
		s := source(k)
		want := m.observe(k, s)
		if got := x.Observe(k, s); got != want {
			t.Fatalf("Observe(%s, %x): got %d, want %d", k, s, got, want)
		}
	}
	for n := range int64(61) {
		k := intKey(n)
		if _, want := m.seen[k]; (m.apart[k] || !m.mixed[hash(k)]) && !m.lost(k) && x.Seen(k) != want {
			t.Fatalf("Seen(%s): got %t, want %t", k, !want, want)
		}
	}
	if got, want := x.Rows(), len(m.stored); got != want {
		t.Fatalf("Rows: got %d, want %d", got, want)
	}
}

func TestIndex_Complete(t *testing.T) {
	x := diff.NewIndex(0)
	if !x.Complete() {
		t.Error("an empty snapshot: got false, want true")
	}
	a, b, c := intKey(1), intKey(2), intKey(3)
	x.Load(a, 10)
	x.Load(b, 20)
	for _, step := range []struct {
		key    diff.Key
		source diff.SourceHash
		want   bool
	}{{a, 10, false}, {c, 30, false}, {c, 30, false}, {a, 10, false}, {b, 21, true}, {c, 31, true}} {
		x.Observe(step.key, step.source)
		if got := x.Complete(); got != step.want {
			t.Errorf("after %s: got %t, want %t", step.key, got, step.want)
		}
	}
}

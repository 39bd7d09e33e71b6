package diff_test

import (
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"jstsync/diff"
)

// memory is a spill that is none: what it holds, and what it answers with.
type memory struct {
	all    []byte
	room   int // bytes it takes before it is full
	broken error
	closed int
}

var errFull = errors.New("no room")

func (m *memory) Write(b []byte) (int, error) {
	if len(m.all)+len(b) > m.room {
		return 0, errFull
	}
	m.all = append(m.all, b...)
	return len(b), nil
}

func (m *memory) ReadAt(b []byte, at int64) (int, error) {
	if m.broken != nil {
		return 0, m.broken
	}
	if n := copy(b, m.all[min(int(at), len(m.all)):]); n < len(b) {
		return n, io.EOF
	}
	return len(b), nil
}

func (m *memory) Close() error {
	m.closed++
	return nil
}

// store makes spills and keeps them for a test to look at.
type store struct {
	made []*memory
	room int
}

func (s *store) open() (diff.Spill, error) {
	s.made = append(s.made, &memory{room: s.room})
	return s.made[len(s.made)-1], nil
}

func roomy() *store { return &store{room: 1 << 30} }

// same compares everything that can be asked of two sets.
func same(t *rapid.T, got, want *diff.ChangeSet) {
	t.Helper()
	if g, w := encodings(t, got), encodings(t, want); !reflect.DeepEqual(g, w) {
		t.Fatalf("Encoded: got %v, want %v", g, w)
	}
	if g, w := decoded(t, got.All()), decoded(t, want.All()); !reflect.DeepEqual(g, w) {
		t.Fatalf("All: got %v, want %v", g, w)
	}
	for _, op := range []diff.Op{diff.Delete, diff.Update, diff.Insert} {
		if g, w := decoded(t, got.Only(op)), decoded(t, want.Only(op)); !reflect.DeepEqual(g, w) {
			t.Fatalf("Only(%s): got %v, want %v", op, g, w)
		}
		if g, w := got.Count(op), want.Count(op); g != w {
			t.Fatalf("Count(%s): got %d, want %d", op, g, w)
		}
	}
	if g, w := got.Len(), want.Len(); g != w {
		t.Fatalf("Len: got %d, want %d", g, w)
	}
	if g, w := got.Digest(diff.Digest{1}), want.Digest(diff.Digest{1}); g != w {
		t.Fatalf("Digest: got %s, want %s", g, w)
	}
	for first, err := range got.All() { // a listing may be left early
		if err != nil || first.Key != decoded(t, want.All())[0].Key {
			t.Fatalf("the first: got %v, %v", first, err)
		}
		break
	}
	if err := got.Err(); err != nil {
		t.Fatalf("Err: %v", err)
	}
}

func decoded(t *rapid.T, seq func(func(diff.Change, error) bool)) (all []diff.Change) {
	for c, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	return all
}

func encodings(t *rapid.T, s *diff.ChangeSet) (all []diff.Encoded) {
	for e, err := range s.Encoded() {
		if err != nil {
			t.Fatal(err)
		}
		e.Bytes = slices.Clone(e.Bytes)
		all = append(all, e)
	}
	return all
}

// Whether and when changes are set aside does not show.
func TestChangeSet_Spilled(t *testing.T) {
	spills := 0
	rapid.Check(t, func(t *rapid.T) {
		aside := roomy()
		spilling := diff.NewSpillingChangeSet(columns, rapid.IntRange(1, 400).Draw(t, "after"), aside.open)
		plain := diff.NewChangeSet(columns)
		keys := rapid.SliceOfNDistinct(rapid.Map(rapid.Int64Range(-50, 50), intKey), 0, 60, rapid.ID).Draw(t, "keys")
		if rapid.Bool().Draw(t, "sorted") {
			slices.Sort(keys)
		}
		present := map[diff.Key]bool{}
		for len(keys) > 0 {
			n := rapid.IntRange(1, len(keys)).Draw(t, "batch")
			for _, k := range keys[:n] {
				c, source := changes(k, 2).Draw(t, "change"), diff.SourceHash(rapid.Uint64().Draw(t, "source"))
				spilling.Add(c, source)
				plain.Add(c, source)
				present[k] = true
			}
			keys = keys[n:]
			same(t, spilling, plain)
			gone := map[diff.Key]bool{}
			for k := range present {
				if rapid.IntRange(0, 9).Draw(t, "fate") == 0 {
					gone[k] = true
				}
			}
			if len(gone) == 0 {
				continue
			}
			spilling.Discard(gone)
			plain.Discard(gone)
			for k := range gone {
				delete(present, k)
			}
			same(t, spilling, plain)
			keys = append(keys, slices.Collect(func(yield func(diff.Key) bool) { // some come again
				for k := range gone {
					if len(keys) > 0 && !yield(k) {
						return
					}
				}
			})...)
		}
		spills += len(aside.made)
		if err := spilling.Close(); err != nil {
			t.Fatal(err)
		}
		for _, m := range aside.made {
			if m.closed != 1 {
				t.Fatalf("a spill was closed %d times, want once", m.closed)
			}
		}
	})
	if spills == 0 {
		t.Error("nothing was ever set aside")
	}
}

// A change longer than a chunk of memory and any buffer comes back whole.
func TestChangeSet_SpilledLong(t *testing.T) {
	s := diff.NewSpillingChangeSet(columns, 1<<20, roomy().open)
	long := strings.Repeat("长", 500_000)
	for n := range int64(12) {
		s.Add(insert(11-n, long[:3*n]+long), 1)
	}
	want := int64(0)
	for _, c := range list(t, s.All()) {
		if c.Key != intKey(want) || !slices.Equal(c.After, row(want, long[:3*(11-want)]+long)) {
			t.Fatalf("change %d is that of key %s, or its row is damaged", want, c.Key)
		}
		want++
	}
	if want != 12 {
		t.Errorf("got %d changes, want 12", want)
	}
}

// From the first error on, a set lists nothing but that error.
func TestChangeSet_SpillFails(t *testing.T) {
	fill := func(s *diff.ChangeSet) {
		for n := range int64(200) {
			s.Add(insert(n, "some text"), 1)
		}
	}
	errDirectory := errors.New("no directory")
	for _, tt := range []struct {
		name string
		make func() *diff.ChangeSet
		want error
	}{
		{"nowhere to", func() *diff.ChangeSet {
			s := diff.NewSpillingChangeSet(columns, 1000, func() (diff.Spill, error) { return nil, errDirectory })
			fill(s)
			return s
		}, errDirectory},
		{"full", func() *diff.ChangeSet {
			s := diff.NewSpillingChangeSet(columns, 1000, (&store{room: 3000}).open)
			fill(s)
			return s
		}, errFull},
		{"unreadable", func() *diff.ChangeSet {
			st := roomy()
			s := diff.NewSpillingChangeSet(columns, 1000, st.open)
			fill(s)
			st.made[0].broken = errDirectory
			s.Digest(diff.Digest{})
			return s
		}, errDirectory},
		{"cut short", func() *diff.ChangeSet {
			st := roomy()
			s := diff.NewSpillingChangeSet(columns, 1000, st.open)
			fill(s)
			st.made[0].all = st.made[0].all[:2995]
			s.Digest(diff.Digest{})
			return s
		}, io.ErrUnexpectedEOF},
		{"full when copied", func() *diff.ChangeSet {
			st := roomy()
			s := diff.NewSpillingChangeSet(columns, 1000, st.open)
			fill(s)
			st.room = 100
			s.Discard(map[diff.Key]bool{intKey(3): true})
			return s
		}, errFull},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := tt.make()
			if err := s.Err(); !errors.Is(err, tt.want) {
				t.Fatalf("Err: got %v, want %v", err, tt.want)
			}
			for _, op := range []diff.Op{diff.Delete, diff.Insert} {
				errs := 0
				for _, err := range s.Only(op) {
					if errs++; !errors.Is(err, tt.want) {
						t.Errorf("Only(%s): got %v, want %v", op, err, tt.want)
					}
				}
				if errs != 1 {
					t.Errorf("Only(%s): listed %d, want the error alone", op, errs)
				}
			}
			for _, err := range s.Encoded() {
				if !errors.Is(err, tt.want) {
					t.Errorf("Encoded: got %v, want %v", err, tt.want)
				}
			}
		})
	}
}

func TestChangeSet_Close(t *testing.T) {
	s := setOf(insert(1, "a"))
	if err := s.Close(); err != nil || len(list(t, s.All())) != 1 {
		t.Errorf("a set in memory: got %v and %d changes, want it as it was", err, s.Len())
	}
	s = diff.NewSpillingChangeSet(columns, 1, roomy().open)
	s.Add(insert(1, "a"), 1)
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	for _, err := range s.All() {
		if err == nil {
			t.Error("All after Close: got no error")
		}
	}
}

// A run stages a set and sends it at once.
func TestChangeSet_ListedAtOnce(t *testing.T) {
	s := diff.NewSpillingChangeSet(columns, 1000, roomy().open)
	for n := range int64(500) {
		s.Add(insert((n*7919)%500, "some text"), 1)
	}
	s.Digest(diff.Digest{})
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			next := int64(0)
			for c, err := range s.All() {
				if err != nil || c.Key != intKey(next) {
					t.Errorf("got %s, %v, want %s", c.Key, err, intKey(next))
					return
				}
				next++
			}
			if next != 500 {
				t.Errorf("listed %d of 500", next)
			}
		})
	}
	all.Wait()
}

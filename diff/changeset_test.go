package diff_test

import (
	"iter"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"jstsync/diff"
)

var columns = []string{"id", "name"}

func row(id int64, name string) diff.Row { return diff.Row{diff.IntValue(id), diff.TextValue(name)} }

func insert(id int64, name string) diff.Change {
	return diff.Change{Op: diff.Insert, Key: intKey(id), After: row(id, name)}
}

func update(id int64, before, after string) diff.Change {
	return diff.Change{Op: diff.Update, Key: intKey(id), Before: row(id, before), After: row(id, after)}
}

func remove(id int64, name string) diff.Change {
	return diff.Change{Op: diff.Delete, Key: intKey(id), Before: row(id, name)}
}

func setOf(changes ...diff.Change) *diff.ChangeSet {
	s := diff.NewChangeSet(columns)
	for _, c := range changes {
		s.Add(c, diff.SourceHash(len(c.Key)))
	}
	return s
}

func list(t testing.TB, seq iter.Seq2[diff.Change, error]) (all []diff.Change) {
	t.Helper()
	for c, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	return all
}

func TestChangeSet_All(t *testing.T) {
	a, b, c, d := remove(-5, "gone"), insert(2, "new"), update(10, "old", "new"), insert(30, "")
	s := setOf(c, d, a)
	if got, want := list(t, s.All()), []diff.Change{a, c, d}; !reflect.DeepEqual(got, want) {
		t.Errorf("All: got %v, want %v", got, want)
	}
	s.Add(b, 99) // after it was listed
	if got, want := list(t, s.All()), []diff.Change{a, b, c, d}; !reflect.DeepEqual(got, want) {
		t.Errorf("All: got %v, want %v", got, want)
	}
	for _, tt := range []struct {
		op   diff.Op
		want []diff.Change
	}{{diff.Insert, []diff.Change{b, d}}, {diff.Update, []diff.Change{c}}, {diff.Delete, []diff.Change{a}}} {
		if got := list(t, s.Only(tt.op)); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("Only(%s): got %v, want %v", tt.op, got, tt.want)
		}
		if got := s.Count(tt.op); got != len(tt.want) {
			t.Errorf("Count(%s): got %d, want %d", tt.op, got, len(tt.want))
		}
	}
	if got := s.Len(); got != 4 {
		t.Errorf("Len: got %d, want 4", got)
	}
	if got := s.Columns(); !slices.Equal(got, columns) {
		t.Errorf("Columns: got %v, want %v", got, columns)
	}
	for got, err := range s.Only(diff.Insert) { // a listing may be left early
		if err != nil || got.Key != b.Key {
			t.Errorf("first insert: got %v, %v, want %v", got, err, b)
		}
		break
	}
}

func TestChangeSet_Encoded(t *testing.T) {
	s := diff.NewChangeSet(columns)
	c := update(1, "a", "b")
	s.Add(c, 77)
	for e, err := range s.Encoded() {
		if err != nil {
			t.Fatal(err)
		}
		want := diff.Encoded{Key: c.Key, Source: 77, Bytes: diff.AppendChange(nil, &c)}
		if !reflect.DeepEqual(e, want) {
			t.Errorf("got %v, want %v", e, want)
		}
	}
}

func TestChangeSet_Discard(t *testing.T) {
	a, b, c, d := remove(1, "a"), insert(2, "b"), update(3, "c", "C"), insert(4, "d")
	s := setOf(d, c, b, a)
	s.Discard(map[diff.Key]bool{a.Key: true, d.Key: true, intKey(9): true})
	if got, want := list(t, s.All()), []diff.Change{b, c}; !reflect.DeepEqual(got, want) {
		t.Errorf("All: got %v, want %v", got, want)
	}
	got := [...]int{s.Len(), s.Count(diff.Insert), s.Count(diff.Update), s.Count(diff.Delete)}
	if want := [...]int{2, 1, 1, 0}; got != want {
		t.Errorf("counts: got %v, want %v", got, want)
	}
	s.Add(insert(4, "again"), 1)
	if got, want := s.Digest(diff.Digest{}), setOf(b, c, insert(4, "again")).Digest(diff.Digest{}); got != want {
		t.Errorf("digest: got %s, want that of a set without the discarded %s", got, want)
	}
}

func TestChangeSet_Digest(t *testing.T) {
	base := func() []diff.Change { return []diff.Change{insert(1, "a"), update(2, "b", "c"), remove(3, "d")} }
	want := setOf(base()...).Digest(diff.Digest{})
	if got := setOf(base()...).Digest(diff.Digest{}); got != want {
		t.Errorf("of an equal set: got %s, want %s", got, want)
	}
	sets := map[string]diff.Digest{
		"previous":          setOf(base()...).Digest(diff.Digest{31: 1}),
		"nothing":           setOf().Digest(diff.Digest{}),
		"one less":          setOf(base()[:2]...).Digest(diff.Digest{}),
		"one more":          setOf(append(base(), insert(4, ""))...).Digest(diff.Digest{}),
		"a key":             setOf(insert(1, "a"), update(2, "b", "c"), diff.Change{Op: diff.Delete, Key: intKey(4), Before: row(3, "d")}).Digest(diff.Digest{}),
		"an op":             setOf(insert(1, "a"), update(2, "b", "c"), diff.Change{Op: diff.Insert, Key: intKey(3), After: row(3, "d")}).Digest(diff.Digest{}),
		"a value":           setOf(insert(1, "a"), update(2, "b", "C"), remove(3, "d")).Digest(diff.Digest{}),
		"an earlier value":  setOf(insert(1, "a"), update(2, "B", "c"), remove(3, "d")).Digest(diff.Digest{}),
		"null for no text":  setOf(insert(1, "a"), update(2, "b", "c"), diff.Change{Op: diff.Delete, Key: intKey(3), Before: diff.Row{diff.IntValue(3), {}}}).Digest(diff.Digest{}),
		"the name of one":   withColumns("id", "nick").Digest(diff.Digest{}),
		"names run into it": withColumns("idn", "ame").Digest(diff.Digest{}),
	}
	sets["columns"] = withColumns("name", "id").Digest(diff.Digest{})
	seen := map[diff.Digest]string{want: "the set itself"}
	for name, got := range sets {
		if other, ok := seen[got]; ok {
			t.Errorf("%s: the digest is that of %s", name, other)
		}
		seen[got] = name
	}
}

func withColumns(columns ...string) *diff.ChangeSet {
	s := diff.NewChangeSet(columns)
	for _, c := range []diff.Change{insert(1, "a"), update(2, "b", "c"), remove(3, "d")} {
		s.Add(c, 1)
	}
	return s
}

// Each byte of each encoded change and key counts.
func TestDigester_EachByte(t *testing.T) {
	digest := func(key, enc []byte) diff.Digest {
		d := diff.NewDigester(diff.Digest{}, columns)
		d.Add(key, enc)
		return d.Sum()
	}
	c := update(7, "before", "after")
	enc, key := diff.AppendChange(nil, &c), []byte(c.Key)
	want := digest(key, enc)
	for _, b := range [][]byte{enc, key} {
		for i := range b {
			b[i] ^= 1
			if digest(key, enc) == want {
				t.Errorf("byte %d of %q does not count", i, b)
			}
			b[i] ^= 1
		}
	}
	if digest(append(key, enc[0]), enc[1:]) == want {
		t.Error("key and change run together")
	}
}

// A set is a set: what was added when does not show, however many chunks of
// memory it took.
func TestChangeSet_AnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []diff.Change
		for _, n := range rapid.SliceOfNDistinct(rapid.Int64(), 0, 30, rapid.ID).Draw(t, "keys") {
			all = append(all, changes(intKey(n), 2).Draw(t, "change"))
		}
		a, b := diff.NewChangeSet(columns), diff.NewChangeSet(columns)
		for _, c := range all {
			a.Add(c, 1)
		}
		for _, c := range rapid.Permutation(all).Draw(t, "order") {
			b.Add(c, 1)
		}
		if a.Digest(diff.Digest{1}) != b.Digest(diff.Digest{1}) {
			t.Fatal("the digest depends on the order in which changes were added")
		}
		slices.SortFunc(all, func(a, b diff.Change) int { return strings.Compare(string(a.Key), string(b.Key)) })
		i := 0
		for c, err := range b.All() {
			if err != nil || !reflect.DeepEqual(c, all[i]) {
				t.Fatalf("change %d: got %v, %v, want %v", i, c, err, all[i])
			}
			i++
		}
		if i != len(all) {
			t.Fatalf("All: got %d changes, want %d", i, len(all))
		}
	})
}

func TestChangeSet_ManyChunks(t *testing.T) {
	s := diff.NewChangeSet(columns)
	long := strings.Repeat("长", 20_000)
	for n := range int64(100) {
		s.Add(insert(99-n, long[:3*n]+long), 1)
	}
	want := int64(0)
	for _, c := range list(t, s.All()) {
		if c.Key != intKey(want) || !slices.Equal(c.After, row(want, long[:3*(99-want)]+long)) {
			t.Fatalf("change %d is that of key %s, or its row is damaged", want, c.Key)
		}
		want++
	}
	if want != 100 {
		t.Errorf("got %d changes, want 100", want)
	}
}

func TestCompare(t *testing.T) {
	k := intKey(1)
	for _, tt := range []struct {
		name          string
		before, after diff.Row
		op            diff.Op // 0: nothing to do
		fields        []diff.Field
	}{
		{"neither", nil, nil, 0, nil},
		{"insert", nil, row(1, "a"), diff.Insert, nil},
		{"delete", row(1, "a"), nil, diff.Delete, nil},
		{"equal", row(1, "a"), row(1, "a"), 0, nil},
		{"update", row(1, "a"), row(1, "b"), diff.Update, []diff.Field{{1, diff.TextValue("a"), diff.TextValue("b")}}},
		{"null and no text", diff.Row{diff.IntValue(1), {}}, row(1, ""), diff.Update, []diff.Field{{1, diff.Value{}, diff.TextValue("")}}},
		{"number and its digits", diff.Row{{}, diff.IntValue(7)}, diff.Row{{}, diff.TextValue("7")}, diff.Update, []diff.Field{{1, diff.IntValue(7), diff.TextValue("7")}}},
		{"both null", diff.Row{{}, {}}, diff.Row{{}, {}}, 0, nil},
		{"neighbours above 2^53", diff.Row{diff.IntValue(1<<53 + 1)}, diff.Row{diff.IntValue(1 << 53)}, diff.Update, []diff.Field{{0, diff.IntValue(1<<53 + 1), diff.IntValue(1 << 53)}}},
		{"an insert of no columns", nil, diff.Row{}, diff.Insert, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, changed := diff.Compare(k, tt.before, tt.after)
			if changed != (tt.op != 0) {
				t.Fatalf("changed: got %t, want %t", changed, !changed)
			}
			if !changed {
				return
			}
			if want := (diff.Change{Op: tt.op, Key: k, Before: tt.before, After: tt.after}); !reflect.DeepEqual(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
			if got := got.Fields(); !slices.Equal(got, tt.fields) {
				t.Errorf("Fields: got %v, want %v", got, tt.fields)
			}
		})
	}
}

func TestOp_String(t *testing.T) {
	for op, want := range map[diff.Op]string{diff.Insert: "insert", diff.Update: "update", diff.Delete: "delete", 9: "op(9)"} {
		if got := op.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if diff.Delete >= diff.Update || diff.Update >= diff.Insert {
		t.Error("the order of the operations is not delete, update, insert")
	}
}

package diff_test

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"jstsync/diff"
)

func key(t testing.TB, parts ...diff.Value) diff.Key {
	t.Helper()
	k, err := diff.NewKey(parts...)
	if err != nil {
		t.Fatalf("NewKey(%v): %v", parts, err)
	}
	return k
}

// intKey is the key of a table like the shops.
func intKey(n int64) diff.Key {
	k, err := diff.NewKey(diff.IntValue(n))
	if err != nil {
		panic(err)
	}
	return k
}

func TestKey_Order(t *testing.T) {
	i, s := diff.IntValue, diff.TextValue
	for _, tt := range []struct {
		name   string
		sorted [][]diff.Value
	}{
		{"integers numerically", [][]diff.Value{
			{i(math.MinInt64)},
			{i(math.MinInt64 + 1)},
			{i(-256)},
			{i(-10)},
			{i(-9)},
			{i(-1)},
			{i(0)},
			{i(1)},
			{i(9)},
			{i(10)},
			{i(255)},
			{i(256)},
			{i(1<<53 - 1)},
			{i(1 << 53)},
			{i(1<<53 + 1)},
			{i(math.MaxInt64)},
		}},
		{"text by its bytes", [][]diff.Value{
			{s("")},
			{s("\x00")},
			{s("\x00\x00")},
			{s("\x00\x01")},
			{s("\x00\xff")},
			{s("\x01")},
			{s("10")},
			{s("9")},
			{s("A")},
			{s("a")},
			{s("a\x00")},
			{s("a\x00\x00")},
			{s("a\x00b")},
			{s("a\x01")},
			{s("a ")},
			{s("aa")},
			{s("ab")},
			{s("b")},
			{s("é")},
			{s("中")},
			{s("😀")},
			{s("\xff")},
		}},
		{"pairs by the first part, then the second", [][]diff.Value{
			{s(""), s("")},
			{s(""), s("a")},
			{s("\x00"), s("")},
			{s("a"), s("")},
			{s("a"), s("\x00")},
			{s("a"), s("b")},
			{s("a"), s("z")},
			{s("a\x00"), s("")},
			{s("a\x00"), s("a")},
			{s("a\x00b"), s("")},
			{s("ab"), s("")},
			{s("b"), s("")},
		}},
		{"mixed pairs", [][]diff.Value{
			{s("a"), i(-1)}, {s("a"), i(2)}, {s("a"), i(10)}, {s("a\x00"), i(-5)}, {s("aa"), i(-5)},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for n := 1; n < len(tt.sorted); n++ {
				a, b := tt.sorted[n-1], tt.sorted[n]
				if key(t, a...) >= key(t, b...) {
					t.Errorf("key of %v is not below that of %v", a, b)
				}
			}
		})
	}
}

// values of one kind, often with what the encoding treats as special.
func values(kind diff.Kind) *rapid.Generator[diff.Value] {
	if kind == diff.Int {
		return rapid.Map(rapid.Int64(), diff.IntValue)
	}
	return rapid.Map(rapid.SliceOfN(rapid.OneOf(
		rapid.Byte(), rapid.SampledFrom([]byte{0, 1, 2, 0xff, '%', '/', '2', '5', 'F', 'f'}),
	), 0, 12), func(b []byte) diff.Value { return diff.TextValue(string(b)) })
}

func compareParts(a, b []diff.Value) int {
	return slices.CompareFunc(a, b, func(v, w diff.Value) int {
		return cmp.Or(cmp.Compare(v.Int(), w.Int()), strings.Compare(v.Text(), w.Text()))
	})
}

func TestKey_OrderProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kinds := rapid.SliceOfN(rapid.SampledFrom([]diff.Kind{diff.Int, diff.Text}), 1, 3).Draw(t, "kinds")
		var a, b []diff.Value
		for _, kind := range kinds {
			v := values(kind).Draw(t, "a")
			w := v
			if rapid.Bool().Draw(t, "other") {
				w = values(kind).Draw(t, "b")
			}
			a, b = append(a, v), append(b, w)
		}
		ka, errA := diff.NewKey(a...)
		kb, errB := diff.NewKey(b...)
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		if got, want := cmp.Compare(ka, kb), compareParts(a, b); got != want {
			t.Fatalf("compare keys of %v and %v: got %d, want %d", a, b, got, want)
		}
	})
}

func TestKey_String(t *testing.T) {
	i, s := diff.IntValue, diff.TextValue
	for _, tt := range []struct {
		parts []diff.Value
		want  string
	}{
		{[]diff.Value{i(10394540)}, "10394540"},
		{[]diff.Value{i(-7)}, "-7"},
		{[]diff.Value{i(math.MinInt64)}, "-9223372036854775808"},
		{[]diff.Value{s("a/b"), i(3)}, "a%2Fb/3"},
		{[]diff.Value{s("50%"), s("/")}, "50%25/%2F"},
		{[]diff.Value{s("%2F")}, "%252F"},
		{[]diff.Value{s(""), s("")}, "/"},
		{[]diff.Value{s("店铺 1")}, "店铺 1"},
		{[]diff.Value{s("\x00")}, "\x00"},
	} {
		k := key(t, tt.parts...)
		if got := k.String(); got != tt.want {
			t.Errorf("String of %v: got %q, want %q", tt.parts, got, tt.want)
		}
		kinds := make([]diff.Kind, len(tt.parts))
		for n, p := range tt.parts {
			kinds[n] = p.Kind()
		}
		if got, err := diff.ParseKey(tt.want, kinds...); err != nil || got != k {
			t.Errorf("ParseKey(%q): got %q, %v, want %q", tt.want, got, err, k)
		}
	}
	if got, want := diff.Key("\x09junk").String(), `%!key("\tjunk")`; got != want {
		t.Errorf("String of junk: got %q, want %q", got, want)
	}
}

func TestParseKey(t *testing.T) {
	t.Run("small letters in escapes", func(t *testing.T) {
		got, err := diff.ParseKey("a%2fb", diff.Text)
		if want := key(t, diff.TextValue("a/b")); err != nil || got != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	})
	for _, tt := range []struct {
		name, in string
		kinds    []diff.Kind
		want     string
	}{
		{"empty integer", "", []diff.Kind{diff.Int}, `unreadable key "": "" is not an integer`},
		{"text for an integer", "abc", []diff.Kind{diff.Int}, `unreadable key "abc": "abc" is not an integer`},
		{"fraction", "1.5", []diff.Kind{diff.Int}, `unreadable key "1.5": "1.5" is not an integer`},
		{"beyond int64", "9223372036854775808", []diff.Kind{diff.Int}, `unreadable key "9223372036854775808": "9223372036854775808" is not an integer`},
		{"too many parts", "1/2", []diff.Kind{diff.Int}, `unreadable key "1/2": 2 parts, want 1`},
		{"too few parts", "1", []diff.Kind{diff.Int, diff.Text}, `unreadable key "1": 1 parts, want 2`},
		{"no kinds", "1", nil, `unreadable key "1": 1 parts, want 0`},
		{"too long", strings.Repeat("x", 256), []diff.Kind{diff.Text}, "unreadable key: 256 bytes long, the limit is 255"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := diff.ParseKey(tt.in, tt.kinds...)
			if got != "" || !errors.Is(err, diff.ErrKey) || err.Error() != tt.want {
				t.Errorf("got %q, %v, want an ErrKey: %s", got, err, tt.want)
			}
		})
	}
}

func TestNewKey(t *testing.T) {
	s := diff.TextValue
	for _, tt := range []struct {
		name  string
		parts []diff.Value
		want  string
	}{
		{"no parts", nil, "unreadable key: no parts"},
		{"null", []diff.Value{{}}, "unreadable key: part 1 is null or missing"},
		{"null second", []diff.Value{s("a"), {}}, "unreadable key: part 2 is null or missing"},
		{"256 bytes", []diff.Value{s(strings.Repeat("x", 256))}, "unreadable key: 256 bytes long, the limit is 255"},
		{"256 bytes with the joint", []diff.Value{s(strings.Repeat("x", 128)), s(strings.Repeat("y", 127))}, "unreadable key: 256 bytes long, the limit is 255"},
		{"256 bytes by its escapes", []diff.Value{s(strings.Repeat("x", 253) + "%")}, "unreadable key: 256 bytes long, the limit is 255"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := diff.NewKey(tt.parts...)
			if got != "" || !errors.Is(err, diff.ErrKey) || err.Error() != tt.want {
				t.Errorf("got %q, %v, want an ErrKey: %s", got, err, tt.want)
			}
		})
	}
	for _, parts := range [][]diff.Value{
		{s(strings.Repeat("x", 255))},
		{s(strings.Repeat("x", 127)), s(strings.Repeat("y", 127))},
		{s(strings.Repeat("x", 252) + "%")},
		{s(strings.Repeat("\x00", 255))},
	} {
		if k := key(t, parts...); len(k.String()) != diff.MaxKeyText {
			t.Errorf("longest key: %d bytes, want %d", len(k.String()), diff.MaxKeyText)
		}
	}
}

// Whatever parts a key is made of come back from it and from its external form.
func FuzzParseKey(f *testing.F) {
	f.Add("a", "b", int64(1))
	f.Add("", "\x00\xff", int64(math.MinInt64))
	f.Add("%2F/%25", "//%%\x00\x00", int64(math.MaxInt64))
	f.Fuzz(func(t *testing.T, a, b string, n int64) {
		want := []diff.Value{diff.TextValue(a), diff.IntValue(n), diff.TextValue(b)}
		k, err := diff.NewKey(want...)
		if err != nil {
			if len(a)+len(b) < (diff.MaxKeyText-22)/3 {
				t.Fatalf("NewKey(%v): %v", want, err)
			}
			return
		}
		if got, err := k.Parts(); err != nil || !slices.Equal(got, want) {
			t.Errorf("Parts: got %v, %v, want %v", got, err, want)
		}
		if got, err := diff.ParseKey(k.String(), diff.Text, diff.Int, diff.Text); err != nil || got != k {
			t.Errorf("ParseKey(%q): got %q, %v, want %q", k.String(), got, err, k)
		}
	})
}

// A string is refused, or it is the one encoding of its parts.
func FuzzKey_Parts(f *testing.F) {
	for _, s := range []string{"", "\x01", "\x01\x80\x00\x00\x00\x00\x00\x00\x01", "\x02a\x00\x00", "\x02a\x00", "\x02\x00\xff\x00\x00", "\x02\x00\x01\x00\x00", "\x03", "\x02\x00\x00\x01"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		k := diff.Key(s)
		_ = k.String()
		parts, err := k.Parts()
		if err != nil {
			if !errors.Is(err, diff.ErrKey) {
				t.Errorf("Parts of %q: %v does not wrap ErrKey", s, err)
			}
			return
		}
		if got, err := diff.NewKey(parts...); err == nil && got != k {
			t.Errorf("NewKey of the parts of %q: got %q", s, got)
		}
	})
}

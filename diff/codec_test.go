package diff_test

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"jstsync/diff"
)

// cells of any kind.
func cells() *rapid.Generator[diff.Value] {
	return rapid.OneOf(rapid.Just(diff.Value{}), values(diff.Int), values(diff.Text))
}

// changes to a record of the given number of columns.
func changes(k diff.Key, columns int) *rapid.Generator[diff.Change] {
	return rapid.Custom(func(t *rapid.T) diff.Change {
		rows := rapid.SliceOfN(cells(), columns, columns)
		op := rapid.SampledFrom([]diff.Op{diff.Delete, diff.Update, diff.Insert}).Draw(t, "op")
		c := diff.Change{Op: op, Key: k}
		if op != diff.Insert {
			c.Before = diff.Row(rows.Draw(t, "before"))
		}
		if op != diff.Delete {
			c.After = diff.Row(rows.Draw(t, "after"))
		}
		return c
	})
}

func TestAppendChange_RoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := changes(intKey(1), rapid.IntRange(0, 20).Draw(t, "columns")).Draw(t, "change")
		prefix := rapid.SliceOf(rapid.Byte()).Draw(t, "prefix")
		enc := diff.AppendChange(prefix, &want)
		if got := string(enc[:len(prefix)]); got != string(prefix) {
			t.Fatalf("prefix: got %q, want %q", got, prefix)
		}
		enc = enc[len(prefix):]
		got, err := diff.DecodeChange(want.Key, enc)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("got %v, %v, want %v", got, err, want)
		}
		for n := range enc {
			if _, err := diff.DecodeChange(want.Key, enc[:n]); !errors.Is(err, diff.ErrEncoding) {
				t.Fatalf("cut after %d bytes: got %v, want ErrEncoding", n, err)
			}
		}
		if _, err := diff.DecodeChange(want.Key, append(enc, 0)); !errors.Is(err, diff.ErrEncoding) {
			t.Fatalf("with a byte more: got %v, want ErrEncoding", err)
		}
		clear(enc)
		if !reflect.DeepEqual(got, want) {
			t.Fatal("the change refers to its encoding")
		}
	})
}

// The bytes are a file format: a change of them is a change of the format.
func TestAppendChange_Bytes(t *testing.T) {
	row := diff.Row{diff.IntValue(-1), diff.TextValue("é"), {}}
	for _, tt := range []struct {
		name   string
		change diff.Change
		want   string
	}{
		{"insert", diff.Change{Op: diff.Insert, After: row}, "\x03\x03\x01\x01\x02\x02é\x00"},
		{"delete", diff.Change{Op: diff.Delete, Before: row}, "\x01\x03\x01\x01\x02\x02é\x00"},
		{"update", diff.Change{Op: diff.Update, Before: diff.Row{diff.IntValue(-1), {}, diff.IntValue(64)}, After: row}, "\x02\x03\x01\x01\x02\x02é\x00\x02\x01\x00\x02\x01\x80\x01"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(diff.AppendChange(nil, &tt.change)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestDecodeChange_Errors(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"empty", "", "key 1: malformed change: truncated"},
		{"unknown op", "\x04\x00", "key 1: malformed change: unknown op"},
		{"op zero", "\x00\x00", "key 1: malformed change: unknown op"},
		{"count beyond the data", "\x03\x05\x00", "key 1: malformed change: count larger than the data"},
		{"huge count", "\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "key 1: malformed change: count larger than the data"},
		{"unknown kind", "\x03\x01\x03", "key 1: malformed change: unknown kind of value"},
		{"text beyond the data", "\x03\x01\x02\x05ab", "key 1: malformed change: count larger than the data"},
		{"overlong number", "\x03\x01\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "key 1: malformed change: bad integer"},
		{"column out of range", "\x02\x01\x00\x01\x01\x00", "key 1: malformed change: column out of range"},
		{"trailing bytes", "\x03\x01\x00\x00", "key 1: malformed change: trailing bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := diff.DecodeChange(intKey(1), []byte(tt.in))
			if !errors.Is(err, diff.ErrEncoding) || err.Error() != tt.want || !reflect.DeepEqual(got, diff.Change{}) {
				t.Errorf("got %v, %v, want %s", got, err, tt.want)
			}
		})
	}
}

// Garbage is refused or is a change that encodes to itself.
func FuzzDecodeChange(f *testing.F) {
	row := diff.Row{diff.IntValue(math.MinInt64), diff.TextValue(strings.Repeat("中", 50)), {}}
	for _, c := range []diff.Change{
		{Op: diff.Insert, After: row}, {Op: diff.Delete, Before: row}, {Op: diff.Update, Before: make(diff.Row, 3), After: row},
	} {
		f.Add(diff.AppendChange(nil, &c))
	}
	f.Add([]byte("\x02\x02\x00\x00\x01\x07\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := diff.DecodeChange(intKey(1), b)
		if err != nil {
			if !errors.Is(err, diff.ErrEncoding) {
				t.Errorf("%v does not wrap ErrEncoding", err)
			}
			return
		}
		again, err := diff.DecodeChange(intKey(1), diff.AppendChange(nil, &c))
		if err != nil || !reflect.DeepEqual(again, c) {
			t.Errorf("got %v, %v, want %v", again, err, c)
		}
	})
}

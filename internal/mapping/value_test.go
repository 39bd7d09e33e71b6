package mapping_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"

	"jstsync/diff"
	"jstsync/internal/mapping"
)

var (
	bigint  = diff.Type{Base: diff.BigInt}
	seconds = diff.Type{Base: diff.DateTime}
	millis  = diff.Type{Base: diff.DateTime, Size: 3}
	null    = diff.Value{}
)

func varchar(size int) diff.Type { return diff.Type{Base: diff.VarChar, Size: size} }

// convert maps a record of an id and one member v; "" means that v is missing.
func convert(t testing.TB, c mapping.Column, raw string) (diff.Value, error) {
	t.Helper()
	c.Name, c.From = "c", "v"
	m, err := mapping.New("t", []mapping.Column{
		{Column: diff.Column{Name: "id", Type: bigint, NotNull: true}, From: "id"}, c,
	}, []string{"id"})
	if err != nil {
		t.Fatal(err)
	}
	r := record("id", "1")
	if raw != "" {
		r = record("id", "1", "v", raw)
	}
	row, err := m.Row(r)
	if err != nil {
		return null, err
	}
	if again, ok := m.Stored(1, row[1]); !ok || again != row[1] {
		t.Errorf("stored again, %v becomes %v", row[1], again)
	}
	return row[1], nil
}

// record is made of names and raw values in turn.
func record(members ...string) *diff.Record {
	r := &diff.Record{}
	for i := 0; i < len(members); i += 2 {
		r.Members = append(r.Members, diff.Member{Name: members[i], Raw: []byte(members[i+1])})
	}
	return r
}

// A server reads texts as dates that the mapping does not, and may round what
// the mapping cuts.
func TestMapper_Stored_ServersMatter(t *testing.T) {
	m, err := mapping.New("t", []mapping.Column{
		{Column: diff.Column{Name: "id", Type: bigint, NotNull: true}, From: "id"},
		{Column: diff.Column{Name: "c", Type: seconds}, From: "v", DateOrNull: true},
	}, []string{"id"})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{"2026-01-02 03:04:05.000": true, "2026-01-02": true, "2026-01-02 03:04:05.700": false, "20260102": false} {
		if v, known := m.Stored(1, diff.TextValue(text)); known != want {
			t.Errorf("%s: got %v, %t, want %t", text, v, known, want)
		}
	}
}

func TestMapper_Row_Values(t *testing.T) {
	i, s := diff.IntValue, diff.TextValue
	for _, tt := range []struct {
		name string
		typ  diff.Type
		raw  string
		want diff.Value
	}{
		{"missing integer", bigint, "", null},
		{"null integer", bigint, "null", null},
		{"integer", bigint, "42", i(42)},
		{"negative integer", bigint, "-42", i(-42)},
		{"zero", bigint, "0", i(0)},
		{"minus zero", bigint, "-0", i(0)},
		{"text of digits", bigint, `"42"`, i(42)},
		{"text of negative digits", bigint, `"-42"`, i(-42)},
		{"leading zeros in a text", bigint, `"007"`, i(7)},
		{"escaped digits", bigint, `"\u0034\u0032"`, i(42)},
		{"2^53", bigint, "9007199254740992", i(1 << 53)},
		{"2^53+1", bigint, "9007199254740993", i(1<<53 + 1)},
		{"2^53+1 as text", bigint, `"9007199254740993"`, i(1<<53 + 1)},
		{"greatest int64", bigint, "9223372036854775807", i(1<<63 - 1)},
		{"least int64", bigint, "-9223372036854775808", i(-1 << 63)},
		{"least int64 as text", bigint, `"-9223372036854775808"`, i(-1 << 63)},

		{"missing text", varchar(3), "", null},
		{"null text", varchar(3), "null", null},
		{"empty text", varchar(3), `""`, s("")},
		{"blank text", varchar(3), `"  "`, s("  ")},
		{"text null", varchar(9), `"null"`, s("null")},
		{"blanks are kept", varchar(9), `" a "`, s(" a ")},
		{"escapes", varchar(9), `"\u4e2d\n\"\\\/"`, s("中\n\"\\/")},
		{"an escaped pair", varchar(1), `"\ud83d\ude00"`, s("😀")},
		{"NUL", varchar(1), `"\u0000"`, s("\x00")},
		{"as long as it may be", varchar(3), `"abc"`, s("abc")},
		{"characters, not bytes", varchar(3), `"店铺名"`, s("店铺名")},
		{"emoji are characters", varchar(3), `"😀😀😀"`, s("😀😀😀")},
		{"number", varchar(9), "42", s("42")},
		{"negative number", varchar(9), "-42", s("-42")},
		{"number as its digits", varchar(99), "9007199254740993", s("9007199254740993")},
		{"number beyond int64", varchar(99), "123456789012345678901234567890", s("123456789012345678901234567890")},
		{"fraction as its digits", varchar(9), "1.50", s("1.50")},
		{"exponent as it is written", varchar(9), "1E+2", s("1E+2")},

		{"missing date", millis, "", null},
		{"null date", millis, "null", null},
		{"empty date", millis, `""`, null},
		{"blank date", millis, `"   "`, null},
		{"escaped blanks", millis, `"\t\u0020"`, null},
		{"date and time", millis, `"2024-02-29 13:14:15"`, s("2024-02-29 13:14:15.000")},
		{"T between", millis, `"2024-02-29T13:14:15"`, s("2024-02-29 13:14:15.000")},
		{"date alone", millis, `"2024-02-29"`, s("2024-02-29 00:00:00.000")},
		{"fraction", millis, `"2024-02-29 13:14:15.123"`, s("2024-02-29 13:14:15.123")},
		{"short fraction", millis, `"2024-02-29 13:14:15.5"`, s("2024-02-29 13:14:15.500")},
		{"fraction cut", millis, `"2024-02-29 13:14:15.9999"`, s("2024-02-29 13:14:15.999")},
		{"fraction of a new year's eve cut", millis, `"2023-12-31T23:59:59.999999"`, s("2023-12-31 23:59:59.999")},
		{"fraction of 12 digits cut", millis, `"2024-02-29 13:14:15.123987654321"`, s("2024-02-29 13:14:15.123")},
		{"no fraction stored", seconds, `"2024-02-29 13:14:15.999"`, s("2024-02-29 13:14:15")},
		{"whole seconds", seconds, `"2024-02-29 13:14:15"`, s("2024-02-29 13:14:15")},
		{"six digits", diff.Type{Base: diff.DateTime, Size: 6}, `"2024-02-29 13:14:15.1234567"`, s("2024-02-29 13:14:15.123456")},
		{"no zone shift in the hour that summer time skips", millis, `"1986-05-04 02:30:00"`, s("1986-05-04 02:30:00.000")},
		{"first year", millis, `"1000-01-01 00:00:00"`, s("1000-01-01 00:00:00.000")},
		{"last year", millis, `"9999-12-31 23:59:59.999"`, s("9999-12-31 23:59:59.999")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := convert(t, mapping.Column{Column: diff.Column{Type: tt.typ}}, tt.raw); err != nil || got != tt.want {
				t.Errorf("got %#v, %v, want %#v", got, err, tt.want)
			}
		})
	}
}

func TestMapper_Row_Errors(t *testing.T) {
	for _, tt := range []struct {
		name string
		typ  diff.Type
		raw  string
		want string
	}{
		{"empty text", bigint, `""`, `member v: "" is not an integer (column c BIGINT)`},
		{"blank", bigint, `" 1"`, `member v: " 1" is not an integer (column c BIGINT)`},
		{"fraction", bigint, "1.5", "member v: 1.5 is not an integer (column c BIGINT)"},
		{"whole fraction", bigint, "1.0", "member v: 1.0 is not an integer (column c BIGINT)"},
		{"exponent", bigint, "1e3", "member v: 1e3 is not an integer (column c BIGINT)"},
		{"plus", bigint, `"+1"`, `member v: "+1" is not an integer (column c BIGINT)`},
		{"two signs", bigint, `"--1"`, `member v: "--1" is not an integer (column c BIGINT)`},
		{"a sign alone", bigint, `"-"`, `member v: "-" is not an integer (column c BIGINT)`},
		{"underscore", bigint, `"1_0"`, `member v: "1_0" is not an integer (column c BIGINT)`},
		{"hexadecimal", bigint, `"0x1"`, `member v: "0x1" is not an integer (column c BIGINT)`},
		{"full-width digits", bigint, `"１"`, `member v: "１" is not an integer (column c BIGINT)`},
		{"bool", bigint, "true", "member v: true is not an integer (column c BIGINT)"},
		{"array", bigint, "[1]", "member v: [1] is not an integer (column c BIGINT)"},
		{"beyond int64", bigint, "9223372036854775808", "member v: 9223372036854775808 is outside the range of the column (column c BIGINT)"},
		{"below int64", bigint, `"-9223372036854775809"`, `member v: "-9223372036854775809" is outside the range of the column (column c BIGINT)`},

		{"bool", varchar(9), "false", "member v: false is neither a text nor a number (column c VARCHAR(9))"},
		{"object", varchar(9), `{"a":1}`, `member v: {"a":1} is neither a text nor a number (column c VARCHAR(9))`},
		{"array", varchar(9), "[]", "member v: [] is neither a text nor a number (column c VARCHAR(9))"},
		{"a character too long", varchar(3), `"abcd"`, `member v: "abcd" is too long (column c VARCHAR(3))`},
		{"an emoji too long", varchar(3), `"😀😀😀😀"`, `member v: "😀😀😀😀" is too long (column c VARCHAR(3))`},
		{"a blank too long", varchar(3), `"abc "`, `member v: "abc " is too long (column c VARCHAR(3))`},
		{"a number too long", varchar(3), "1000", "member v: 1000 is too long (column c VARCHAR(3))"},
		{"a lone surrogate", varchar(3), `"\ud800"`, `member v: "\ud800" is neither a text nor a number (column c VARCHAR(3))`},

		{"words", millis, `"永久授权"`, `member v: "永久授权" is not a date (column c DATETIME(3))`},
		{"30 February", millis, `"2024-02-30"`, `member v: "2024-02-30" is not a date (column c DATETIME(3))`},
		{"29 February of a common year", millis, `"2023-02-29 00:00:00"`, `member v: "2023-02-29 00:00:00" is not a date (column c DATETIME(3))`},
		{"zero date", millis, `"0000-00-00"`, `member v: "0000-00-00" is not a date (column c DATETIME(3))`},
		{"zero date and time", millis, `"0000-00-00 00:00:00"`, `member v: "0000-00-00 00:00:00" is not a date (column c DATETIME(3))`},
		{"year 1", millis, `"0001-01-01 00:00:00"`, `member v: "0001-01-01 00:00:00" is not a date (column c DATETIME(3))`},
		{"year 999", millis, `"0999-12-31"`, `member v: "0999-12-31" is not a date (column c DATETIME(3))`},
		{"hour 24", millis, `"2024-01-01 24:00:00"`, `member v: "2024-01-01 24:00:00" is not a date (column c DATETIME(3))`},
		{"leap second", millis, `"2016-12-31 23:59:60"`, `member v: "2016-12-31 23:59:60" is not a date (column c DATETIME(3))`},
		{"a zone", millis, `"2024-01-01T00:00:00Z"`, `member v: "2024-01-01T00:00:00Z" is not a date (column c DATETIME(3))`},
		{"an offset", millis, `"2024-01-01T00:00:00+08:00"`, `member v: "2024-01-01T00:00:00+08:00" is not a date (column c DATETIME(3))`},
		{"slashes", millis, `"2024/01/01"`, `member v: "2024/01/01" is not a date (column c DATETIME(3))`},
		{"a blank behind", millis, `"2024-01-01 "`, `member v: "2024-01-01 " is not a date (column c DATETIME(3))`},
		{"seconds since 1970", millis, "1700000000", "member v: 1700000000 is not a date (column c DATETIME(3))"},
		{"a bool for a date", millis, "true", "member v: true is not a date (column c DATETIME(3))"},
	} {
		t.Run(tt.typ.String()+" "+tt.name, func(t *testing.T) {
			got, err := convert(t, mapping.Column{Column: diff.Column{Type: tt.typ}}, tt.raw)
			if err == nil || err.Error() != tt.want {
				t.Errorf("got %#v, %v, want %s", got, err, tt.want)
			}
		})
	}
}

func TestMapper_Row_NotNull(t *testing.T) {
	for _, tt := range []struct {
		typ       diff.Type
		raw, want string
	}{
		{bigint, "", "member v: a missing value is NULL, which the column does not take (column c BIGINT)"},
		{varchar(9), "null", "member v: null is NULL, which the column does not take (column c VARCHAR(9))"},
		{millis, `" "`, `member v: " " is NULL, which the column does not take (column c DATETIME(3))`},
	} {
		_, err := convert(t, mapping.Column{Column: diff.Column{Type: tt.typ, NotNull: true}}, tt.raw)
		if err == nil || err.Error() != tt.want {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
	got, err := convert(t, mapping.Column{Column: diff.Column{Type: varchar(9), NotNull: true}}, `""`)
	if want := diff.TextValue(""); err != nil || got != want {
		t.Errorf("no text: got %#v, %v, want %#v", got, err, want)
	}
}

func TestMapper_Row_DateOrNull(t *testing.T) {
	for _, tt := range []struct {
		raw  string
		want diff.Value
	}{
		{"", null},
		{"null", null},
		{`""`, null},
		{`"  "`, null},
		{`"永久授权"`, null},
		{`"\u6c38\u4e45\u6388\u6743"`, null},
		{`"2024-02-30"`, null},
		{`"0000-00-00 00:00:00"`, null},
		{`"0001-01-01 00:00:00"`, null},
		{"0", null},
		{`"2027-01-02 03:04:05"`, diff.TextValue("2027-01-02 03:04:05.000")},
	} {
		c := mapping.Column{Column: diff.Column{Type: millis}, DateOrNull: true}
		if got, err := convert(t, c, tt.raw); err != nil || got != tt.want {
			t.Errorf("%s: got %#v, %v, want %#v", tt.raw, got, err, tt.want)
		}
	}
}

// However a moment is spelled, it is stored as the standard library reads it.
func TestMapper_Row_Moments(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		digits := rapid.IntRange(0, 6).Draw(rt, "digits")
		number := func(width, most int, name string) string {
			return fmt.Sprintf("%0*d", width, rapid.IntRange(0, most).Draw(rt, name))
		}
		text := number(4, 3000, "year") + "-" + number(2, 13, "month") + "-" + number(2, 32, "day") +
			" " + number(2, 25, "hour") + ":" + number(2, 61, "minute") + ":" + number(2, 61, "second") +
			rapid.SampledFrom([]string{"", "", ".", ",5", ".5", ".987", ".1234567", ".12345678901", "x", "Z"}).Draw(rt, "rest")
		if rapid.IntRange(0, 3).Draw(rt, "one off") == 0 {
			i := rapid.IntRange(0, len(text)-1).Draw(rt, "place")
			text = text[:i] + rapid.SampledFrom([]string{"", "0", "-", "9", " "}).Draw(rt, "by") + text[i+1:]
		}
		var want diff.Value
		if moment, err := time.Parse(time.DateTime, text); err == nil && moment.Year() >= 1000 {
			want = diff.TextValue(moment.Format(strings.TrimSuffix(time.DateTime+"."+strings.Repeat("0", digits), ".")))
		} else if _, err := time.Parse(time.DateOnly, text); err == nil {
			rt.Skip("a day")
		}
		c := mapping.Column{Column: diff.Column{Type: diff.Type{Base: diff.DateTime, Size: digits}}, DateOrNull: true}
		if got, err := convert(t, c, `"`+text+`"`); err != nil || got != want {
			rt.Fatalf("%q: got %#v, %v, want %#v", text, got, err, want)
		}
	})
}

// A message quotes a value, but not all of it, and cuts no character in two.
func TestMapper_Row_Excerpt(t *testing.T) {
	_, err := convert(t, mapping.Column{Column: diff.Column{Type: varchar(3)}}, `"a`+strings.Repeat("中", 100)+`"`)
	if want := `member v: "a` + strings.Repeat("中", 19) + "… is too long (column c VARCHAR(3))"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	_, err = convert(t, mapping.Column{Column: diff.Column{Type: bigint}}, "\"\xff\"")
	if err == nil || !utf8.ValidString(err.Error()) {
		t.Errorf("got %q, want an error in valid UTF-8", err)
	}
}

// Whatever a source sends, a value is what its column stores or an error, and
// what was stored maps to itself.
func FuzzMapper_Row(f *testing.F) {
	for _, raw := range []string{"1", `"2024-02-29 13:14:15.9999"`, `"2024-02-29T1:14:15,5"`, `"\u4e2d"`, "null", "[", `"`, "-", "\xff", "1e400"} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, typ := range []diff.Type{bigint, seconds, millis, varchar(5)} {
			c := mapping.Column{Column: diff.Column{Type: typ}}
			v, err := convert(t, c, string(raw))
			if err != nil || v.IsNull() || !jsontext.Value(raw).IsValid(jsontext.AllowInvalidUTF8(true)) {
				continue // what is no JSON value never gets here, and must only not panic
			}
			if v.Kind() != typ.Kind() || !utf8.ValidString(v.Text()) {
				t.Fatalf("%q as %s: got %#v", raw, typ, v)
			}
			if typ.Base == diff.VarChar {
				if utf8.RuneCountInString(v.Text()) > typ.Size {
					t.Fatalf("%q as %s: got %#v", raw, typ, v)
				}
				continue
			}
			if again, err := convert(t, c, `"`+v.String()+`"`); err != nil || again != v {
				t.Fatalf("%s as %s again: got %#v, %v", v, typ, again, err)
			}
		}
	})
}

// A fraction is cut, never rounded, however it is written.
func TestMapper_Row_Fractions(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		digits := rapid.StringMatching(`[0-9]{1,9}`).Draw(r, "digits")
		size := rapid.IntRange(1, 6).Draw(r, "size")
		const second = "2026-11-22 23:59:59"
		got, err := convert(t, mapping.Column{Column: diff.Column{Type: diff.Type{Base: diff.DateTime, Size: size}}}, `"`+second+"."+digits+`"`)
		if want := second + "." + (digits + "000000")[:size]; err != nil || got.Text() != want {
			r.Fatalf("got %s, %v, want %s", got, err, want)
		}
	})
}

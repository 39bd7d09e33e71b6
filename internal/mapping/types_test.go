package mapping_test

import (
	"strings"
	"testing"

	"jstsync/diff"
	"jstsync/internal/mapping"
)

func typed(t testing.TB, text string) diff.Type {
	t.Helper()
	typ, err := diff.ParseType(text)
	if err != nil {
		t.Fatal(err)
	}
	return typ
}

func TestMapper_Row_Types(t *testing.T) {
	i, s := diff.IntValue, diff.TextValue
	for _, tt := range []struct {
		typ, raw string
		want     diff.Value
	}{
		{"INT", "2147483647", i(1<<31 - 1)},
		{"INT", `"-2147483648"`, i(-1 << 31)},
		{"INT", "null", null},

		{"DECIMAL(5,2)", "1", s("1.00")},
		{"DECIMAL(5,2)", "1.5", s("1.50")},
		{"DECIMAL(5,2)", `"1.50"`, s("1.50")},
		{"DECIMAL(5,2)", "1.5000000000", s("1.50")},
		{"DECIMAL(5,2)", "-0.5", s("-0.50")},
		{"DECIMAL(5,2)", "-0", s("0.00")},
		{"DECIMAL(5,2)", `"-0.000"`, s("0.00")},
		{"DECIMAL(5,2)", "999.99", s("999.99")},
		{"DECIMAL(5,2)", `"000999.99"`, s("999.99")},
		{"DECIMAL(5,2)", "1e2", s("100.00")},
		{"DECIMAL(5,2)", "1.2345E+2", s("123.45")},
		{"DECIMAL(5,2)", "12345e-2", s("123.45")},
		{"DECIMAL(5,2)", "0e999999999999999999", s("0.00")},
		{"DECIMAL(5,2)", "0.0e-999999999999999999", s("0.00")},
		{"DECIMAL(2,2)", "0.99", s("0.99")},
		{"DECIMAL(20,0)", "18446744073709551616", s("18446744073709551616")},
		{"DECIMAL(65,30)", "0.1", s("0.1" + strings.Repeat("0", 29))},
		{"DECIMAL(65,30)", strings.Repeat("9", 35) + "." + strings.Repeat("9", 30), s(strings.Repeat("9", 35) + "." + strings.Repeat("9", 30))},

		{"TEXT", `"中\u0000'\"\\"`, s("中\x00'\"\\")},
		{"TEXT", "1.50", s("1.50")},
		{"TEXT", `"` + strings.Repeat("a", 65_535) + `"`, s(strings.Repeat("a", 65_535))},

		{"DATE", `"2024-02-29"`, s("2024-02-29")},
		{"DATE", `"2024-02-29 00:00:00"`, s("2024-02-29")},
		{"DATE", `"2024-02-29T00:00:00.000"`, s("2024-02-29")},
		{"DATE", `"1000-01-01"`, s("1000-01-01")},
		{"DATE", `"9999-12-31"`, s("9999-12-31")},
		{"DATE", `" "`, null},

		{"BOOL", "true", i(1)},
		{"BOOL", "false", i(0)},
		{"BOOL", "1", i(1)},
		{"BOOL", "0", i(0)},
		{"BOOL", `"true"`, i(1)},
		{"BOOL", `"0"`, i(0)},

		{"JSON", `null`, null},
		{"JSON", ` {"b": [1, 2.50, 1e2], "a" : {"d":null,"c":true}} `, s(`{"a":{"c":true,"d":null},"b":[1,2.5,100]}`)},
		{"JSON", `{"B":1,"a":2,"中":3,"é":4,"😀":5}`, s(`{"B":1,"a":2,"é":4,"中":3,"😀":5}`)},
		{"JSON", `"\u4e2d\/\n\u0000"`, s(`"中/\n\u0000"`)},
		{"JSON", `[9007199254740993,-9223372036854775808,18446744073709551615,-0,0.1,1e-7,123456789012345e10]`, s(`[9007199254740993,-9223372036854775808,18446744073709551615,0,0.1,1e-07,1.23456789012345e+24]`)},
		{"JSON", "false", s("false")},
		{"JSON", "[]", s("[]")},
		{"JSON", strings.Repeat("[", 31) + strings.Repeat("]", 31), s(strings.Repeat("[", 31) + strings.Repeat("]", 31))},
	} {
		t.Run(tt.typ+" "+tt.raw[:min(len(tt.raw), 30)], func(t *testing.T) {
			if got, err := convert(t, mapping.Column{Column: diff.Column{Type: typed(t, tt.typ)}}, tt.raw); err != nil || got != tt.want {
				t.Errorf("got %#v, %v, want %#v", got, err, tt.want)
			}
		})
	}
}

func TestMapper_Row_TypeErrors(t *testing.T) {
	for _, tt := range []struct{ typ, raw, want string }{
		{"INT", "2147483648", "is outside the range of the column"},
		{"INT", "-2147483649", "is outside the range of the column"},
		{"INT", "9223372036854775808", "is outside the range of the column"},
		{"INT", "1.5", "is not an integer"},
		{"INT", "true", "is not an integer"},

		{"DECIMAL(5,2)", "1000", "is outside the range of the column"},
		{"DECIMAL(5,2)", "1e3", "is outside the range of the column"},
		{"DECIMAL(5,2)", "1e999999999999999999", "is outside the range of the column"},
		{"DECIMAL(5,2)", "999.995", "has more digits behind the point than the column stores"},
		{"DECIMAL(5,2)", "1.005", "has more digits behind the point than the column stores"},
		{"DECIMAL(5,2)", "1e-999999999999999999", "has more digits behind the point than the column stores"},
		{"DECIMAL(2,2)", "1", "is outside the range of the column"},
		{"DECIMAL(5,2)", `""`, "is not a decimal number"},
		{"DECIMAL(5,2)", `" 1"`, "is not a decimal number"},
		{"DECIMAL(5,2)", `"1,5"`, "is not a decimal number"},
		{"DECIMAL(5,2)", `".5"`, "is not a decimal number"},
		{"DECIMAL(5,2)", `"5."`, "is not a decimal number"},
		{"DECIMAL(5,2)", `"+5"`, "is not a decimal number"},
		{"DECIMAL(5,2)", `"1e"`, "is not a decimal number"},
		{"DECIMAL(5,2)", `"1e+-2"`, "is not a decimal number"},
		{"DECIMAL(5,2)", `"NaN"`, "is not a decimal number"},
		{"DECIMAL(5,2)", "true", "is not a decimal number"},
		{"DECIMAL(5,2)", "[]", "is not a decimal number"},

		{"TEXT", `"` + strings.Repeat("a", 65_536) + `"`, "is too long"},
		{"TEXT", `"` + strings.Repeat("中", 21_846) + `"`, "is too long"},
		{"TEXT", "{}", "is neither a text nor a number"},

		{"DATE", `"2024-02-29 00:00:01"`, "has a time of day, which the column does not store"},
		{"DATE", `"2024-02-29T00:00:00.001"`, "has a time of day, which the column does not store"},
		{"DATE", `"2023-02-29"`, "is not a date"},
		{"DATE", `"0000-00-00"`, "is not a date"},
		{"DATE", "20240229", "is not a date"},
		{"DATE", "true", "is not a date"},

		{"BOOL", `"True"`, "is neither true nor false"},
		{"BOOL", `""`, "is neither true nor false"},
		{"BOOL", "2", "is neither true nor false"},
		{"BOOL", "1.0", "is neither true nor false"},
		{"BOOL", "{}", "is neither true nor false"},

		{"JSON", `{"a":1,"a":2}`, "holds an object with the same member twice"},
		{"JSON", `[{"a":{"b":1,"b":2}}]`, "holds an object with the same member twice"},
		{"JSON", `"\ud800"`, "is no JSON"},
		{"JSON", `{"\ud800":1}`, "is no JSON"},
		{"JSON", `{"a":}`, "is no JSON"},
		{"JSON", `[1] 2`, "is no JSON"},
		{"JSON", "18446744073709551616", "holds a number that a JSON column may round"},
		{"JSON", "[0.12345678901234567890]", "holds a number that a JSON column may round"},
		{"JSON", "1e400", "holds a number that a JSON column may round"},
		{"JSON", strings.Repeat("[", 32) + strings.Repeat("]", 32), "lies more than 31 levels deep, which a JSON column may refuse"},
	} {
		t.Run(tt.typ+" "+tt.raw[:min(len(tt.raw), 30)], func(t *testing.T) {
			got, err := convert(t, mapping.Column{Column: diff.Column{Type: typed(t, tt.typ)}}, tt.raw)
			if err == nil || !strings.HasSuffix(err.Error(), tt.want+" (column c "+tt.typ+")") || !strings.HasPrefix(err.Error(), "member v: ") {
				t.Errorf("got %#v, %v, want an error with %s", got, err, tt.want)
			}
		})
	}
}

// A number that is stored maps to itself, and so does a date.
func FuzzMapper_Row_Types(f *testing.F) {
	for _, raw := range []string{"1", "-0.50", `"1e2"`, "1.2345E-3", `"0e9"`, `"2024-02-29"`, `"2024-02-29 00:00:00.5"`, `{"a":[1.0,"\u0000"]}`, "true"} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		for _, name := range []string{"INT", "DECIMAL(12,4)", "DECIMAL(65,30)", "DATE", "DATETIME(2)", "BOOL", "JSON"} {
			typ := typed(t, name)
			c := mapping.Column{Column: diff.Column{Type: typ}}
			v, err := convert(t, c, raw)
			if err != nil || v.IsNull() {
				continue
			}
			again := `"` + v.String() + `"`
			if typ.Base == diff.JSON {
				again = v.Text()
			}
			if w, err := convert(t, c, again); err != nil || w != v || v.Kind() != typ.Kind() {
				t.Fatalf("%q as %s: got %#v, and again %#v, %v", raw, name, v, w, err)
			}
		}
	})
}

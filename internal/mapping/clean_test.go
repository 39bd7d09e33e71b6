package mapping_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"jstsync/diff"
	"jstsync/internal/mapping"
)

func TestMapper_Row_Clean(t *testing.T) {
	s := diff.TextValue
	for _, tt := range []struct {
		typ, steps, raw string
		want            diff.Value
	}{
		{"VARCHAR(9)", "trim", `"\u3000 a b\t\n"`, s("a b")},
		{"VARCHAR(9)", "collapse_space", `"  a \u3000\tb "`, s(" a b ")},
		{"VARCHAR(9)", "trim collapse_space", `"  a \u3000\tb "`, s("a b")},
		{"VARCHAR(9)", "empty_to_null", `""`, null},
		{"VARCHAR(9)", "empty_to_null", `" "`, s(" ")},
		{"VARCHAR(9)", "trim empty_to_null", `" "`, null},
		{"VARCHAR(9)", "empty_to_null trim", `" "`, s("")},
		{"VARCHAR(9)", "null_to_empty", "null", s("")},
		{"VARCHAR(9)", "null_to_empty", "", s("")},
		{"VARCHAR(9)", "empty_to_null null_to_empty", `""`, s("")},
		{"VARCHAR(9)", "nfc", `"e\u0301"`, s("é")},
		{"VARCHAR(1)", "nfc", `"e\u0301"`, s("é")},
		{"VARCHAR(9)", "upper", `"aß中é"`, s("Aß中É")},
		{"VARCHAR(9)", "lower", `"AÉ中"`, s("aé中")},
		{"VARCHAR(9)", "upper", "1e5", s("1E5")},
		{"VARCHAR(9)", "zero_date_to_null", `"0000-00-00"`, null},
		{"VARCHAR(9)", "zero_date_to_null", `"0000-0-0"`, s("0000-0-0")},
		{"DATETIME", "zero_date_to_null", `"0000-00-00 00:00:00"`, null},
		{"DATETIME(3)", "zero_date_to_null", `"0000-00-00T00:00:00.000"`, null},
		{"DATETIME(3)", "trim zero_date_to_null", `" 0000-00-00 00:00 "`, null},
		{"DATE", "trim", `" 2024-01-02 "`, s("2024-01-02")},
		{"BIGINT", "trim", `" 42 "`, diff.IntValue(42)},
		{"BIGINT", "trim empty_to_null", `"  "`, null},
		{"BIGINT", "trim", "42", diff.IntValue(42)},
		{"BOOL", "lower", `"True"`, diff.IntValue(1)},
		{"DECIMAL(5,2)", "trim", `" 1.5"`, s("1.50")},
		{"JSON", "trim", `" a "`, s(`"a"`)},
		{"JSON", "empty_to_null", `""`, null},
		{"VARCHAR(3)", "truncate", `"abcd"`, s("abc")},
		{"VARCHAR(3)", "truncate", `"abc"`, s("abc")},
		{"VARCHAR(3)", "truncate", "12345", s("123")},
		{"VARCHAR(3)", "truncate", `"店铺名称"`, s("店铺名")},
		{"VARCHAR(3)", "truncate", `"abe\u0301"`, s("ab")},  // e and its accent are one character
		{"VARCHAR(4)", "truncate", `"ab👨‍👩‍👧"`, s("ab")},    // a family is five code points
		{"VARCHAR(2)", "truncate", `"👨‍👩‍👧"`, s("👨\u200d")}, // and cut where it must be
		{"VARCHAR(3)", "truncate", `"🇨🇳🇨🇳"`, s("🇨🇳")},
		{"TEXT", "truncate", `"` + strings.Repeat("中", 21_846) + `"`, s(strings.Repeat("中", 21_845))},
	} {
		t.Run(tt.typ+" "+tt.steps+" "+tt.raw[:min(len(tt.raw), 20)], func(t *testing.T) {
			c := mapping.Column{Column: diff.Column{Type: typed(t, tt.typ)}}
			for step := range strings.FieldsSeq(tt.steps) {
				c.Clean = append(c.Clean, mapping.Step(step))
			}
			if got, err := convert(t, c, tt.raw); err != nil || got != tt.want {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

func TestMapper_Row_Default(t *testing.T) {
	for _, tt := range []struct {
		typ, steps, def, raw string
		want                 diff.Value
	}{
		{"VARCHAR(9)", "", "x", "", diff.TextValue("x")},
		{"VARCHAR(9)", "", "x", "null", diff.TextValue("x")},
		{"VARCHAR(9)", "", "", "null", diff.TextValue("")},
		{"VARCHAR(9)", "", "x", `""`, diff.TextValue("")},
		{"VARCHAR(9)", "empty_to_null", "x", `""`, diff.TextValue("x")},
		{"VARCHAR(9)", "upper", "x", "null", diff.TextValue("x")},
		{"BIGINT", "", "-1", "null", diff.IntValue(-1)},
		{"DECIMAL(5,2)", "", "1.5", "null", diff.TextValue("1.50")},
		{"DATETIME(3)", "", "2024-01-01", `" "`, diff.TextValue("2024-01-01 00:00:00.000")},
		{"BOOL", "", "false", "", diff.IntValue(0)},
		{"JSON", "", ` {"a": 1} `, "", diff.TextValue(`{"a":1}`)},
	} {
		c := mapping.Column{Column: diff.Column{Type: typed(t, tt.typ), Default: &tt.def, NotNull: true}}
		for step := range strings.FieldsSeq(tt.steps) {
			c.Clean = append(c.Clean, mapping.Step(step))
		}
		if got, err := convert(t, c, tt.raw); err != nil || got != tt.want {
			t.Errorf("%s default %q of %s: got %q, %v, want %q", tt.typ, tt.def, tt.raw, got, err, tt.want)
		}
	}
}

// A cut text is a beginning of the text that fits, whose cut says the same.
func TestMapper_Row_Truncate(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		text := rapid.StringOf(rapid.RuneFrom([]rune("ab中é\u0301\u200d👨👩🇨🇳 "))).Draw(r, "text")
		size := rapid.IntRange(1, 8).Draw(r, "size")
		c := mapping.Column{Column: diff.Column{Type: varchar(size)}, Clean: []mapping.Step{mapping.Truncate}}
		got, err := convert(t, c, `"`+text+`"`)
		if err != nil || !strings.HasPrefix(text, got.Text()) || utf8.RuneCountInString(got.Text()) > size || got.Text() == "" && text != "" {
			r.Fatalf("got %q, %v", got, err)
		}
		if again, err := convert(t, c, `"`+got.Text()+`"`); err != nil || again != got {
			r.Fatalf("again: got %q, %v, want %q", again, err, got)
		}
		if n := utf8.RuneCountInString(text); n <= size && got.Text() != text {
			r.Fatalf("got %q though it fits", got)
		}
	})
}

func TestSteps(t *testing.T) {
	steps := mapping.Steps()
	if len(steps) != 9 || slices.Contains(steps, "") {
		t.Errorf("got %q", steps)
	}
}

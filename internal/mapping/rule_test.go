package mapping_test

import (
	"strings"
	"testing"

	"jstsync/diff"
	"jstsync/internal/mapping"
)

func TestRule_Kinds(t *testing.T) {
	notNull := mapping.RuleSpec{NotNull: "n"}
	length := mapping.RuleSpec{Length: "n", Min: "2", Max: "4"}
	numbers := mapping.RuleSpec{Range: "n", Min: "-1.5", Max: "1e2"}
	dates := mapping.RuleSpec{Range: "n", Min: "2024-01-01"}
	days := mapping.RuleSpec{Range: "n", Min: "2024-01-01", Max: "2024-01-31"}
	moments := mapping.RuleSpec{Range: "n", Max: "2024-01-31 12:00:00"}
	regex := mapping.RuleSpec{Regex: "n", Pattern: "^[a-z]+$"}
	oneOf := mapping.RuleSpec{OneOf: "n", Values: []string{"a", "7"}}
	for _, tt := range []struct {
		spec         mapping.RuleSpec
		record, want string
	}{
		{notNull, `""`, ""},
		{notNull, "0", ""},
		{notNull, "null", "rule r: n is null or missing"},
		{length, `"店铺"`, ""},
		{length, "1234", ""},
		{length, `"四个汉字"`, ""},
		{length, `"👍👍"`, ""},
		{length, `"\ud83d\udc4d"`, "rule r: n has 1 character, fewer than 2"},
		{length, `"五个汉字了"`, "rule r: n has 5 characters, more than 4"},
		{length, `"x"`, "rule r: n has 1 character, fewer than 2"},
		{length, `"abcde"`, "rule r: n has 5 characters, more than 4"},
		{length, "null", ""},
		{length, "[1]", "rule r: n [1] is neither a text nor a number"},
		{numbers, "-1.5", ""},
		{numbers, `"100.00"`, ""},
		{numbers, "-1.51", "rule r: n is -1.51, less than -1.5"},
		{numbers, "100.000000000000000000001", "rule r: n is 100.000000000000000000001, more than 1e2"},
		{numbers, "0", ""},
		{numbers, "true", "rule r: n is true, which is no number"},
		{numbers, `"many"`, `rule r: n is "many", which is no number`},
		{dates, `"2024-01-01 00:00:00"`, ""},
		{dates, `"2023-12-31 23:59:59"`, "rule r: n is 2023-12-31 23:59:59, less than 2024-01-01"},
		{dates, `" "`, ""},
		{days, `"2024-01-31 23:59:59.999"`, ""},
		{days, `"2024-02-01"`, "rule r: n is 2024-02-01, more than 2024-01-31"},
		{moments, `"2024-01-31"`, ""},
		{moments, `"2024-01-31 12:00:00.001"`, "rule r: n is 2024-01-31 12:00:00.001, more than 2024-01-31 12:00:00"},
		{dates, `"soon"`, `rule r: n is "soon", which is no date`},
		{regex, `"abc"`, ""},
		{regex, `"abC"`, `rule r: n is "abC", which does not match ^[a-z]+$`},
		{oneOf, `"a"`, ""},
		{oneOf, "7", ""},
		{oneOf, `"b"`, `rule r: n is "b", which is none of the values allowed`},
	} {
		tt.spec.Name, tt.spec.OnFail = "r", "warn"
		rule, err := mapping.CompileRule(tt.spec)
		if err != nil {
			t.Fatal(err)
		}
		if got := rule.Broken(record("n", tt.record)); got != tt.want {
			t.Errorf("%+v of %s:\ngot  %s\nwant %s", tt.spec, tt.record, got, tt.want)
		}
	}
}

func TestCompileRule_Mistakes(t *testing.T) {
	for _, tt := range []struct {
		spec mapping.RuleSpec
		want string
	}{
		{mapping.RuleSpec{}, "rule r: expr: the rule has no condition"},
		{mapping.RuleSpec{Length: "n", Min: "x"}, "rule r: min: it is no number of characters"},
		{mapping.RuleSpec{Length: "n", Min: "2", Max: "1"}, "rule r: min: it is more than max"},
		{mapping.RuleSpec{Range: "n", Max: "x"}, "rule r: max: it is neither a number nor a date"},
		{mapping.RuleSpec{Range: "n", Min: "1", Max: "2024-01-01"}, "rule r: max: one end is a number and the other a date"},
		{mapping.RuleSpec{Range: "n", Min: "10", Max: "9"}, "rule r: min: it is more than max"},
		{mapping.RuleSpec{Regex: "n", Pattern: "("}, "rule r: pattern: error parsing regexp"},
	} {
		tt.spec.Name, tt.spec.OnFail = "r", "fail"
		if _, err := mapping.CompileRule(tt.spec); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%+v: got %v, want %s", tt.spec, err, tt.want)
		}
	}
}

// What a rule says is part of the fingerprint, so that rules which are new or
// changed are held against every record once.
func TestMapper_Fingerprint_Rules(t *testing.T) {
	columns := []mapping.Column{
		{Column: diff.Column{Name: "id", Type: bigint}, From: "id"},
		{Column: diff.Column{Name: "n", Type: bigint}, From: "n"},
	}
	seen := map[string]bool{}
	for _, spec := range []mapping.RuleSpec{
		{NotNull: "n", OnFail: "warn"},
		{NotNull: "n", OnFail: "fail"},
		{NotNull: "id", OnFail: "warn"},
		{Unique: []string{"n"}, OnFail: "warn"},
		{Unique: []string{"n", "id"}, OnFail: "warn"},
		{Length: "n", Min: "1", OnFail: "warn"},
		{Length: "n", Max: "1", OnFail: "warn"},
		{Range: "n", Min: "1", OnFail: "warn"},
		{Regex: "n", Pattern: "1", OnFail: "warn"},
		{OneOf: "n", Values: []string{"1"}, OnFail: "warn"},
		{OneOf: "n", Values: []string{"2"}, OnFail: "warn"},
	} {
		spec.Name = "r"
		rule, err := mapping.CompileRule(spec)
		if err != nil {
			t.Fatal(err)
		}
		m, err := mapping.New("t", columns, []string{"id"}, rule)
		if err != nil {
			t.Fatal(err)
		}
		if seen[m.Fingerprint()] {
			t.Errorf("%+v has the fingerprint of another rule", spec)
		}
		seen[m.Fingerprint()] = true
	}
	unmapped, err := mapping.CompileRule(mapping.RuleSpec{Name: "r", Unique: []string{"n", "m"}, OnFail: "warn"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := mapping.New("t", columns, []string{"id"}, unmapped); err == nil || !strings.Contains(err.Error(), "no column is mapped from m") {
		t.Errorf("got %v, want that m is not mapped", err)
	}
}

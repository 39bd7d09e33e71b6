package mapping_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"jstsync/diff"
	"jstsync/internal/mapping"
)

func compileExpr(t testing.TB, text string) *mapping.Expr {
	t.Helper()
	e, err := mapping.CompileExpr(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return e
}

// evaluate maps a record by an expression into a nullable column.
func evaluate(t testing.TB, typ, text string, r *diff.Record) (diff.Value, error) {
	t.Helper()
	m, err := mapping.New("t", []mapping.Column{
		{Column: diff.Column{Name: "id", Type: bigint, NotNull: true}, From: "id"},
		{Column: diff.Column{Name: "c", Type: typed(t, typ)}, Expr: compileExpr(t, text)},
	}, []string{"id"})
	if err != nil {
		t.Fatal(err)
	}
	r.Members = append(r.Members, diff.Member{Name: "id", Raw: []byte("1")})
	row, err := m.Row(r)
	if err != nil {
		return null, err
	}
	return row[1], nil
}

func sample() *diff.Record {
	return record(
		"name", `" 淘宝 Shop-0103 "`, "nick", "null", "n", "42", "big", "9007199254740993", "huge", "18446744073709551616", "price", "12.34",
		"money", `"12.340"`, "fine", "0.1234567890123456789", "whole", "1.0", "yes", "true", "day", `"2024/02/29 13:14"`, "shop name", `"x"`, "type", `"b2c"`,
		"items", `[{"sku":"a","qty":2},{"sku":"b","qty":3}]`, "obj", `{"b":9007199254740993,"a":{"k":1.5}}`, "empty", "[]", "max", "9223372036854775807",
		"json", `"{\"id\":9007199254740993}"`, "tags", `"a,b,,c"`,
	)
}

func TestExpr(t *testing.T) {
	i, s := diff.IntValue, diff.TextValue
	for _, tt := range []struct {
		typ, text string
		want      diff.Value
	}{
		{"VARCHAR(99)", "name", s(" 淘宝 Shop-0103 ")},
		{"VARCHAR(99)", "trim(name)", s("淘宝 Shop-0103")},
		{"VARCHAR(99)", `upper(trim(name)) + "/" + string(n)`, s("淘宝 SHOP-0103/42")},
		{"VARCHAR(99)", "missing", null},
		{"VARCHAR(99)", "nick", null},
		{"VARCHAR(99)", `nick ?? missing ?? "none"`, s("none")},
		{"VARCHAR(99)", "obj?.c?.d", null},
		{"VARCHAR(99)", "missing?.c.d", null},
		{"VARCHAR(99)", `$env["shop name"] + $env["type"]`, s("xb2c")},
		{"VARCHAR(99)", "substring(trim(name), 1, 3)", s("宝 S")},
		{"VARCHAR(99)", "substring(name, 99, 3)", s("")},
		{"BIGINT", "len(trim(name))", i(12)},
		{"BIGINT", "big", i(9007199254740993)},
		{"BIGINT", "big + 1", i(9007199254740994)},
		{"BIGINT", "obj.b * 2", i(18014398509481986)},
		{"BIGINT", "whole", i(1)},
		{"BIGINT", "round(price * 100)", i(1234)},
		{"BIGINT", "n / 2", i(21)},
		{"BIGINT", "n % 5", i(2)},
		{"BIGINT", "-n", i(-42)},
		{"BIGINT", "sum(map(items, .qty))", i(5)},
		{"BIGINT", "reduce(items, #acc + .qty, 0)", i(5)},
		{"BIGINT", "count(items, .qty > 2)", i(1)},
		{"BIGINT", "number(money) == price ? 1 : 0", i(1)},
		{"BIGINT", "fromJSON(json).id", i(9007199254740993)},
		{"BIGINT", "let a = n + 1; a * a", i(1849)},
		{"VARCHAR(99)", "huge", s("18446744073709551616")},
		{"DECIMAL(30,20)", "fine", s("0.12345678901234567890")},
		{"DECIMAL(12,2)", "price * 2", s("24.68")},
		{"DECIMAL(12,2)", "fixed(0.1 + 0.2, 2)", s("0.30")},
		{"DECIMAL(12,2)", "fixed(price / 3, 2)", s("4.11")},
		{"VARCHAR(9)", "fixed(-1.005, 2)", s("-1.01")},
		{"VARCHAR(9)", "fixed(0.004, 2)", s("0.00")},
		{"VARCHAR(9)", "fixed(-0.0049, 2)", s("0.00")},
		{"VARCHAR(9)", "fixed(0.5, 0)", s("1")},
		{"VARCHAR(9)", "fixed(99.995, 2)", s("100.00")},
		{"VARCHAR(99)", `fixed("123456789012345678901234567890.125", 2)`, s("123456789012345678901234567890.13")},
		{"VARCHAR(99)", "fixed(nick, 2)", null},
		{"BOOL", "yes and n > 41", i(1)},
		{"BOOL", `name contains "Shop"`, i(1)},
		{"BOOL", `name matches "^ ?淘宝"`, i(1)},
		{"BOOL", `$env["type"] in ["b2b", "c2c"]`, i(0)},
		{"BOOL", "nick == nil", i(1)},
		{"BOOL", "obj == obj", i(1)},
		{"DATETIME(3)", `parseDate(day, "YYYY/MM/DD hh:mm")`, s("2024-02-29 13:14:00.000")},
		{"DATETIME(3)", `parseDate("20240229131415.5", "YYYYMMDDhhmmss")`, s("2024-02-29 13:14:15.500")},
		{"DATE", `parseDate("2024年02月29日", "YYYY年MM月DD日")`, s("2024-02-29")},
		{"DATE", `parseDate(nick, "YYYY")`, null},
		{"VARCHAR(99)", `regexFind(name, "[0-9]+")`, s("0103")},
		{"VARCHAR(99)", `regexFind(name, "Shop-(0*)([0-9]+)")`, s("0")},
		{"VARCHAR(99)", `regexFind(name, "z")`, null},
		{"VARCHAR(99)", `trim(name) | regexReplace("([a-z]+)-", "<$1>")`, s("淘宝 S<hop>0103")},
		{"VARCHAR(99)", `regexReplace("abc", "", "-")`, s("-a-b-c-")},
		{"VARCHAR(99)", `replace("a.b.c", ".", "/")`, s("a/b/c")},
		{"VARCHAR(64)", `sha256("abc")`, s("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")},
		{"VARCHAR(99)", `join(filter(split(tags, ","), len(#) > 0), "|")`, s("a|b|c")},
		{"VARCHAR(99)", `join(map(items, .sku), "")`, s("ab")},
		{"VARCHAR(99)", "string(obj)", s(`{"a":{"k":1.5},"b":9007199254740993}`)},
		{"VARCHAR(99)", "string(yes)", s("true")},
		{"JSON", "obj", s(`{"a":{"k":1.5},"b":9007199254740993}`)},
		{"JSON", `{"z": n, "a": [name, nil, empty, split(tags, ",")]}`, s(`{"a":[" 淘宝 Shop-0103 ",null,[],["a","b","","c"]],"z":42}`)},
		{"JSON", "items[0].sku", s(`"a"`)},
		{"JSON", "sort([3, 1, 2])", s("[1,2,3]")},
		{"VARCHAR(9)", `if n > 40 { "many" } else { "few" }`, s("many")},
	} {
		t.Run(tt.text, func(t *testing.T) {
			if got, err := evaluate(t, tt.typ, tt.text, sample()); err != nil || got != tt.want {
				t.Errorf("got %#v, %v, want %#v", got, err, tt.want)
			}
		})
	}
}

// What goes wrong in an expression is an error of that record.
func TestExpr_RecordErrors(t *testing.T) {
	deep := `map(many, ` + strings.Repeat("map(many, ", 5) + "1" + strings.Repeat(")", 6)
	for _, tt := range []struct{ typ, text, want string }{
		{"BIGINT", `$env["max"] + 1`, "its arithmetic goes beyond integers of 64 bits"},
		{"BIGINT", `-1 - $env["max"]`, "its arithmetic goes beyond integers of 64 bits"},
		{"BIGINT", `$env["max"] * 2`, "its arithmetic goes beyond integers of 64 bits"},
		{"BIGINT", `sum([$env["max"], 1])`, "its arithmetic goes beyond integers of 64 bits"},
		{"BIGINT", "big + 0.5", "its arithmetic would round an integer of more than 53 bits"},
		{"BIGINT", "big / 2", "its arithmetic would round an integer of more than 53 bits"},
		{"BIGINT", "n / 0", "it divides by zero"},
		{"BIGINT", "n % (n - 42)", "integer divide by zero"},
		{"BIGINT", "n + name", "it calculates a number + a text"},
		{"BIGINT", "n + nick", "it calculates a number + nil"},
		{"BIGINT", `name - nick`, "it calculates a text - nil"},
		{"BIGINT", "huge + 1", "it calculates a text + a number"},
		{"BIGINT", "n / 4", "10.5 is not an integer"},
		{"BIGINT", "name", `" 淘宝 Shop-0103 " is not an integer`},
		{"BIGINT", "nick.x", "cannot fetch x from <nil>"},
		{"BIGINT", "number(name)", "is not a number"},
		{"BIGINT", `sum(["1"])`, "it uses a text where a number is needed"},
		{"BIGINT", "sum(n)", "it uses a number where a list is needed"},
		{"DECIMAL(12,2)", "0.1 + 0.2", "0.30000000000000004 has more digits behind the point than the column stores"},
		{"VARCHAR(99)", "yes", "true is neither a text nor a number"},
		{"VARCHAR(99)", "obj", "is neither a text nor a number"},
		{"VARCHAR(9)", "name", "is too long"},
		{"VARCHAR(9)", "name[1]", "uint8"},
		{"VARCHAR(9)", "fixed(name, 2)", "is not a number that fixed takes"},
		{"VARCHAR(9)", "fixed(n, 31)", "fixed takes 0 to 30 digits"},
		{"VARCHAR(9)", "fixed(n, price)", "it uses a number where a whole number is needed"},
		{"VARCHAR(9)", "substring(name, -1, 2)", "substring takes no negative numbers"},
		{"VARCHAR(9)", "fromJSON(name)", "is no JSON"},
		{"VARCHAR(9)", `parseDate(name, "YYYY-MM-DD")`, `is not a date like "YYYY-MM-DD"`},
		{"VARCHAR(9)", "broken", "member broken: \"\\ud800\" cannot be read"},
		{"VARCHAR(9)", "large", "the members it reads have more than 1048576 bytes"},

		{"BIGINT", deep, "it takes too much work"},
		{"BIGINT", "count(many, # in many)", "it takes too much work"},
		{"BIGINT", "count(many, many == many)", "it takes too much work"},
		{"BIGINT", "len(map(many, upper(long)))", "it takes too much work"},
		{"BIGINT", "len(reduce(many, #acc + #acc, long))", "it takes too much work"},
		{"BIGINT", `len(reduce(many, concat(#acc, #acc), many))`, "it takes too much work"},
		{"BIGINT", "len(replace(long, \"\", long))", "it takes too much work"},
		{"BIGINT", "len(regexReplace(long, \".*\", long))", "it takes too much work"},
		{"BIGINT", "len(join(many, long))", "it takes too much work"},
		{"BIGINT", "len(string(map(many, long)))", "it takes too much work"},
	} {
		t.Run(tt.text[:min(len(tt.text), 60)], func(t *testing.T) {
			r := sample()
			r.Members = append(r.Members,
				diff.Member{Name: "broken", Raw: []byte(`"\ud800"`)},
				diff.Member{Name: "large", Raw: []byte(`"` + strings.Repeat("a", 1<<20) + `"`)},
				diff.Member{Name: "long", Raw: []byte(`"` + strings.Repeat("$0", 50_000) + `"`)},
				diff.Member{Name: "many", Raw: []byte("[" + strings.Repeat(`"a",`, 9_999) + `"a"]`)})
			start := time.Now()
			got, err := evaluate(t, tt.typ, tt.text, r)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasSuffix(err.Error(), "(column c "+tt.typ+")") {
				t.Errorf("got %q, %v, want an error with %s", got, err, tt.want)
			}
			if err != nil && (strings.Contains(err.Error(), "\n") || !strings.HasPrefix(err.Error(), "expression: ")) {
				t.Errorf("got %q, want one line of an expression", err)
			}
			if took := time.Since(start); took > 3*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}

func TestCompileExpr_Errors(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", "unexpected token EOF"},
		{"name +", "unexpected token EOF"},
		{`"a" - 1`, "invalid operation: - (mismatched types string and int); give it values of one type, with string(…) or number(…) (character 5)"},
		{"len(1, 2)", "invalid number of arguments (expected 1, got 2)"},
		{`sha256()`, "not enough arguments to call sha256"},
		{"now()", "there is no function now; there are abs, all"},
		{`date("2024-01-01")`, "there is no function date;"},
		{`1 + timezone("x")`, "there is no function timezone;"},
		{"::sum(a)", "there is no function sum;"},
		{"sortBy(items, .qty)", "there is no function sortBy;"},
		{"groupBy(items, .qty)", "there is no function groupBy;"},
		{"keys(obj)", "there is no function keys;"},
		{`repeat("x", 99)`, "there is no function repeat;"},
		{"name.foo()", "a member cannot be called"},
		{"$env", "$env is offered with a name alone"},
		{"$env[name]", "$env is offered with a name alone"},
		{`get($env, "name")`, "$env is offered with a name alone"},
		{`"x" in $env`, "$env is offered with a name alone"},
		{"type == 1", `type is a function; for the member of that name write $env["type"]`},
		{"string + 1", `string is a function; for the member of that name write $env["string"]`},
		{"1..9", "ranges are not offered"},
		{"2 ** 3", "powers are not offered"},
		{"name[1:2]", "a slice counts bytes; write substring(text, from, length)"},
		{`name matches nick`, "what stands behind matches must be a text between quotes"},
		{`name matches "("`, "error parsing regexp"},
		{`regexFind(name, nick)`, "argument 2 of regexFind must be a text between quotes"},
		{`regexFind(name, "(")`, "error parsing regexp: missing closing )"},
		{`parseDate(day, "2006-01-02")`, `is made of YYYY, MM, DD, hh, mm, ss and signs`},
		{`parseDate(day, nick)`, "argument 2 of parseDate must be a text between quotes"},
		{"if", "unexpected token"},
		{strings.Repeat("1+", 1000) + "1", "exceeds maximum allowed nodes"},
		{strings.Repeat("(", 10_001), "it is longer than 10000 bytes"},
	} {
		t.Run(tt.text[:min(len(tt.text), 40)], func(t *testing.T) {
			e, err := mapping.CompileExpr(tt.text)
			wrong, ok := errors.AsType[*mapping.MistakeError](err)
			if !ok || wrong.Remedy == "" || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") || e != nil {
				t.Errorf("got %v, want one line with %s", err, tt.want)
			}
		})
	}
}

// The place of a mistake counts characters over all lines of the text.
func TestCompileExpr_At(t *testing.T) {
	for _, tt := range []struct {
		text string
		want int
	}{
		{`"店铺" - 1`, 6}, {"店铺 + (", 6}, {"nick\n= 1", 6}, {`foo(1)`, 1}, {`nick + now()`, 8}, {`nick[1:2]`, 5}, {strings.Repeat("(", 10_001), 0},
	} {
		_, err := mapping.CompileExpr(tt.text)
		wrong, ok := errors.AsType[*mapping.MistakeError](err)
		if !ok || wrong.At != tt.want {
			t.Errorf("%.40q: got %v, want character %d", tt.text, err, tt.want)
		}
	}
}

func TestExpr_Members(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"1", "[]"},
		{"b + a + b", "[a b]"},
		{`obj.x.y[k] + $env["shop name"]`, "[k obj shop name]"},
		{"filter(items, .qty > min_qty) | len()", "[items min_qty]"},
		{`sha256(name) + regexFind(nick, "a")`, "[name nick]"},
		{`$env?.a`, "[a]"},
	} {
		e := compileExpr(t, tt.text)
		if got := fmt.Sprint(e.Members()); got != tt.want || e.String() != tt.text {
			t.Errorf("%s: got %s of %s, want %s", tt.text, got, e, tt.want)
		}
	}
}

// The members that expressions and rules read are part of the source hash.
func TestMapper_Hash_Expressions(t *testing.T) {
	rule, err := mapping.CompileRule(mapping.RuleSpec{Name: "r", Expr: "state == 1", OnFail: "warn"})
	if err != nil {
		t.Fatal(err)
	}
	m, err := mapping.New("t", []mapping.Column{
		{Column: diff.Column{Name: "id", Type: bigint}, From: "id"},
		{Column: diff.Column{Name: "c", Type: bigint}, Expr: compileExpr(t, "a + obj.b")},
	}, []string{"id"}, rule)
	if err != nil {
		t.Fatal(err)
	}
	members := []string{"id", "1", "a", "1", "obj", `{"b":1}`, "state", "1", "other", "1"}
	hash := hashing(m)
	want := hash(record(members...))
	for i, differs := range map[int]bool{1: true, 3: true, 5: true, 7: true, 9: false} {
		edited := slices.Clone(members)
		edited[i] = "2"
		if got := hash(record(edited...)) != want; got != differs {
			t.Errorf("%s: another hash: got %t, want %t", edited[i-1], got, differs)
		}
	}
}

func TestMapper_Row_Concurrent(t *testing.T) {
	e := compileExpr(t, `regexReplace(name, "[0-9]", "#") + string(sum(map(items, .qty)))`)
	m, err := mapping.New("t", []mapping.Column{
		{Column: diff.Column{Name: "id", Type: bigint}, From: "n"},
		{Column: diff.Column{Name: "c", Type: varchar(99)}, Expr: e},
	}, []string{"n"})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				if row, err := m.Row(sample()); err != nil || row[1].Text() != " 淘宝 Shop-#### 5" {
					t.Errorf("got %v, %v", row, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestRule(t *testing.T) {
	for _, tt := range []struct {
		text, record, want string
	}{
		{"n > 1", "2", ""},
		{"n > 1", "1", "rule r: n > 1 is false"},
		{"n", "true", ""},
		{"n", "1", "rule r: it gives a number, not true or false"},
		{"n > 1", "null", "rule r: "},
	} {
		rule, err := mapping.CompileRule(mapping.RuleSpec{Name: "r", Expr: tt.text, OnFail: "quarantine"})
		if err != nil {
			t.Fatal(err)
		}
		if got := rule.Broken(record("n", tt.record)); (got == "") != (tt.want == "") || !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s of %s: got %q, want %q", tt.text, tt.record, got, tt.want)
		}
	}
	for _, tt := range []struct{ expr, onFail, want string }{
		{"n +", "warn", "rule r: expr: unexpected token EOF"},
		{"1 + 1", "warn", "rule r: expr: it gives a int, not true or false; compare it with something"},
		{"true", "stop", `rule r: on_fail: "stop" is not known; use warn, quarantine or fail`},
	} {
		if _, err := mapping.CompileRule(mapping.RuleSpec{Name: "r", Expr: tt.expr, OnFail: tt.onFail}); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", tt.expr, err, tt.want)
		}
	}
}

// Whatever is written compiles or is refused, and what compiles gives the same
// for the same record, in time.
func FuzzCompileExpr(f *testing.F) {
	for _, text := range []string{
		`upper(trim(name)) + "/" + string(n)`, "let a = n + 1; a * a", "reduce(items, #acc + .qty, 0)", `$env["shop name"] ?? nick?.a.b[0]`,
		`regexReplace(name, "[a-z]", "$0") matches "x"`, "if n > 1 { [1, {a: 2.5}] } else { nil }", `name | split(",") | map(len(#)) | sum()`, "fixed(price / 3, n) in items",
		`not (n % 5 == 0 or yes) and "a" startsWith name`, `parseDate(day, "YYYY/MM/DD hh:mm")`, "sort(map(items, .sku))[-1]", "take(tags, 3)", "-9223372036854775807 - 1",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := mapping.CompileExpr(text)
		if err != nil {
			wrong, ok := errors.AsType[*mapping.MistakeError](err)
			if !ok || wrong.Message == "" || wrong.Remedy == "" || wrong.At < 0 || wrong.At > utf8.RuneCountInString(text)+1 {
				t.Fatalf("got %#v, want a mistake within the text, with a remedy", err)
			}
			return
		}
		m, err := mapping.New("t", []mapping.Column{
			{Column: diff.Column{Name: "id", Type: bigint}, From: "n"},
			{Column: diff.Column{Name: "c", Type: diff.Type{Base: diff.JSON}}, Expr: e},
		}, []string{"n"})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		first, err := m.Row(sample())
		if took := time.Since(start); took > 5*time.Second {
			t.Fatalf("took %s", took)
		}
		second, again := m.Row(sample())
		if fmt.Sprint(err) != fmt.Sprint(again) || !slices.Equal(first, second) {
			t.Fatalf("got %v, %v, and again %v, %v", first, err, second, again)
		}
	})
}

package mapping_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"jstsync/diff"
	"jstsync/internal/mapping"
)

func TestCompile(t *testing.T) {
	def := "0"
	columns, errs := mapping.Compile([]mapping.Spec{
		{Name: "shop_id", Type: "bigint"},
		{Name: "title", From: "shop_name", Type: "VARCHAR(50)", Nullable: true, Comment: "店铺名称", Clean: []string{"trim", "empty_to_null"}},
		{Name: "level", Type: "INT", Default: &def, Nullable: true, Expr: "group_id / 100"},
	})
	if errs != nil {
		t.Fatal(errs)
	}
	m, err := mapping.New("t", columns, []string{"shop_id"})
	if err != nil {
		t.Fatal(err)
	}
	row, err := m.Row(record("shop_id", "7", "shop_name", `" a "`, "group_id", "300"))
	if want := (diff.Row{diff.IntValue(7), diff.TextValue("a"), diff.IntValue(3)}); err != nil || len(row) != 3 || row[0] != want[0] || row[1] != want[1] || row[2] != want[2] {
		t.Errorf("got %v, %v, want %v", row, err, want)
	}
	got := m.Table().Columns[2]
	if c := m.Table().Columns[1]; got.Default == nil || *got.Default != "0" || got.NotNull || c.Comment != "店铺名称" || !m.Table().Columns[0].NotNull {
		t.Errorf("got columns %+v", m.Table().Columns)
	}
	if m.Table().Shape() == "" || columns[1].From != "shop_name" || columns[0].From != "shop_id" || columns[2].From != "" {
		t.Errorf("got %+v", columns)
	}
}

func TestCompile_Errors(t *testing.T) {
	text := func(s string) *string { return &s }
	for _, tt := range []struct {
		spec  mapping.Spec
		field string
		item  int
		want  string
	}{
		{mapping.Spec{Type: "INT"}, "name", -1, "column number 2: name: it is missing; name the column"},
		{mapping.Spec{Name: strings.Repeat("x", 65), Type: "INT"}, "name", -1, "it is too long; MySQL takes 64 characters"},
		{mapping.Spec{Name: "x ", Type: "INT"}, "name", -1, "no blank at the end"},
		{mapping.Spec{Name: "😀", Type: "INT"}, "name", -1, "no character such as an emoji"},
		{mapping.Spec{Name: "ID", Type: "INT"}, "name", -1, "column 1 has that name already"},
		{mapping.Spec{Name: "c", Type: ""}, "type", -1, "column c: type: type \"\": there is no such type; use BIGINT"},
		{mapping.Spec{Name: "c", Type: "VARCHAR"}, "type", -1, "write it like VARCHAR(255)"},
		{mapping.Spec{Name: "c", Type: "INT", Comment: strings.Repeat("店", 1025)}, "comment", -1, "MySQL takes 1024 characters"},
		{mapping.Spec{Name: "c", Type: "INT", From: "a", Expr: "b"}, "expr", -1, "the column has from as well; keep one of them"},
		{mapping.Spec{Name: "c", Type: "INT", Expr: "b +"}, "expr", -1, "column c: expr: unexpected token EOF"},
		{mapping.Spec{Name: "c", Type: "INT", Expr: "b == 1"}, "expr", -1, "it gives a bool, which a INT column does not take; change the type or the expression"},
		{mapping.Spec{Name: "c", Type: "DATE", Expr: "1 + 1"}, "expr", -1, "it gives a int, which a DATE column does not take"},
		{mapping.Spec{Name: "c", Type: "TEXT", Expr: "[1]"}, "expr", -1, "which a TEXT column does not take"},
		{mapping.Spec{Name: "c", Type: "INT", Clean: []string{"trim", "strip"}}, "clean", 1, `there is no step "strip"; there are trim collapse_space empty_to_null null_to_empty nfc upper lower zero_date_to_null truncate`},
		{mapping.Spec{Name: "c", Type: "INT", Clean: []string{"null_to_empty"}}, "clean", 0, "null_to_empty is for VARCHAR and TEXT columns, this one is INT; leave it out"},
		{mapping.Spec{Name: "c", Type: "JSON", Clean: []string{"truncate"}}, "clean", 0, "truncate is for VARCHAR and TEXT columns"},
		{mapping.Spec{Name: "c", Type: "TEXT", Clean: []string{"null_to_empty"}, Default: text("x")}, "clean", 0, "leaves nothing for the default"},
		{mapping.Spec{Name: "c", Type: "INT", Default: text("x")}, "default", -1, `"x" is not an integer; write a value that a INT column stores`},
		{mapping.Spec{Name: "c", Type: "DATETIME", Default: text("CURRENT_TIMESTAMP")}, "default", -1, `"CURRENT_TIMESTAMP" is not a date`},
		{mapping.Spec{Name: "c", Type: "DATE", Default: text("")}, "default", -1, "is NULL, which a column without a default has anyway"},
		{mapping.Spec{Name: "c", Type: "VARCHAR(2)", Default: text("abc")}, "default", -1, `"abc" is too long`},
		{mapping.Spec{Name: "c", Type: "JSON", Default: text("{")}, "default", -1, "{ is no JSON; write a JSON value such as '{}'"},
		{mapping.Spec{Name: "c", Type: "DECIMAL(3,1)", Default: text("1.25")}, "default", -1, "has more digits behind the point"},
	} {
		t.Run(tt.want, func(t *testing.T) {
			columns, errs := mapping.Compile([]mapping.Spec{{Name: "id", Type: "BIGINT"}, tt.spec})
			if len(errs) != 1 || columns != nil {
				t.Fatalf("got %v, want one error", errs)
			}
			var at *mapping.SpecError
			if !errors.As(errs[0], &at) || at.Kind != "column" || at.Index != 1 || at.Field != tt.field || at.Item != tt.item || !strings.Contains(at.Error(), tt.want) {
				t.Errorf("got %+v: %v, want %s %d: %s", at, errs[0], tt.field, tt.item, tt.want)
			}
		})
	}
	_, errs := mapping.Compile([]mapping.Spec{
		{Name: "a", Type: "INT", Clean: []string{"x", "y"}}, {Name: "b", Type: "INTEGER", Expr: "1 +", Clean: []string{"truncate"}}, {Name: "c", Type: "INT"},
	})
	if len(errs) != 4 {
		t.Errorf("got %d errors, want 4: %v", len(errs), errs)
	}
}

// One broken column hides neither those of the others nor of the key.
func TestCheck(t *testing.T) {
	def := "1"
	errs := mapping.Check([]mapping.Spec{
		{Name: "a", Type: "BIGINT", Clean: []string{"trim"}}, {Name: "b", Type: "INT", Expr: "1 +"}, {Name: "c", Type: "JSON"}, {Name: "d", Type: "INT", Default: &def},
	}, []string{"a", "b", "c", "d", "e"})
	var got []string
	for _, err := range errs {
		at, ok := errors.AsType[*mapping.SpecError](err)
		if !ok || at.Err.Remedy == "" {
			t.Fatalf("got %v, want a SpecError with a remedy", err)
		}
		got = append(got, fmt.Sprintf("%s %d %s: %s", at.Kind, at.Index, at.Field, at.Err.Message))
	}
	want := []string{
		"column 1 expr: unexpected token EOF",
		"column 0 clean: column a has cleaning steps or a default, which would change keys",
		"key 1 : no column is mapped from it",
		"column 2 type: column c is JSON, which MySQL takes for no key",
		"column 3 default: column d has cleaning steps or a default, which would change keys",
		"key 4 : no column is mapped from it",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if errs := mapping.Check([]mapping.Spec{{Name: "a", Type: "BIGINT"}}, []string{"a"}); errs != nil {
		t.Errorf("got %v, want none", errs)
	}
}

func TestNew_KeyColumns(t *testing.T) {
	def := "1"
	for _, tt := range []struct {
		column mapping.Column
		want   string
	}{
		{mapping.Column{From: "id", Clean: []mapping.Step{mapping.Lower}}, "key id: column k has cleaning steps or a default, which would change keys; remove them, and clean in another column"},
		{mapping.Column{From: "id", Column: diff.Column{Default: &def}}, "key id: column k has cleaning steps or a default"},
		{mapping.Column{From: "id", Column: diff.Column{Type: diff.Type{Base: diff.JSON}}}, "key id: column k is JSON, which MySQL takes for no key; use VARCHAR(n)"},
		{mapping.Column{Expr: compileExpr(t, "id")}, "key id: no column is mapped from it"},
	} {
		c := tt.column
		c.Name = "k"
		if c.Type.Base == "" {
			c.Type = varchar(9)
		}
		if m, err := mapping.New("t", []mapping.Column{c}, []string{"id"}); err == nil || !strings.HasPrefix(err.Error(), tt.want) || m != nil {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
}

// The mapper does not share what the caller goes on editing.
func TestNew_Clones(t *testing.T) {
	columns, key := mapping.Shops()
	columns[1].Clean = []mapping.Step{mapping.Trim}
	m, err := mapping.New("t", columns, key)
	if err != nil {
		t.Fatal(err)
	}
	want := m.Fingerprint()
	columns[1].Clean[0], columns[2].From = mapping.Upper, "other"
	if got := m.Fingerprint(); got != want {
		t.Errorf("got another fingerprint")
	}
	row, err := m.Row(record("shop_id", "1", "shop_name", `" a "`, "co_id", "5"))
	if err != nil || row[1].Text() != "a" || row[2].Int() != 5 {
		t.Errorf("got %v, %v", row, err)
	}
}

func TestMapper_Fingerprint_Specs(t *testing.T) {
	spec := mapping.Spec{Name: "c", Type: "VARCHAR(20)", Nullable: true}
	text := func(s string) *string { return &s }
	seen := map[string]string{}
	for name, edit := range map[string]func(*mapping.Spec){
		"plain":         func(*mapping.Spec) {},
		"type":          func(s *mapping.Spec) { s.Type = "TEXT" },
		"not null":      func(s *mapping.Spec) { s.Nullable = false },
		"from":          func(s *mapping.Spec) { s.From = "d" },
		"expr":          func(s *mapping.Spec) { s.Expr = "c" },
		"another expr":  func(s *mapping.Spec) { s.Expr = "d" },
		"clean":         func(s *mapping.Spec) { s.Clean = []string{"trim", "upper"} },
		"another order": func(s *mapping.Spec) { s.Clean = []string{"upper", "trim"} },
		"empty default": func(s *mapping.Spec) { s.Default = text("") },
		"default":       func(s *mapping.Spec) { s.Default = text("x") },
		"quotes":        func(s *mapping.Spec) { s.Default = text(`x" expr "c`) },
	} {
		s := spec
		edit(&s)
		columns, errs := mapping.Compile([]mapping.Spec{{Name: "id", Type: "BIGINT"}, s})
		if errs != nil {
			t.Fatal(errs)
		}
		m, err := mapping.New("t", columns, []string{"id"})
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := seen[m.Fingerprint()]; ok {
			t.Errorf("%s has the fingerprint of %s", name, other)
		}
		seen[m.Fingerprint()] = name
	}
}

package diff_test

import (
	"errors"
	"slices"
	"testing"

	"jstsync/diff"
)

func TestType_String(t *testing.T) {
	for _, tt := range []struct {
		typ  diff.Type
		want string
		kind diff.Kind
	}{
		{diff.Type{Base: diff.BigInt}, "BIGINT", diff.Int},
		{diff.Type{Base: diff.VarChar, Size: 255}, "VARCHAR(255)", diff.Text},
		{diff.Type{Base: diff.DateTime}, "DATETIME", diff.Text},
		{diff.Type{Base: diff.DateTime, Size: 3}, "DATETIME(3)", diff.Text},
	} {
		if got := tt.typ.String(); got != tt.want {
			t.Errorf("String: got %s, want %s", got, tt.want)
		}
		if got := tt.typ.Kind(); got != tt.kind {
			t.Errorf("Kind of %s: got %d, want %d", tt.want, got, tt.kind)
		}
	}
}

func table() *diff.Table {
	return &diff.Table{Name: "t", Key: []int{2, 0}, Columns: []diff.Column{
		{Name: "id", Type: diff.Type{Base: diff.BigInt}, NotNull: true},
		{Name: "name", Type: diff.Type{Base: diff.VarChar, Size: 10}},
		{Name: "site", Type: diff.Type{Base: diff.VarChar, Size: 20}},
	}}
}

func TestTable_KeyOf(t *testing.T) {
	tab := table()
	got, err := tab.KeyOf(diff.Row{diff.IntValue(5), {}, diff.TextValue("淘宝/1")})
	if want := "淘宝%2F1/5"; err != nil || got.String() != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	if back, err := diff.ParseKey(got.String(), tab.KeyKinds()...); err != nil || back != got {
		t.Errorf("ParseKey with KeyKinds: got %s, %v, want %s", back, err, got)
	}
	if _, err := tab.KeyOf(diff.Row{diff.IntValue(5), {}, {}}); !errors.Is(err, diff.ErrKey) {
		t.Errorf("of a NULL part: got %v, want ErrKey", err)
	}
	if got, want := tab.Names(), []string{"id", "name", "site"}; !slices.Equal(got, want) {
		t.Errorf("Names: got %v, want %v", got, want)
	}
}

func TestTable_Shape(t *testing.T) {
	want := table().Shape()
	for name, tt := range map[string]struct {
		edit func(*diff.Table)
		same bool
	}{
		"nothing":            {func(*diff.Table) {}, true},
		"a comment":          {func(t *diff.Table) { t.Columns[0].Comment = "编号" }, true},
		"the table's name":   {func(t *diff.Table) { t.Name = "u" }, true},
		"a column's name":    {func(t *diff.Table) { t.Columns[0].Name = "ID" }, false},
		"a type":             {func(t *diff.Table) { t.Columns[0].Type = diff.Type{Base: diff.VarChar, Size: 20} }, false},
		"a size":             {func(t *diff.Table) { t.Columns[1].Type.Size++ }, false},
		"nullable":           {func(t *diff.Table) { t.Columns[0].NotNull = false }, false},
		"order of columns":   {func(t *diff.Table) { t.Columns[0], t.Columns[1] = t.Columns[1], t.Columns[0] }, false},
		"a column less":      {func(t *diff.Table) { t.Columns = t.Columns[:2] }, false},
		"order of the key":   {func(t *diff.Table) { t.Key = []int{0, 2} }, false},
		"another key":        {func(t *diff.Table) { t.Key = []int{0} }, false},
		"a name with quotes": {func(t *diff.Table) { t.Columns[0].Name = "id\" BIGINT true\n" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			tab := table()
			tt.edit(tab)
			if got := tab.Shape() == want; got != tt.same {
				t.Errorf("same shape: got %t, want %t", got, tt.same)
			}
		})
	}
}

func TestValue(t *testing.T) {
	for _, tt := range []struct {
		v    diff.Value
		kind diff.Kind
		want string
	}{
		{diff.Value{}, diff.Null, "NULL"},
		{diff.IntValue(-9007199254740993), diff.Int, "-9007199254740993"},
		{diff.TextValue(""), diff.Text, ""},
		{diff.TextValue("NULL"), diff.Text, "NULL"},
	} {
		if tt.v.Kind() != tt.kind || tt.v.String() != tt.want || tt.v.IsNull() != (tt.kind == diff.Null) {
			t.Errorf("got kind %d, %q, null %t, want kind %d, %q", tt.v.Kind(), tt.v, tt.v.IsNull(), tt.kind, tt.want)
		}
	}
	if diff.TextValue("") == (diff.Value{}) || diff.IntValue(0) == (diff.Value{}) || diff.TextValue("0") == diff.IntValue(0) {
		t.Error("values of different kinds are equal")
	}
}

func TestRecord_Member(t *testing.T) {
	r := &diff.Record{Members: []diff.Member{{Name: "a", Raw: []byte("1")}, {Name: "b", Raw: []byte("null")}, {Name: "a", Raw: []byte("2")}}}
	for name, want := range map[string]string{"a": "1", "b": "null"} {
		if got := string(r.Member(name)); got != want {
			t.Errorf("Member(%s): got %s, want %s", name, got, want)
		}
	}
	if got := r.Member("A"); got != nil {
		t.Errorf("Member(A): got %s, want none", got)
	}
	for name, want := range map[string]int{"a": 2, "b": 1, "c": 0} {
		if got := r.Count(name); got != want {
			t.Errorf("Count(%s): got %d, want %d", name, got, want)
		}
	}
}

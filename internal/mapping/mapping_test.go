package mapping_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"jstsync/diff"
	"jstsync/internal/mapping"
)

func shops(t testing.TB) *mapping.Mapper {
	t.Helper()
	columns, key := mapping.Shops()
	m, err := mapping.New("jst_shops", columns, key)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestShops(t *testing.T) {
	want := `
shop_id BIGINT NOT NULL shop_id 店铺编号
shop_name VARCHAR(255) shop_name 店铺名称
co_id BIGINT co_id 公司编号
shop_site VARCHAR(255) shop_site 店铺站点
shop_url VARCHAR(1024) shop_url 店铺网址
created DATETIME(3) created 创建时间
nick VARCHAR(255) nick 主账号
session_expired VARCHAR(64) session_expired 授权过期时间
session_expires_at DATETIME(3) session_expired or NULL 授权过期时间
session_uid VARCHAR(255) session_uid 会话用户编号
short_name VARCHAR(255) short_name 店铺简称
group_id BIGINT group_id 分组编号
group_name VARCHAR(255) group_name 分组名称
`
	columns, key := mapping.Shops()
	var got strings.Builder
	for i := range columns {
		c := &columns[i]
		got.WriteString("\n" + c.Name + " " + c.Type.String())
		if c.NotNull {
			got.WriteString(" NOT NULL")
		}
		got.WriteString(" " + c.From)
		if c.DateOrNull {
			got.WriteString(" or NULL")
		}
		got.WriteString(" " + c.Comment)
	}
	if got.WriteString("\n"); got.String() != want {
		t.Errorf("columns: got %s, want %s", got.String(), want)
	}
	if want := []string{"shop_id"}; !reflect.DeepEqual(key, want) {
		t.Errorf("key: got %v, want %v", key, want)
	}
}

func TestMapper_Row(t *testing.T) {
	m := shops(t)
	got, err := m.Row(record(
		"shop_name", `"0103\u6d4b\u8bd5\u5e97\u94fa"`, "shop_id", "10394533", "unknown", `{"a":[1]}`, "co_id", `"10170"`, "shop_site", `"淘宝天猫"`,
		"shop_url", "null", "created", `"2021-03-04 05:06:07"`, "session_expired", `"永久授权"`, "session_uid", `""`, "group_id", "0",
	))
	s, null := diff.TextValue, diff.Value{}
	want := diff.Row{
		diff.IntValue(10394533), s("0103测试店铺"), diff.IntValue(10170), s("淘宝天猫"), null, s("2021-03-04 05:06:07.000"), null,
		s("永久授权"), null, s(""), null, diff.IntValue(0), null,
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	if got, want := m.Table().Names()[8], "session_expires_at"; got != want {
		t.Errorf("column 8: got %s, want %s", got, want)
	}
	broken := record("shop_id", "1")
	broken.Err = errors.New("bad UTF-8")
	if row, err := m.Row(broken); !errors.Is(err, broken.Err) || row != nil {
		t.Errorf("of a broken record: got %v, %v, want its error", row, err)
	}
}

func TestMapper_Key(t *testing.T) {
	single := shops(t)
	pair, err := mapping.New("t", []mapping.Column{
		{Column: diff.Column{Name: "n", Type: bigint}, From: "num"},
		{Column: diff.Column{Name: "c", Type: varchar(300)}, From: "code"},
	}, []string{"code", "num"})
	if err != nil {
		t.Fatal(err)
	}
	failed := func(r *diff.Record) *diff.Record { r.Err = errors.New("a duplicate member"); return r }
	for _, tt := range []struct {
		name   string
		m      *mapping.Mapper
		record *diff.Record
		want   string // the key, or the error
		ok     bool
	}{
		{"number", single, record("shop_id", "10394533"), "10394533", true},
		{"text of digits", single, record("shop_id", `"10394533"`), "10394533", true},
		{"pair in the key's order", pair, record("num", "5", "code", `"a/b"`), "a%2Fb/5", true},
		{"a broken record with a good key", single, failed(record("shop_id", "1", "nick", `"\ud800"`, "nick", "1")), "1", true},

		{"missing", single, record("shop_name", `"x"`), "unreadable key: member shop_id: a missing value is NULL, which the column does not take (column shop_id BIGINT)", false},
		{"null", single, record("shop_id", "null"), "unreadable key: member shop_id: null is NULL, which the column does not take (column shop_id BIGINT)", false},
		{"text", single, record("shop_id", `"abc"`), `unreadable key: member shop_id: "abc" is not an integer (column shop_id BIGINT)`, false},
		{"beyond int64", single, record("shop_id", "9223372036854775808"), "unreadable key: member shop_id: 9223372036854775808 is outside the range of the column (column shop_id BIGINT)", false},
		{"object", single, record("shop_id", "{}"), "unreadable key: member shop_id: {} is not an integer (column shop_id BIGINT)", false},
		{"twice", single, failed(record("shop_id", "1", "shop_id", "2")), "unreadable key: member shop_id came more than once", false},
		{"null in a column that takes it", pair, record("num", "null", "code", `"a"`), "member code: unreadable key: part 2 is null or missing", false},
		{"too long", pair, record("num", "5", "code", `"`+strings.Repeat("x", 254)+`"`), "member code: unreadable key: 256 bytes long, the limit is 255", false},
		{"broken text", pair, failed(record("num", "5", "code", `"\ud800"`)), `unreadable key: member code: "\ud800" is neither a text nor a number (column c VARCHAR(300))`, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.m.Key(tt.record)
			switch {
			case tt.ok && (err != nil || got.String() != tt.want):
				t.Errorf("got %s, %v, want %s", got, err, tt.want)
			case !tt.ok && (got != "" || !errors.Is(err, diff.ErrKey) || err.Error() != tt.want):
				t.Errorf("got %q, %v, want an ErrKey: %s", string(got), err, tt.want)
			}
		})
	}
}

// The key read from a record is the key of its row.
func TestMapper_KeyOfRow(t *testing.T) {
	m := shops(t)
	r := record("shop_id", `"9007199254740993"`)
	row, err1 := m.Row(r)
	got, err2 := m.Table().KeyOf(row)
	want, err3 := m.Key(r)
	if err := errors.Join(err1, err2, err3); err != nil || got != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

// hashing returns how records are hashed over what a mapping maps.
func hashing(m *mapping.Mapper) func(*diff.Record) diff.SourceHash {
	h := diff.NewHasher(m.Maps)
	return func(r *diff.Record) diff.SourceHash { return h.Hash(r.Members) }
}

func TestMapper_Maps(t *testing.T) {
	hash := hashing(shops(t))
	base := hash(record("shop_id", "1", "shop_name", `"a"`))
	for _, tt := range []struct {
		name string
		r    *diff.Record
		same bool
	}{
		{"order", record("shop_name", `"a"`, "shop_id", "1"), true},
		{"an unmapped member", record("shop_id", "1", "shop_name", `"a"`, "weather", `"fine"`), true},
		{"a mapped member more", record("shop_id", "1", "shop_name", `"a"`, "nick", "null"), false},
		{"a mapped member less", record("shop_id", "1"), false},
		{"a value", record("shop_id", "1", "shop_name", `"b"`), false},
		{"a spelling", record("shop_id", "1", "shop_name", `"\u0061"`), false},
		{"a column's name that is no member", record("shop_id", "1", "shop_name", `"a"`, "session_expires_at", "1"), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := hash(tt.r) == base; got != tt.same {
				t.Errorf("same hash: got %t, want %t", got, tt.same)
			}
		})
	}
}

func TestMapper_Fingerprint(t *testing.T) {
	want := shops(t).Fingerprint()
	if got := len(want); got != 32 {
		t.Errorf("got %d digits, want 32", got)
	}
	for name, tt := range map[string]struct {
		table string
		edit  func([]mapping.Column) []mapping.Column
		key   []string
		same  bool
	}{
		"nothing":             {edit: func(c []mapping.Column) []mapping.Column { return c }, same: true},
		"the table's name":    {table: "other", edit: func(c []mapping.Column) []mapping.Column { return c }, same: true},
		"a comment":           {edit: func(c []mapping.Column) []mapping.Column { c[1].Comment = ""; return c }, same: true},
		"a member":            {edit: func(c []mapping.Column) []mapping.Column { c[1].From = "nick"; return c }},
		"a column's name":     {edit: func(c []mapping.Column) []mapping.Column { c[1].Name = "title"; return c }},
		"a size":              {edit: func(c []mapping.Column) []mapping.Column { c[1].Type.Size = 254; return c }},
		"a type":              {edit: func(c []mapping.Column) []mapping.Column { c[1].Type = bigint; return c }},
		"the fraction":        {edit: func(c []mapping.Column) []mapping.Column { c[5].Type = seconds; return c }},
		"nullable":            {edit: func(c []mapping.Column) []mapping.Column { c[1].NotNull = true; return c }},
		"date or NULL":        {edit: func(c []mapping.Column) []mapping.Column { c[5].DateOrNull = true; return c }},
		"a column less":       {edit: func(c []mapping.Column) []mapping.Column { return c[:12] }},
		"a column more":       {edit: func(c []mapping.Column) []mapping.Column { d := c[12]; d.Name = "again"; return append(c, d) }},
		"the order":           {edit: func(c []mapping.Column) []mapping.Column { c[1], c[2] = c[2], c[1]; return c }},
		"two members swapped": {edit: func(c []mapping.Column) []mapping.Column { c[1].From, c[3].From = c[3].From, c[1].From; return c }},
		"the key":             {edit: func(c []mapping.Column) []mapping.Column { return c }, key: []string{"shop_id", "co_id"}},
	} {
		t.Run(name, func(t *testing.T) {
			columns, key := mapping.Shops()
			if tt.key != nil {
				key = tt.key
			}
			m, err := mapping.New("jst_shops"+tt.table, tt.edit(columns), key)
			if err != nil {
				t.Fatal(err)
			}
			if got := m.Fingerprint(); (got == want) != tt.same {
				t.Errorf("same fingerprint: got %t, want %t", !tt.same, tt.same)
			}
		})
	}
}

func TestNew(t *testing.T) {
	columns, _ := mapping.Shops()
	for _, tt := range []struct {
		key  []string
		want string
	}{
		{[]string{"shop_id", "weather"}, "key weather: no column is mapped from it; add a column with from: weather, or name one of shop_id, shop_name, co_id,"},
		{[]string{"session_expires_at"}, "key session_expires_at: no column is mapped from it;"},
		{nil, "key of table t: no member is named"},
	} {
		if m, err := mapping.New("t", columns, tt.key); m != nil || err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("key %v: got %v, want %s", tt.key, err, tt.want)
		}
	}
}

package mapping_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"

	"jstsync/diff"
	"jstsync/internal/mapping"
	"jstsync/internal/mysqltest"
	"jstsync/load"
)

func TestMain(m *testing.M) { mysqltest.Main(m) }

// alphabet has characters of one to four bytes, marks that combine, and what
// SQL and JSON must escape.
var alphabet = []rune("aZ0 \t\n\r\x00\x01\x1a'\"`\\%_/é\u0301ß\u00a0\u200d\u2028中文店铺\u3000\ufeff\ufffd\uffff𠮷😀👨👩🇨🇳\U0010ffff")

func quote(text string) string {
	raw, err := jsontext.AppendQuote(nil, text)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

func quoted(g *rapid.Generator[string]) *rapid.Generator[string] { return rapid.Map(g, quote) }

func texts(runes int) *rapid.Generator[string] {
	return rapid.StringOfN(rapid.OneOf(rapid.SampledFrom(alphabet), rapid.Rune()), 0, runes, -1)
}

// dates are moments that every date column holds, as they are sent.
func dates(layout string) *rapid.Generator[string] {
	first, last := time.Date(1000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	return rapid.Map(rapid.Int64Range(first.Unix(), last.Unix()), func(seconds int64) string {
		return quote(time.Unix(seconds, (seconds*7919)%1_000_000_000&(1<<29-1)).UTC().Format(layout))
	})
}

// documents are JSON values, so many levels deep at most.
func documents(depth int) *rapid.Generator[string] {
	leaves := rapid.OneOf(
		quoted(texts(8)), rapid.SampledFrom([]string{"true", "false", "null", "[]", "{}", "0.1", "-1.5e-9", "1e20", "9007199254740993", "18446744073709551615"}),
		rapid.Map(rapid.Int64(), func(n int64) string { return fmt.Sprint(n) }),
	)
	if depth == 1 {
		return leaves
	}
	inner := documents(depth - 1)
	return rapid.OneOf(leaves, rapid.Custom(func(r *rapid.T) string {
		return "[" + strings.Join(rapid.SliceOfN(inner, 0, 3).Draw(r, "list"), ", ") + "]"
	}), rapid.Custom(func(r *rapid.T) string {
		var members []string
		for name, value := range rapid.MapOfN(texts(3), inner, 0, 3).Draw(r, "object") {
			members = append(members, quote(name)+" : "+value)
		}
		slices.Sort(members)
		return "{" + strings.Join(members, ",") + "}"
	}))
}

// sent is a type and the values that a source may send for it.
type sent struct {
	typ string
	raw *rapid.Generator[string]
}

func sources() []sent {
	integers := rapid.Map(rapid.OneOf(rapid.Int64(), rapid.SampledFrom([]int64{-1 << 63, 1<<63 - 1, 1<<53 + 1, 0})), func(n int64) string { return fmt.Sprint(n) })
	small := rapid.Map(rapid.Int32(), func(n int32) string { return fmt.Sprint(n) })
	money := rapid.StringMatching(`-?(0|[1-9][0-9]{0,9})(\.[0-9]{1,2}0{0,9})?`)
	wide := rapid.StringMatching(`-?(0|[1-9][0-9]{0,34})(\.[0-9]{1,30})?`)
	return []sent{
		{"BIGINT", rapid.OneOf(integers, quoted(integers))},
		{"INT", rapid.OneOf(small, rapid.SampledFrom([]string{"-2147483648", "2147483647"}))},
		{"DECIMAL(12,2)", rapid.OneOf(money, quoted(money), rapid.StringMatching(`-?[1-9]e[0-9]`), rapid.StringMatching(`-?[1-9]\.[0-9]{1,5}E\+?[3-8]`))},
		{"DECIMAL(65,30)", rapid.OneOf(wide, quoted(wide), rapid.StringMatching(`[1-9]{1,9}e-2[0-9]`))},
		{"DECIMAL(2,2)", rapid.StringMatching(`-?0\.[0-9]{1,2}0*`)},
		{"VARCHAR(20)", rapid.OneOf(quoted(texts(20)), small, rapid.StringMatching(`-?[1-9]\.[0-9]{1,9}[eE][0-9]{1,3}`))},
		{"VARCHAR(1)", quoted(texts(1))},
		{"TEXT", quoted(texts(200))},
		{"DATETIME", dates("2006-01-02 15:04:05.999999999")},
		{"DATETIME(1)", dates("2006-01-02 15:04:05.9")},
		{"DATETIME(3)", dates("2006-01-02T15:04:05.999999999")},
		{"DATETIME(6)", dates("2006-01-02 15:04:05.999999999")},
		{"DATE", rapid.OneOf(dates("2006-01-02"), dates("2006-01-02 00:00:00"))},
		{"BOOL", rapid.SampledFrom([]string{"true", "false", "0", "1", `"0"`, `"1"`, `"true"`, `"false"`})},
		{"JSON", documents(4)},
		{"JSON", rapid.Just(strings.Repeat("[", 31) + strings.Repeat("]", 31))},
		{"JSON", rapid.Just(strings.Repeat(`{"a":`, 30) + "1" + strings.Repeat("}", 30))},
	}
}

// roundTrip is a table with a column of each type, and a run's way into it.
type roundTrip struct {
	mapper *mapping.Mapper
	target *load.Target
	db     *sql.DB
	head   diff.Head
	nextID int
}

func newRoundTrip(t *testing.T) *roundTrip {
	t.Helper()
	specs := []mapping.Spec{{Name: "id", Type: "BIGINT"}}
	for i, s := range sources() {
		specs = append(specs, mapping.Spec{Name: fmt.Sprint("c", i), Type: s.typ, Nullable: true})
	}
	columns, errs := mapping.Compile(specs)
	if errs != nil {
		t.Fatal(errs)
	}
	m, err := mapping.New("everything", columns, []string{"id"})
	if err != nil {
		t.Fatal(err)
	}
	dsn := mysqltest.DSN(t)
	target, err := load.Open(dsn, "p", m.Table(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return &roundTrip{mapper: m, target: target, db: mysqltest.DB(t, dsn), head: diff.Head{Instance: diff.ID{1}}}
}

// commit writes the set of changes as a run does.
func (rt *roundTrip) commit(t rapid.TB, set *diff.ChangeSet) {
	ctx := context.Background()
	s, err := rt.target.Connect(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	cp, err := s.Begin(ctx, rt.head)
	if err != nil {
		t.Fatal(err)
	}
	run := rt.head.Seq + 1
	in := &diff.Intent{
		Run: run, RunID: diff.ID{2, byte(run >> 8), byte(run)}, Kind: "sync", From: cp, Instance: rt.head.Instance,
		Digest: set.Digest(rt.head.Digest), CommittedAt: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC), Changes: set.Len(),
	}
	if err := s.Commit(ctx, in, set, func() error { return nil }); err != nil {
		t.Fatalf("Commit: %v", err)
	}
	rt.head = in.To()
}

// stored reads a row back as the server spells it.
func (rt *roundTrip) stored(t rapid.TB, id int64) []sql.NullString {
	row := make([]sql.NullString, len(rt.mapper.Table().Columns))
	into := make([]any, len(row))
	for i := range row {
		into[i] = &row[i]
	}
	if err := rt.db.QueryRow("SELECT * FROM everything WHERE id = ?", id).Scan(into...); err != nil {
		t.Fatalf("read row %d: %v", id, err)
	}
	return row
}

// Every type's values come back from the server exactly as they were mapped,
// as an insert and as an update, and what was mapped is what was sent.
func TestMapper_RoundTrip(t *testing.T) {
	rt := newRoundTrip(t)
	kinds := sources()
	rapid.Check(t, func(r *rapid.T) {
		insert, update := diff.NewChangeSet(rt.mapper.Table().Names()), diff.NewChangeSet(rt.mapper.Table().Names())
		want := map[int64]diff.Row{}
		for range rapid.IntRange(1, 3).Draw(r, "rows") {
			rt.nextID++
			first, second := rt.draw(r, kinds), rt.draw(r, kinds)
			for i, v := range first {
				if again, ok := rt.mapper.Stored(i, v); !ok || again != v {
					r.Fatalf("stored again, %v becomes %v", v, again)
				}
			}
			key, err := rt.mapper.Table().KeyOf(first)
			if err != nil {
				r.Fatal(err)
			}
			add(insert, key, nil, first)
			add(update, key, first, second)
			want[first[0].Int()] = second
			if len(want) == 1 {
				one := diff.NewChangeSet(rt.mapper.Table().Names())
				add(one, key, nil, first)
				rt.commit(r, one)
				rt.compare(r, first)
				insert = diff.NewChangeSet(rt.mapper.Table().Names())
			}
		}
		if insert.Len() > 0 {
			rt.commit(r, insert)
		}
		if update.Len() > 0 {
			rt.commit(r, update)
		}
		for _, row := range want {
			rt.compare(r, row)
		}
	})
}

func add(set *diff.ChangeSet, key diff.Key, before, after diff.Row) {
	if c, ok := diff.Compare(key, before, after); ok {
		set.Add(c, 1)
	}
}

// draw maps a record of random members.
func (rt *roundTrip) draw(r *rapid.T, kinds []sent) diff.Row {
	members := []string{"id", fmt.Sprint(rt.nextID)}
	for i, s := range kinds {
		members = append(members, fmt.Sprint("c", i), s.raw.Draw(r, s.typ))
	}
	row, err := rt.mapper.Row(record(members...))
	if err != nil {
		r.Fatalf("Row: %v", err)
	}
	for i, s := range kinds {
		means(r, s.typ, members[2*i+3], row[i+1])
	}
	return row
}

// means checks, by other means than the mapping's, that a value is what was
// sent.
func means(r *rapid.T, typ, raw string, v diff.Value) {
	text := raw
	if raw[0] == '"' {
		unquoted, err := jsontext.AppendUnquote(nil, raw)
		if err != nil {
			r.Fatal(err)
		}
		text = string(unquoted)
	}
	ok := true
	switch {
	case strings.HasPrefix(typ, "VARCHAR"), typ == "TEXT":
		ok = v.Text() == text
	case strings.HasPrefix(typ, "DECIMAL"):
		a, aOK := new(big.Rat).SetString(text)
		b, bOK := new(big.Rat).SetString(v.Text())
		ok = aOK && bOK && a.Cmp(b) == 0
	case typ == "BIGINT", typ == "INT":
		ok = v.String() == text
	case strings.HasPrefix(typ, "DATETIME"):
		ok = strings.HasPrefix(strings.Replace(text, "T", " ", 1)+".000000", v.Text()[:19])
	}
	if !ok {
		r.Fatalf("%s: got %q of %s", typ, v, raw)
	}
}

func (rt *roundTrip) compare(t rapid.TB, want diff.Row) {
	got := rt.stored(t, want[0].Int())
	for i, v := range want {
		if got[i].Valid == v.IsNull() || got[i].Valid && got[i].String != v.String() {
			t.Fatalf("column %s: got %+q, want %+q", rt.mapper.Table().Columns[i].Type, got[i].String, v.String())
		}
	}
}

// The longest texts come back, whatever they are made of.
func TestMapper_RoundTrip_Longest(t *testing.T) {
	rt := newRoundTrip(t)
	set := diff.NewChangeSet(rt.mapper.Table().Names())
	var want []diff.Row
	for id, c := range alphabet {
		long := quote(strings.Repeat(string(c), 65_535/len(string(c))))
		row, err := rt.mapper.Row(record("id", fmt.Sprint(id), "c5", quote(strings.Repeat(string(c), 20)), "c7", long))
		if err != nil {
			t.Fatal(err)
		}
		key, err := rt.mapper.Table().KeyOf(row)
		if err != nil {
			t.Fatal(err)
		}
		add(set, key, nil, row)
		want = append(want, row)
	}
	rt.commit(t, set)
	for _, row := range want {
		rt.compare(t, row)
	}
}

// Nothing that MariaDB refuses or changes gets past the mapping: one level more
// is refused by both.
func TestCanonicalJSON_Depth(t *testing.T) {
	rt := newRoundTrip(t)
	for _, tt := range []struct{ open, value, end string }{{"[", "", "]"}, {`{"a":`, "1", "}"}, {"[", "1", "]"}} {
		for depth := 1; depth <= 40; depth++ {
			doc := strings.Repeat(tt.open, depth) + tt.value + strings.Repeat(tt.end, depth)
			var valid bool
			if err := rt.db.QueryRow("SELECT JSON_VALID(?)", doc).Scan(&valid); err != nil {
				t.Fatal(err)
			}
			if _, err := mapping.CanonicalJSON([]byte(doc)); err == nil && !valid {
				t.Errorf("%d of %s: got no error, but the server takes it for invalid", depth, tt.open)
			}
		}
	}
}

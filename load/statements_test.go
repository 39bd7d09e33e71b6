package load_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"jstsync/diff"
	"jstsync/load"
)

func composite() *diff.Table {
	return &diff.Table{
		Name: "we`ird",
		Columns: []diff.Column{
			{Name: "v", Type: diff.Type{Base: diff.VarChar, Size: 255}},
			{Name: "code", Type: diff.Type{Base: diff.VarChar, Size: 64}, NotNull: true},
			{Name: "n", Type: diff.Type{Base: diff.BigInt}, NotNull: true},
			{Name: "a`b", Type: diff.Type{Base: diff.BigInt}},
		},
		Key: []int{1, 2},
	}
}

func TestStatements_Build(t *testing.T) {
	text, num := diff.TextValue, diff.IntValue
	one := diff.Change{Key: "x", Before: diff.Row{text("old"), text("c"), num(7), {}}, After: diff.Row{{}, text("c"), num(7), num(-1)}}
	two := diff.Change{Key: "y", Before: diff.Row{{}, text("d?"), num(8), {}}, After: diff.Row{text("w"), text("d?"), num(8), {}}}
	for _, test := range []struct {
		op    diff.Op
		batch []diff.Change
		query string
		args  []any
	}{
		{diff.Insert, []diff.Change{one}, "INSERT INTO `we``ird` (`v`, `code`, `n`, `a``b`) VALUES (?, ?, ?, ?)", []any{nil, "c", int64(7), int64(-1)}},
		{
			diff.Insert,
			[]diff.Change{one, two},
			"INSERT INTO `we``ird` (`v`, `code`, `n`, `a``b`) VALUES (?, ?, ?, ?), (?, ?, ?, ?)",
			[]any{nil, "c", int64(7), int64(-1), "w", "d?", int64(8), nil},
		},
		{
			diff.Update,
			[]diff.Change{one, two},
			"UPDATE `we``ird` t JOIN (SELECT ? AS `v`, ? AS `code`, ? AS `n`, ? AS `a``b`" +
				" UNION ALL SELECT ?, ?, ?, ?) v ON t.`code` = v.`code` AND t.`n` = v.`n` SET t.`v` = v.`v`, t.`a``b` = v.`a``b`",
			[]any{nil, "c", int64(7), int64(-1), "w", "d?", int64(8), nil},
		},
		{diff.Delete, []diff.Change{one}, "DELETE FROM `we``ird` WHERE (`code`, `n`) IN ((?, ?))", []any{"c", int64(7)}},
		{diff.Delete, []diff.Change{one, two}, "DELETE FROM `we``ird` WHERE (`code`, `n`) IN ((?, ?), (?, ?))", []any{"c", int64(7), "d?", int64(8)}},
	} {
		query, args := load.Build(load.NewStatements(composite(), 1<<24), test.op, test.batch)
		if query != test.query || fmt.Sprintf("%#v", args) != fmt.Sprintf("%#v", test.args) {
			t.Errorf("%s of %d:\ngot  %s %#v\nwant %s %#v", test.op, len(test.batch), query, args, test.query, test.args)
		}
	}
}

func TestStatements_Bounds(t *testing.T) {
	s := load.NewStatements(shops(), 1<<20)
	if got := load.MaxBytes(s); got != 1<<19 {
		t.Errorf("got %d bytes for a packet of 1 MiB, want half of it", got)
	}
	if got := load.MaxBytes(load.NewStatements(shops(), 1<<30)); got != 4<<20 {
		t.Errorf("got %d bytes for a packet of 1 GiB, want 4 MiB", got)
	}
	wide := &diff.Table{Name: "wide", Key: []int{0}, Columns: make([]diff.Column, 1000)}
	if got := load.MaxRows(load.NewStatements(wide, 1<<24), diff.Insert); got != 65 {
		t.Errorf("got %d rows of 1000 columns, want 65", got)
	}
	if got := load.MaxRows(s, diff.Delete); got != 1000 {
		t.Errorf("got %d rows a DELETE, want 1000", got)
	}
}

// The sizes of a batch's changes bound what is sent for them.
func TestStatements_Size(t *testing.T) {
	value := rapid.OneOf(
		rapid.Just(diff.Value{}), rapid.Map(rapid.Int64(), diff.IntValue), rapid.Map(rapid.String(), diff.TextValue),
		rapid.Just(diff.IntValue(-1<<63)), rapid.Just(diff.TextValue(strings.Repeat("'\\\x00", 50))),
	)
	rapid.Check(t, func(t *rapid.T) {
		s := load.NewStatements(shops(), 1<<24)
		op := rapid.SampledFrom([]diff.Op{diff.Insert, diff.Update, diff.Delete}).Draw(t, "op")
		var batch []diff.Change
		bound := 1024 // the statement's head
		for range rapid.IntRange(1, 40).Draw(t, "rows") {
			r := diff.Row(rapid.SliceOfN(value, 5, 5).Draw(t, "row"))
			c := diff.Change{Op: op, Before: r, After: r}
			batch, bound = append(batch, c), bound+load.Size(s, &c)
		}
		query, args := load.Build(s, op, batch)
		sent := len(query) - strings.Count(query, "?")
		for _, a := range args {
			switch a := a.(type) {
			case nil:
				sent += len("NULL")
			case string:
				sent += len(a) + 2
				for _, special := range "\x00\n\r\x1a'\"\\" {
					sent += strings.Count(a, string(special))
				}
			default:
				sent += len(fmt.Sprint(a))
			}
		}
		if sent > bound {
			t.Fatalf("%s of %d: %d bytes are sent, the bound is %d", op, len(batch), sent, bound)
		}
	})
}

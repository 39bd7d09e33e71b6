package load_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"jstsync/diff"
	"jstsync/load"
)

// run makes a run that must succeed and returns nothing but the moved head.
func (b *bench) run(t testing.TB, set *diff.ChangeSet) {
	t.Helper()
	s, cp := b.begin(t)
	in := b.intent(cp, set)
	if err := s.Commit(t.Context(), in, set, durable); err != nil {
		t.Fatalf("Commit: %v", err)
	}
	b.head = in.To()
	_ = s.Close()
}

// marks returns deleted_at of every row by shop_id.
func (b *bench) marks(t testing.TB) string {
	t.Helper()
	rows, err := b.db.Query("SELECT shop_id, COALESCE(deleted_at, '-') FROM jst_shops ORDER BY shop_id")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var all []string
	for rows.Next() {
		var id, at string
		if err := rows.Scan(&id, &at); err != nil {
			t.Fatal(err)
		}
		all = append(all, id+" "+at)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, ", ")
}

func (b *bench) deletesOf(t testing.TB, rows ...diff.Row) *diff.ChangeSet {
	t.Helper()
	set := diff.NewChangeSet(b.table.Names())
	for _, r := range rows {
		set.Add(diff.Change{Op: diff.Delete, Key: b.key(t, r), Before: r}, 0)
	}
	return set
}

func TestSession_Commit_SoftDeletes(t *testing.T) {
	b := onShared(t, shops())
	b.target = b.openWith(t, pipeline, load.WithDeletes(load.DeleteSoft))
	live := func(want ...diff.Row) {
		t.Helper()
		_, got := b.readTable(t, connect(t, b.target))
		model := map[diff.Key]diff.Row{}
		for _, r := range want {
			model[b.key(t, r)] = r
		}
		wantRows(t, got, model)
	}
	b.run(t, b.insertsOf(t, shop(1, "a"), shop(2, "b"), shop(3, "c")))
	b.run(t, b.deletesOf(t, shop(1, "a"), shop(3, "c")))
	const at = "2026-11-22 18:00:00.123" // Beijing is eight hours ahead
	if got, want := b.marks(t), "1 "+at+", 2 -, 3 "+at; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	live(shop(2, "b"))

	mustExec(t, b.db, "ALTER TABLE jst_shops ADD COLUMN mine INT DEFAULT 5")
	mustExec(t, b.db, "UPDATE jst_shops SET mine = 7")
	b.run(t, b.insertsOf(t, shop(3, "returned"), shop(4, "new"))) // one returns, one comes
	if got, want := b.marks(t), "1 "+at+", 2 -, 3 -, 4 -"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	live(shop(2, "b"), shop(3, "returned"), shop(4, "new"))
	var mine string
	if err := b.db.QueryRow("SELECT GROUP_CONCAT(mine ORDER BY shop_id) FROM jst_shops").Scan(&mine); err != nil || mine != "7,7,7,5" {
		t.Errorf("got %s, %v: a return is an update", mine, err)
	}

	// What is not there, or is marked deleted, is not a row.
	b.fails(t, b.deletesOf(t, shop(1, "a")), diff.CodeDiverged, "holds 0 of 1 rows that this run would delete (key 1)")
	b.fails(t, b.insertsOf(t, shop(1, "a"), shop(2, "b")), diff.CodeDiverged, "already holds a row that this run would insert")
	update := func(r diff.Row) *diff.ChangeSet {
		set := diff.NewChangeSet(b.table.Names())
		set.Add(diff.Change{Op: diff.Update, Key: b.key(t, r), Before: shop(r[0].Int(), "old"), After: r}, 1)
		return set
	}
	b.fails(t, update(shop(1, "x")), diff.CodeDiverged, "holds 0 of 1 rows that this run would update (key 1)")
	b.run(t, update(shop(2, "x")))
	live(shop(2, "x"), shop(3, "returned"), shop(4, "new"))
}

// Many rows go and come back in batches.
func TestSession_Commit_SoftDeletesMany(t *testing.T) {
	b := onShared(t, shops())
	b.target = b.openWith(t, pipeline, load.WithDeletes(load.DeleteSoft))
	var all, odd []diff.Row
	for i := range int64(2500) {
		all = append(all, shop(i, "a"))
		if i%2 == 1 {
			odd = append(odd, shop(i, "a"))
		}
	}
	b.run(t, b.insertsOf(t, all...))
	b.run(t, b.deletesOf(t, odd...))
	if _, got := b.readTable(t, connect(t, b.target)); len(got) != 1250 {
		t.Errorf("got %d rows, want 1250", len(got))
	}
	for i := range odd {
		odd[i] = shop(odd[i][0].Int(), fmt.Sprint("returned ", i))
	}
	b.run(t, b.insertsOf(t, append(odd, shop(-1, "new"), shop(9000, "new"))...))
	_, got := b.readTable(t, connect(t, b.target))
	if len(got) != 2502 {
		t.Errorf("got %d rows, want 2502", len(got))
	}
	for _, r := range odd {
		if got[b.key(t, r)][1] != r[1] {
			t.Fatalf("got %q, want %q", got[b.key(t, r)], r)
		}
	}
}

// A table of nothing but its key can be deleted from softly as well.
func TestSession_Commit_SoftDeletesKeyOnly(t *testing.T) {
	b := onShared(t, &diff.Table{Name: "k", Key: []int{0}, Columns: []diff.Column{column("code", "VARCHAR(20)")}})
	b.target = b.openWith(t, pipeline, load.WithDeletes(load.DeleteSoft))
	a, upper := diff.Row{diff.TextValue("a")}, diff.Row{diff.TextValue("A")}
	b.run(t, b.insertsOf(t, a))
	b.run(t, b.deletesOf(t, a))
	b.run(t, b.insertsOf(t, upper))
	b.run(t, b.insertsOf(t, a))
	if _, got := b.readTable(t, connect(t, b.target)); len(got) != 2 {
		t.Errorf("got %q, want both", got)
	}
}

func TestSession_Commit_KeepDeletes(t *testing.T) {
	b := onShared(t, shops())
	b.target = b.openWith(t, pipeline, load.WithDeletes(load.DeleteKeep))
	b.run(t, b.insertsOf(t, shop(1, "a"), shop(2, "b")))
	set := b.deletesOf(t, shop(1, "a"))
	set.Add(diff.Change{Op: diff.Insert, Key: b.key(t, shop(3, "")), After: shop(3, "c")}, 1)
	b.run(t, set)
	if got := b.read(t); len(got) != 3 {
		t.Errorf("got %d rows, want 3", len(got))
	}
}

func TestOpen_Options(t *testing.T) {
	table := shops()
	table.Columns[4].Name = "Deleted_At"
	for _, test := range []struct {
		table *diff.Table
		how   load.Deletes
		text  string
	}{{shops(), "tender", "write hard, soft or keep"}, {table, load.DeleteSoft, "maps column deleted_at"}} {
		_, err := load.Open("u:p@tcp(h)/db", pipeline, test.table, slog.New(slog.DiscardHandler), load.WithDeletes(test.how))
		wantError(t, err, diff.CodeConfig, test.text)
	}
	if _, err := load.Open("u:p@tcp(h)/db", pipeline, table, slog.New(slog.DiscardHandler)); err != nil {
		t.Errorf("a column deleted_at of the source, with hard deletes: %v", err)
	}
}

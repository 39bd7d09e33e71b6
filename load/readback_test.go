package load_test

import (
	"errors"
	"strings"
	"testing"

	"jstsync/diff"
	"jstsync/load"
)

func TestSession_ReadTable(t *testing.T) {
	b := onShared(t, shops())
	if cp, rows := b.readTable(t, connect(t, b.target)); cp != nil || len(rows) != 0 {
		t.Errorf("no table at all: got %v, %q", cp, rows)
	}
	mustExec(t, b.db, load.CreateTable(b.table, ""))
	if cp, rows := b.readTable(t, connect(t, b.target)); cp != nil || len(rows) != 0 {
		t.Errorf("a table without checkpoints: got %v, %q", cp, rows)
	}
	var tables int
	if err := b.db.QueryRow("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()").Scan(&tables); err != nil || tables != 1 {
		t.Errorf("got %d tables, %v: reading made one", tables, err)
	}
	b.commit(t, b.shopsOf(t, 3000, "a"))
	cp, rows := b.readTable(t, connect(t, b.target))
	if cp == nil || *cp != b.checkpoint(t) {
		t.Errorf("got %+v, want the row", cp)
	}
	wantRows(t, rows, b.rows)
	eventuallyIdle(t, b.db)

	stop := errors.New("enough")
	if _, err := connect(t, b.target).ReadTable(t.Context(), func(diff.Key, diff.Row) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v, want the visitor's error", err)
	}
	mustExec(t, b.db, "ALTER TABLE jst_shops DROP COLUMN url")
	_, err := connect(t, b.target).ReadTable(t.Context(), func(diff.Key, diff.Row) error { return nil })
	wantError(t, err, diff.CodeTargetSchema, "lacks the mapped column url")
}

// Checkpoint and rows are of one moment, whatever is committed meanwhile.
func TestSession_ReadTable_Snapshot(t *testing.T) {
	b := onShared(t, shops())
	b.commit(t, b.shopsOf(t, 100, "a"))
	before := b.checkpoint(t)
	n := 0
	cp, err := connect(t, b.target).ReadTable(t.Context(), func(_ diff.Key, r diff.Row) error {
		if n++; n == 1 {
			b.commit(t, b.shopsOf(t, 5000, "b"))
		}
		if !strings.HasPrefix(r[1].Text(), "a ") {
			t.Errorf("got %q, which came later", r)
		}
		return nil
	})
	if err != nil || n != 100 || *cp != before {
		t.Errorf("got %d rows, %+v, %v, want 100 and %+v", n, cp, err, before)
	}
}

// What a table made by hand may hold: nothing is dropped in silence.
func TestSession_ReadTable_Unfit(t *testing.T) {
	table := typed()
	table.Key = []int{5}
	b := onShared(t, table)
	mustExec(t, b.db, "SET GLOBAL sql_mode = ''")
	mustExec(t, b.db, "CREATE TABLE typed (name VARCHAR(300) UNIQUE, id BIGINT NOT NULL DEFAULT 1, big DECIMAL(30,0), money DECIMAL(65,30), price DECIMAL(30,6), whole DECIMAL(20,3),"+
		" note LONGTEXT, at0 DATETIME(6), at6 DATETIME(6), day DATETIME(3), ok BIGINT, doc LONGTEXT) CHARSET utf8mb4 COLLATE utf8mb4_general_ci")
	mustExec(t, b.db, "INSERT INTO typed (name, big, price, at0, day, ok) VALUES ('b', 99999999999999999999, 1.505, '2026-11-22 10:00:00.5', '2026-11-22 10:00', 7), ('A', 1, 2, NULL, '2026-11-22', 1)")
	_, rows := b.readTable(t, connect(t, b.target))
	row := func(name string, more map[int]diff.Value) diff.Row {
		r := make(diff.Row, len(table.Columns))
		r[0], r[5] = diff.IntValue(1), diff.TextValue(name)
		for i, v := range more {
			r[i] = v
		}
		return r
	}
	text := diff.TextValue
	first := row("A", map[int]diff.Value{1: diff.IntValue(1), 3: text("2.00"), 9: text("2026-11-22"), 10: diff.IntValue(1)})
	other := row("b", map[int]diff.Value{1: text("99999999999999999999"), 3: text("1.505000"), 7: text("2026-11-22 10:00:00.500000"), 9: text("2026-11-22 10:00:00"), 10: diff.IntValue(7)})
	wantRows(t, rows, map[diff.Key]diff.Row{b.key(t, first): first, b.key(t, other): other})
	for _, want := range []string{"holds 1 rows with values that the mapping would not write", "b: big", "is no integer of 64 bits", "price", "more than 2 digits", "has a time of day", "is neither 0 nor 1"} {
		if !strings.Contains(b.log.String(), want) {
			t.Errorf("want %q in the log:\n%s", want, b.log)
		}
	}

	mustExec(t, b.db, "INSERT INTO typed (name) VALUES (NULL), (NULL), (REPEAT('x', 256))")
	n := 0
	_, err := connect(t, b.target).ReadTable(t.Context(), func(diff.Key, diff.Row) error { n++; return nil })
	wantError(t, err, diff.CodeTargetSchema, "holds 3 rows that cannot be told by the pipeline's key", "name = NULL", "null or missing", "256 bytes long")
	if n != 2 {
		t.Errorf("got %d rows passed on, want the 2 that have keys", n)
	}
}

// JSON is read in the mapping's spelling, whichever the table has.
func TestSession_ReadTable_JSON(t *testing.T) {
	b := onShared(t, &diff.Table{Name: "docs", Key: []int{0}, Columns: []diff.Column{column("id", "BIGINT"), column("doc", "JSON")}})
	b.target = b.openWith(t, pipeline, load.WithJSON(func(raw []byte) (string, error) {
		if strings.HasPrefix(string(raw), "[") {
			return "", errors.New("is a list")
		}
		return strings.ReplaceAll(string(raw), " ", ""), nil
	}))
	mustExec(t, b.db, load.CreateTable(b.table, ""))
	mustExec(t, b.db, `INSERT INTO docs VALUES (1, '{"a": 1}'), (2, '[ 1 ]'), (3, NULL)`)
	_, got := b.readTable(t, connect(t, b.target))
	want := map[diff.Key]diff.Row{}
	for i, v := range []diff.Value{diff.TextValue(`{"a":1}`), diff.TextValue("[ 1 ]"), {}} {
		r := diff.Row{diff.IntValue(int64(i + 1)), v}
		want[b.key(t, r)] = r
	}
	wantRows(t, got, want)
	if !strings.Contains(b.log.String(), "is a list") {
		t.Errorf("got log %s, want the value that has no spelling named", b.log)
	}
}

// takeOver is a bench with rows and one commit, read by another state file, and that one's intent.
func takeOver(t *testing.T) (b *bench, from *diff.Checkpoint, in *diff.Intent) {
	t.Helper()
	b = onShared(t, shops())
	b.commit(t, b.shopsOf(t, 3, "a"))
	from, _ = b.readTable(t, connect(t, b.target))
	in = &diff.Intent{Run: from.Seq + 1, RunID: newID(), Kind: diff.KindRebuild, From: *from, Instance: diff.ID{0xee}, Digest: diff.Digest{1}}
	return b, from, in
}

func TestSession_TakeOver(t *testing.T) {
	b, from, in := takeOver(t)
	old, cp := b.begin(t)
	late := b.insertsOf(t, shop(70, "of the old owner"))
	lateIntent := b.intent(cp, late)
	if err := connect(t, b.target).TakeOver(t.Context(), from, in); err != nil {
		t.Fatal(err)
	}
	if got := b.checkpoint(t); got.Head != in.To() || got.Target != "jst_shops" {
		t.Errorf("got %+v, want %+v", got, in.To())
	}
	if committed, err := b.target.Resolve(t.Context(), in); !committed || err != nil {
		t.Errorf("Resolve: got %t, %v, want committed", committed, err)
	}
	wantError(t, old.Commit(t.Context(), lateIntent, late, durable), diff.CodeDiverged, "another writer moved")
	_, err := connect(t, b.target).Begin(t.Context(), b.head)
	wantError(t, err, diff.CodeDiverged, "another state file owns")
	_, err = b.target.Resolve(t.Context(), lateIntent)
	wantError(t, err, diff.CodeDiverged, "cannot be decided")
	if got := len(b.read(t)); got != 3 {
		t.Errorf("got %d rows, want 3", got)
	}
	b.head = in.To()
	b.commit(t, b.shopsOf(t, 4, "b")) // the new owner goes on
}

// Somebody commits, or claims, between reading and taking over: nothing matches.
func TestSession_TakeOver_Moved(t *testing.T) {
	b, from, in := takeOver(t)
	b.commit(t, b.shopsOf(t, 4, "b"))
	wantError(t, connect(t, b.target).TakeOver(t.Context(), from, in), diff.CodeDiverged, "moved the checkpoint of pipeline shops after its table was read", "state rebuild again")
	b.check(t)
	wantError(t, connect(t, b.target).TakeOver(t.Context(), nil, in), diff.CodeDiverged, "after its table was read")
	b.check(t)
	eventuallyIdle(t, b.db)

	in.Run = from.Seq
	if err := connect(t, b.target).TakeOver(t.Context(), from, in); err == nil {
		t.Error("a number that does not grow: got no error")
	}
	other := *from
	other.Target = "jst_other"
	in.Run++
	wantError(t, connect(t, b.target).TakeOver(t.Context(), &other, in), diff.CodeDiverged, "owns table jst_other", "rename the pipeline")
}

// A table filled by hand has no checkpoint row: it is claimed, and its rows stay.
func TestSession_TakeOver_Absent(t *testing.T) {
	b := onShared(t, shops())
	mustExec(t, b.db, load.CreateTable(b.table, ""))
	mustExec(t, b.db, "INSERT INTO jst_shops (shop_id, shop_name) VALUES (9, 'by hand')")
	from, rows := b.readTable(t, connect(t, b.target))
	if from != nil || len(rows) != 1 {
		t.Fatalf("got %v, %q", from, rows)
	}
	in := &diff.Intent{Run: 1, RunID: newID(), Kind: diff.KindRebuild, Instance: diff.ID{0xee}, Digest: diff.Digest{1}}
	if err := connect(t, b.target).TakeOver(t.Context(), nil, in); err != nil {
		t.Fatal(err)
	}
	b.head, b.rows = in.To(), rows
	b.check(t)
	b.commit(t, map[diff.Key]diff.Row{b.key(t, shop(10, "")): shop(10, "beside it")})
}

// Claimed before it reads, a rebuild can be decided whenever it was cut off.
func TestSession_Claim(t *testing.T) {
	b := onShared(t, shops())
	cp, err := connect(t, b.target).Claim(t.Context(), diff.ID{0xee})
	if err != nil || !cp.IsEmpty() || cp.Instance != (diff.ID{0xee}) {
		t.Fatalf("got %+v, %v", cp, err)
	}
	if again, err := connect(t, b.target).Claim(t.Context(), diff.ID{0xff}); err != nil || again != cp {
		t.Errorf("again: got %+v, %v, want the row that is there", again, err)
	}
	from, _ := b.readTable(t, connect(t, b.target))
	in := &diff.Intent{Run: 1, RunID: newID(), Kind: diff.KindRebuild, From: *from, Instance: diff.ID{0xef}}
	if committed, err := b.target.Resolve(t.Context(), in); committed || err != nil {
		t.Errorf("cut off before taking over: got %t, %v, want not committed", committed, err)
	}
	wantError(t, connect(t, b.target).TakeOver(t.Context(), from, in), diff.CodeDiverged, "after its table was read") // the epoch moved
	from, _ = b.readTable(t, connect(t, b.target))
	if err := connect(t, b.target).TakeOver(t.Context(), from, in); err != nil {
		t.Error(err)
	}
}

// A rebuild may change whether the table is shared, unless another pipeline says otherwise.
func TestSession_TakeOver_Sharing(t *testing.T) {
	b, from, in := takeOver(t)
	shared := b.openWith(t, pipeline, load.Shared(true))
	if err := connect(t, shared).TakeOver(t.Context(), from, in); err != nil {
		t.Fatal(err)
	}
	if cp := b.checkpoint(t); cp.Target != "jst_shops#shops" {
		t.Errorf("got target %q", cp.Target)
	}
	if _, err := connect(t, b.openWith(t, "others", load.Shared(true))).Begin(t.Context(), diff.Head{Instance: diff.ID{2}}); err != nil {
		t.Fatal(err)
	}
	from, _ = b.readTable(t, connect(t, b.target))
	in.RunID, in.Run = newID(), in.Run+1
	wantError(t, connect(t, b.target).TakeOver(t.Context(), from, in), diff.CodeDiverged, "is also claimed by pipeline others")
	if cp := b.checkpoint(t); cp != *from {
		t.Errorf("the row became %+v", cp)
	}
}

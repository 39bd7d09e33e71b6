package load_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"jstsync/diff"
	"jstsync/internal/mysqltest"
	"jstsync/load"
)

// bulkRows is how many rows of the table of shops make two whole batches and a part of one.
const bulkRows = 2400

// manyTyped returns rows of every type's awkward values, in every mixture with NULL, enough for a bulk insert.
func manyTyped() []diff.Row {
	ends := typedRows()
	rows := make([]diff.Row, bulkRows)
	for i := range rows {
		rows[i] = diff.Row{diff.IntValue(int64(i))}
		for c := 1; c < len(ends[0]); c++ {
			rows[i] = append(rows[i], ends[(i/len(ends)*c+i)%len(ends)][c])
		}
		if i%50 != 0 && len(rows[i][6].Text()) > 1000 {
			rows[i][6] = diff.TextValue(strings.Repeat("漢", i%500))
		}
	}
	return rows
}

// commitSet makes a run that must succeed and returns how many INSERT statements were executed as prepared ones.
func (b *bench) commitSet(t *testing.T, set *diff.ChangeSet) (bulk int64) {
	t.Helper()
	s, cp := b.begin(t)
	in := b.intent(cp, set)
	before := mysqltest.Status(t, b.dsn, "Com_stmt_execute")
	if err := s.Commit(t.Context(), in, set, durable); err != nil {
		t.Fatalf("Commit: %v", err)
	}
	b.head = in.To()
	return mysqltest.Status(t, b.dsn, "Com_stmt_execute") - before
}

// A value gets into the table as it does by a statement of text, whatever its type, in our own table and in a wider one.
func TestBulk_Types(t *testing.T) {
	server := mysqltest.Start(t)
	for name, ddl := range map[string]string{
		"managed": "",
		"wider": "CREATE TABLE typed (id BIGINT PRIMARY KEY, big DECIMAL(30,0), money DECIMAL(65,30), price DECIMAL(30,6), whole DECIMAL(20,3)," +
			" name TEXT, note LONGTEXT, at0 DATETIME(6), at6 DATETIME(6), day DATETIME(3), ok BIGINT, doc LONGTEXT, mine INT) CHARSET utf8mb4",
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, server.DSN(), typed())
			mustExec(t, b.db, "DROP TABLE IF EXISTS typed, bulk, jstsync_checkpoint")
			if ddl != "" {
				mustExec(t, b.db, ddl)
			}
			rows := manyTyped()
			if got := b.commitSet(t, b.insertsOf(t, rows...)); got != bulkRows/1000 {
				t.Errorf("got %d prepared inserts, want %d", got, bulkRows/1000)
			}
			want := map[diff.Key]diff.Row{}
			for _, r := range rows {
				want[b.key(t, r)] = r
			}
			_, got := b.readTable(t, connect(t, b.target))
			wantRows(t, got, want)

			mustExec(t, b.db, "CREATE TABLE bulk AS SELECT * FROM typed")
			mustExec(t, b.db, "DELETE FROM typed")
			mustExec(t, b.db, "DELETE FROM jstsync_checkpoint")
			b.head = diff.Head{Instance: b.head.Instance}
			mustExec(t, b.db, "SET GLOBAL max_prepared_stmt_count = 0")
			defer mustExec(t, b.db, "SET GLOBAL max_prepared_stmt_count = 16382")
			if got := b.commitSet(t, b.insertsOf(t, rows...)); got != 0 {
				t.Errorf("got %d prepared inserts, want none", got)
			}
			var columns []string
			for _, c := range b.table.Columns {
				columns = append(columns, "CAST(b."+c.Name+" AS BINARY) <=> CAST(t."+c.Name+" AS BINARY)")
			}
			var same int
			if err := b.db.QueryRow("SELECT COUNT(*) FROM bulk b JOIN typed t USING (id) WHERE " + strings.Join(columns, " AND ")).Scan(&same); err != nil || same != bulkRows {
				t.Errorf("got %d rows that are the same by both ways, %v, want %d", same, err, bulkRows)
			}
		})
	}
}

// Texts beyond what the driver puts into the packet that executes a statement.
func TestBulk_LongTexts(t *testing.T) {
	const wide = 40
	table := &diff.Table{Name: "wide", Key: []int{0}, Columns: []diff.Column{column("id", "INT")}}
	for i := range wide {
		table.Columns = append(table.Columns, column(fmt.Sprint("c", i), []string{"TEXT", "JSON", "DATETIME(3)"}[i%3]))
	}
	b := onShared(t, table)
	want := map[diff.Key]diff.Row{}
	var rows []diff.Row
	for i := range bulkRows {
		r := make(diff.Row, wide+1)
		r[0] = diff.IntValue(int64(i))
		c := 1 + i/20%wide
		switch long := strings.Repeat("漢'\x00", 400+i); {
		case i%20 != 0:
			r[3] = diff.TextValue(fmt.Sprintf("2026-11-22 10:00:00.%03d", i%1000))
		case c%3 == 1:
			r[c] = diff.TextValue(long)
		case c%3 == 2:
			r[c] = diff.TextValue(`["` + strings.ReplaceAll(long, "\x00", "") + `"]`)
		}
		rows, want[b.key(t, r)] = append(rows, r), r
	}
	if got := b.commitSet(t, b.insertsOf(t, rows...)); got != bulkRows/1000 {
		t.Errorf("got %d prepared inserts, want %d", got, bulkRows/1000)
	}
	if mysqltest.Status(t, b.dsn, "Com_stmt_send_long_data") == 0 {
		t.Error("no text was sent by itself")
	}
	_, got := b.readTable(t, connect(t, b.target))
	wantRows(t, got, want)
}

// Errors say of a bulk insert what they say of any.
func TestBulk_Errors(t *testing.T) {
	b := onShared(t, shops())
	b.commit(t, b.shopsOf(t, 1, "ours"))
	with := func(bad diff.Row) *diff.ChangeSet {
		var rows []diff.Row
		for i := range int64(bulkRows) {
			if rows = append(rows, shop(10_000+i, "ok")); i == 1500 {
				bad[0] = rows[i][0]
				rows[i] = bad
			}
		}
		return b.insertsOf(t, rows...)
	}
	mustExec(t, b.db, "INSERT INTO jst_shops (shop_id) VALUES (11500)")
	b.rows[b.key(t, shop(11_500, ""))] = diff.Row{diff.IntValue(11_500), {}, {}, {}, {}}
	b.fails(t, with(shop(0, "twice")), diff.CodeDiverged, "jst_shops", "insert", "keys 11000 to 11999", "11500")
	mustExec(t, b.db, "DELETE FROM jst_shops WHERE shop_id = 11500")
	delete(b.rows, b.key(t, shop(11_500, "")))
	b.fails(t, with(shop(0, strings.Repeat("x", 256))), diff.CodeTarget, "keys 11000 to 11999", "Data too long", "shop_name", "row 501")
	bad := shop(0, "bad")
	bad[3] = diff.TextValue("2026-02-30 00:00:00.000")
	b.fails(t, with(bad), diff.CodeTarget, "keys 11000 to 11999", "datetime", "row 501")
	eventuallyIdle(t, b.db)
}

// A connection that is lost between the batches of a bulk insert, however that shows, ends the transaction, which is
// then sent again as a whole.
func TestBulk_Lost(t *testing.T) {
	server := mysqltest.Start(t)
	for name, lose := range map[string]func(*testing.T, *bench, *mysqltest.Proxy){
		"reset":  func(_ *testing.T, _ *bench, p *mysqltest.Proxy) { p.Cut() },
		"killed": func(t *testing.T, b *bench, _ *mysqltest.Proxy) { b.killOthers(t) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, server.DSN(), shops())
			mustExec(t, b.db, "DROP TABLE IF EXISTS jst_shops, jstsync_checkpoint")
			p := mysqltest.NewProxy(t, b.asWriter(t))
			b.dsn = p.DSN()
			lost := false
			b.target = b.openWith(t, pipeline, load.WithProgress(func(done, _ int) {
				if done == 1000 && !lost {
					lost = true
					lose(t, b, p)
					time.Sleep(50 * time.Millisecond)
				}
			}))
			s, cp := b.begin(t)
			set := b.set(t, b.shopsOf(t, bulkRows, "a"))
			in := b.intent(cp, set)
			pauses := 0
			hurry(b.target, func(n int) { pauses = n })
			if err := s.Commit(t.Context(), in, set, durable); err != nil {
				t.Fatalf("Commit: %v", err)
			}
			b.became(t, in, b.shopsOf(t, bulkRows, "a"))
			if pauses != 1 {
				t.Errorf("got %d pauses, want 1", pauses)
			}
			eventuallyIdle(t, b.db)
		})
	}
}

// What stands before the server may take a statement to prepare and break off when that is executed.
func TestBulk_ExecuteRefused(t *testing.T) {
	b := onShared(t, shops())
	p := mysqltest.NewProxy(t, b.dsn)
	b.dsn = p.DSN()
	b.target = b.open(t, pipeline)
	hurry(b.target, func(int) {})
	for range 100 {
		p.Arm(mysqltest.Execute, mysqltest.ResetRequest)
	}
	b.commit(t, b.shopsOf(t, bulkRows, "a"))
}

// A table that is altered between the preparation and the transaction is written as any.
func TestBulk_Altered(t *testing.T) {
	b := onShared(t, shops())
	s, cp := b.begin(t)
	set := b.set(t, b.shopsOf(t, bulkRows, "a"))
	in := b.intent(cp, set)
	fenced := b.hold(t, "SELECT * FROM jstsync_checkpoint FOR UPDATE")
	before := mysqltest.Status(t, b.dsn, "Com_stmt_prepare")
	done := make(chan error, 1)
	go func() { done <- s.Commit(t.Context(), in, set, durable) }()
	for range 200 {
		if mysqltest.Status(t, b.dsn, "Com_stmt_prepare") > before {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	mustExec(t, b.db, "ALTER TABLE jst_shops ADD COLUMN mine INT DEFAULT 3 FIRST, MODIFY shop_name VARCHAR(300), MODIFY created DATETIME(6)")
	_ = fenced.Rollback()
	if err := <-done; err != nil {
		t.Fatalf("Commit: %v", err)
	}
	var n int
	if err := b.db.QueryRow("SELECT COUNT(*) FROM jst_shops WHERE mine = 3 AND created = '2026-11-22 10:00:00.123'").Scan(&n); err != nil || n != bulkRows {
		t.Errorf("got %d rows, %v, want %d", n, err, bulkRows)
	}
}

// Among the rows of a bulk insert may be some that were deleted softly.
func TestBulk_SoftDeletes(t *testing.T) {
	b := onShared(t, shops())
	b.target = b.openWith(t, pipeline, load.WithDeletes(load.DeleteSoft))
	b.run(t, b.insertsOf(t, shop(5, "gone"), shop(2399, "gone")))
	b.run(t, b.deletesOf(t, shop(5, "gone"), shop(2399, "gone")))
	all := b.shopsOf(t, bulkRows, "a")
	if got := b.commitSet(t, b.set(t, all)); got != 1 { // the first batch and the last lack a row each
		t.Errorf("got %d prepared inserts, want 1", got)
	}
	_, got := b.readTable(t, connect(t, b.target))
	wantRows(t, got, all)
}

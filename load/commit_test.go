package load_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"jstsync/diff"
	"jstsync/internal/mysqltest"
	"jstsync/load"
)

// awkward are values that have been lost or changed on the way by one program or another.
func awkward() (texts, ints, times []diff.Value) {
	for _, s := range []string{
		"", " ", "a ", "店铺😀", "\U0010FFFF", `'"`, "''", `\`, `\'`, `\\n`, "\x00", "a\x00b", "\r\n\t\x1a", "?", "%s", "NULL", "null", "0", "é", "e\u0301", "-- ", "/*", "\u2028", strings.Repeat("漢", 255),
	} {
		texts = append(texts, diff.TextValue(s))
	}
	for _, n := range []int64{0, 1, -1, 1<<63 - 1, -1 << 63, 1 << 53, 1<<53 + 1, -1<<63 + 1, 99} {
		ints = append(ints, diff.IntValue(n))
	}
	for _, s := range []string{"2026-11-22 10:00:00.000", "2026-11-22 10:00:00.001", "1000-01-01 00:00:00.000", "9999-12-31 23:59:59.999", "2024-02-29 00:00:00.500"} {
		times = append(times, diff.TextValue(s))
	}
	null := diff.Value{}
	return append(texts, null), append(ints, null), append(times, null)
}

func TestSession_Commit_Values(t *testing.T) {
	b := onShared(t, shops())
	texts, ints, times := awkward()
	at := func(round int) map[diff.Key]diff.Row {
		now := map[diff.Key]diff.Row{}
		for i := range 60 {
			id := diff.IntValue(int64(i))
			if i < 4 {
				id = ints[3+i%2]
			}
			n := i + round*7
			r := diff.Row{id, texts[n%len(texts)], ints[n%len(ints)], times[n%len(times)], texts[(n*5+1)%len(texts)]}
			now[b.key(t, r)] = r
		}
		return now
	}
	b.commit(t, at(0))
	for round := range 8 {
		b.commit(t, at(round+1)) // a batch of updates that mixes NULL and value in every column
	}
	gone := map[diff.Key]diff.Row{}
	for k := range b.rows {
		gone[k] = nil
	}
	b.commit(t, gone)
	all := diff.Row{diff.IntValue(5), {}, {}, {}, {}}
	b.commit(t, map[diff.Key]diff.Row{b.key(t, all): all})
	full := diff.Row{diff.IntValue(5), texts[0], ints[0], times[0], texts[1]}
	b.commit(t, map[diff.Key]diff.Row{b.key(t, all): full})
	b.commit(t, map[diff.Key]diff.Row{b.key(t, all): all})
}

func TestSession_Commit_Checkpoint(t *testing.T) {
	b := onShared(t, shops())
	b.commit(t, b.shopsOf(t, 1, "a"))
	var at string
	var version int
	if err := b.db.QueryRow("SELECT committed_at, hash_version FROM jstsync_checkpoint").Scan(&at, &version); err != nil {
		t.Fatal(err)
	}
	if at != "2026-11-22 10:00:00.123456" || version != diff.HashVersion {
		t.Errorf("got %s, %d", at, version)
	}
	if cp := b.checkpoint(t); cp.Epoch != 1 || cp.Target != "jst_shops" {
		t.Errorf("got %+v, want epoch 1 still", cp)
	}
}

func TestSession_Commit_Batches(t *testing.T) {
	b := onShared(t, shops())
	com := func(name string, want int64, f func()) {
		t.Helper()
		before := mysqltest.Status(t, b.dsn, "Com_"+name)
		f()
		if got := mysqltest.Status(t, b.dsn, "Com_"+name) - before; got != want {
			t.Errorf("got %d statements %s, want %d", got, name, want)
		}
	}
	b.begin(t)
	com("insert", 5, func() { b.commit(t, b.shopsOf(t, 5000, "first")) })

	now := map[diff.Key]diff.Row{}
	i := 0
	for k, r := range b.rows {
		if i++; i > 1000 {
			break
		}
		r = append(diff.Row(nil), r...)
		r[1+i%4] = diff.Value{}
		if i%3 == 0 {
			r[4] = diff.TextValue(strings.Repeat("x", i))
		}
		if _, changed := diff.Compare(k, b.rows[k], r); !changed {
			r[2] = diff.IntValue(1 << 40)
		}
		now[k] = r
	}
	com("update_multi", int64((1000+load.MaxUpdateRows-1)/load.MaxUpdateRows), func() { b.commit(t, now) })

	gone := map[diff.Key]diff.Row{}
	for k := range b.rows {
		if len(gone) < 2500 {
			gone[k] = nil
		}
	}
	com("delete", 3, func() { b.commit(t, gone) })

	now = b.shopsOf(t, 4000, "all at once") // inserts and updates
	for k := range b.rows {
		if now[k] == nil {
			now[k] = nil
		}
	}
	b.commit(t, now)
}

// Keys of text and integer, compared by the collation of the product's table and of tables made by hand.
func TestSession_Commit_CompositeKey(t *testing.T) {
	for _, collation := range []string{"managed", "VARBINARY", "utf8mb4_bin", "utf8mb4_nopad_bin", "utf8mb4_general_ci", "utf8mb4_unicode_ci", "utf8mb4_uca1400_ai_ci"} {
		t.Run(collation, func(t *testing.T) {
			b := onShared(t, composite())
			if collation != "managed" {
				mustExec(t, b.db, load.CreateTable(b.table, strings.TrimPrefix(collation, "VARBINARY")))
			}
			codes := []string{"a", "b?", `c'\`, "漢", "%", "/", strings.Repeat("z", 64), "\x00"}
			exact := collation == "managed" || collation == "VARBINARY" || collation == "utf8mb4_nopad_bin"
			if exact || strings.HasSuffix(collation, "_bin") {
				codes = append(codes, "", "A", "á", "a\u0301", "ß", "ss", "😀", "😁")
			}
			if exact {
				codes = append(codes, "a ", " a")
			}
			rows := func(v string) map[diff.Key]diff.Row {
				now := map[diff.Key]diff.Row{}
				for i, code := range codes {
					for n := range int64(100) {
						at := diff.IntValue((n - 50) << 57)
						r := diff.Row{diff.TextValue(v + code), diff.TextValue(code), at, diff.IntValue(n + int64(i))}
						now[b.key(t, r)] = r
					}
				}
				return now
			}
			b.commit(t, rows("first"))
			b.commit(t, rows("second"))
			gone := map[diff.Key]diff.Row{}
			for k := range b.rows {
				if len(gone) < len(b.rows)*3/4 {
					gone[k] = nil
				}
			}
			b.commit(t, gone)
			b.commit(t, rows("third"))
		})
	}
}

// fails makes a run that must fail with nothing written.
func (b *bench) fails(t *testing.T, set *diff.ChangeSet, code diff.Code, texts ...string) {
	t.Helper()
	s, cp := b.begin(t)
	before := fmt.Sprint(b.read(t))
	err := s.Commit(t.Context(), b.intent(cp, set), set, durable)
	wantError(t, err, code, texts...)
	eventuallyIdle(t, b.db)
	if got := fmt.Sprint(b.read(t)); got != before {
		t.Errorf("the table was changed:\ngot  %s\nwant %s", got, before)
	}
	if got := b.checkpoint(t); got != cp {
		t.Errorf("the checkpoint was changed to %+v, want %+v", got, cp)
	}
	if _, err := s.Begin(t.Context(), b.head); err == nil {
		t.Error("the session works on after an error")
	}
}

func TestSession_Commit_Divergence(t *testing.T) {
	b := onShared(t, shops())
	b.commit(t, b.shopsOf(t, 10, "ours"))
	mustExec(t, b.db, "INSERT INTO jst_shops (shop_id) VALUES (77)")
	mustExec(t, b.db, "DELETE FROM jst_shops WHERE shop_id = 5")

	b.fails(t, b.insertsOf(t, shop(70, "a"), shop(77, "b"), shop(78, "c")), diff.CodeDiverged, "already holds a row that this run would insert", "'77'", "verify --repair")
	b.fails(t, b.insertsOf(t, shop(77, "b")), diff.CodeDiverged, "(key 77)")
	b.fails(t, b.set(t, map[diff.Key]diff.Row{b.key(t, shop(5, "")): shop(5, "new")}), diff.CodeDiverged, "holds 0 of 1 rows that this run would update (key 5)", "verify --repair")
	some := map[diff.Key]diff.Row{}
	for k := range b.rows {
		some[k] = shop(b.rows[k][0].Int(), "new")
	}
	b.fails(t, b.set(t, some), diff.CodeDiverged, "holds 9 of 10 rows that this run would update (keys 0 to 9)")
	for k := range some {
		some[k] = nil
	}
	b.fails(t, b.set(t, some), diff.CodeDiverged, "holds 9 of 10 rows that this run would delete (keys 0 to 9)")
	b.fails(t, b.set(t, map[diff.Key]diff.Row{b.key(t, shop(5, "")): nil}), diff.CodeDiverged, "(key 5)")

	// A row that is there and holds already what the run would write is no divergence.
	mustExec(t, b.db, "INSERT INTO jst_shops (shop_id) VALUES (5)")
	mustExec(t, b.db, "DELETE FROM jst_shops WHERE shop_id = 77")
	mustExec(t, b.db, "UPDATE jst_shops SET shop_name = 'new 6' WHERE shop_id = 6")
	b.commit(t, b.shopsOf(t, 10, "new"))
}

func TestSession_Commit_ForeignRows(t *testing.T) {
	b := onShared(t, shops())
	b.begin(t)
	mustExec(t, b.db, "INSERT INTO jst_shops (shop_id) VALUES (9)")
	b.fails(t, b.insertsOf(t, shop(1, "a")), diff.CodeForeignRows, "table jst_shops holds rows that no run wrote", "state rebuild")
	mustExec(t, b.db, "DELETE FROM jst_shops")
	b.commit(t, b.shopsOf(t, 1, "a"))
	mustExec(t, b.db, "INSERT INTO jst_shops (shop_id) VALUES (9)")
	s, cp := b.begin(t)
	set := b.set(t, map[diff.Key]diff.Row{b.key(t, shop(0, "")): shop(0, "later")})
	if err := s.Commit(t.Context(), b.intent(cp, set), set, durable); err != nil {
		t.Errorf("a later run beside a foreign row: %v", err)
	}
}

func TestSession_Commit_StatementError(t *testing.T) {
	b := onShared(t, shops())
	b.commit(t, b.shopsOf(t, 10, "ours"))
	set := diff.NewChangeSet(b.table.Names())
	for i := range int64(2500) {
		r := shop(100+i, "ok")
		if i == 2400 {
			r[1] = diff.TextValue(strings.Repeat("x", 256))
		}
		set.Add(diff.Change{Op: diff.Insert, Key: b.key(t, r), After: r}, 1)
	}
	for k, r := range b.rows {
		set.Add(diff.Change{Op: diff.Delete, Key: k, Before: r}, 0)
	}
	b.fails(t, set, diff.CodeTarget, "Data too long", "table jst_shops")

	bad := shop(1, "new")
	bad[3] = diff.TextValue("2026-02-30 00:00:00.000")
	b.fails(t, b.set(t, map[diff.Key]diff.Row{b.key(t, bad): bad}), diff.CodeTarget, "datetime")
}

func TestSession_Commit_Cancelled(t *testing.T) {
	b := onShared(t, shops())
	s, cp := b.begin(t)
	set := b.insertsOf(t, shop(1, "a"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Commit(ctx, b.intent(cp, set), set, durable); err == nil {
		t.Error("got no error")
	}
	eventuallyIdle(t, b.db)
	b.check(t)
}

// Of two sessions upon one base exactly one commits.
func TestSession_Commit_Race(t *testing.T) {
	b := onShared(t, shops())
	for round := range 6 {
		sets := make([]*diff.ChangeSet, 2)
		intents := make([]*diff.Intent, 2)
		sessions := make([]*load.Session, 2)
		errs := make([]error, 2)
		for i := range sessions {
			var cp diff.Checkpoint
			sessions[i], cp = b.begin(t)
			sets[i] = b.insertsOf(t, shop(int64(round*100+i), "a"), shop(int64(round*100+10), fmt.Sprint("of ", i)))
			intents[i] = b.intent(cp, sets[i])
		}
		var wait sync.WaitGroup
		for i := range sessions {
			wait.Go(func() { errs[i] = sessions[i].Commit(t.Context(), intents[i], sets[i], durable) })
		}
		wait.Wait()
		won := 0
		if errs[0] != nil {
			won = 1
		}
		if errs[won] != nil {
			t.Fatalf("round %d: both failed: %v, %v", round, errs[0], errs[1])
		}
		wantError(t, errs[1-won], diff.CodeDiverged, "another writer moved the checkpoint of pipeline shops")
		for c, err := range sets[won].All() {
			if err != nil {
				t.Fatal(err)
			}
			b.rows[c.Key] = c.After
		}
		b.head = intents[won].To()
		b.check(t)
	}
}

// What the fence compares: a row that differs in any one of these is somebody else's.
func TestSession_Commit_Fence(t *testing.T) {
	for _, column := range []string{"epoch = epoch + 1", "seq = seq + 1", "run_id = REVERSE(run_id)", "instance = REVERSE(instance)"} {
		t.Run(column, func(t *testing.T) {
			b := onShared(t, shops())
			b.commit(t, b.shopsOf(t, 2, "a"))
			s, cp := b.begin(t)
			mustExec(t, b.db, "UPDATE jstsync_checkpoint SET "+column)
			set := b.insertsOf(t, shop(50, "late"))
			wantError(t, s.Commit(t.Context(), b.intent(cp, set), set, durable), diff.CodeDiverged, "another writer")
			if got := len(b.read(t)); got != 2 {
				t.Errorf("got %d rows, want 2", got)
			}
		})
	}
}

// On a server of its own: the packet limit, and what is sent after an error.
func TestSession_Commit_OwnServer(t *testing.T) {
	const packet = 64 << 10
	server := mysqltest.Start(t, fmt.Sprintf("--max-allowed-packet=%d", packet))
	b := newBench(t, server.DSN(), shops())
	long := func(n int, c string) map[diff.Key]diff.Row {
		now := map[diff.Key]diff.Row{}
		for i := range int64(n) {
			r := shop(i, c)
			r[4] = diff.TextValue(strings.Repeat(c, 1024))
			now[b.key(t, r)] = r
		}
		return now
	}
	t.Run("packet limit", func(t *testing.T) {
		b.commit(t, long(300, "'"))
		b.commit(t, long(300, "\x00"))
		b.commit(t, long(300, "😀"))
	})

	mustExec(t, b.db, "SET GLOBAL log_output = 'TABLE'")
	mustExec(t, b.db, "SET GLOBAL general_log = ON")
	missing := b.set(t, map[diff.Key]diff.Row{b.key(t, shop(1, "")): shop(1, "changed"), b.key(t, shop(2, "")): nil, b.key(t, shop(900, "")): shop(900, "x")})
	mustExec(t, b.db, "DELETE FROM jst_shops WHERE shop_id = 1")
	for name, test := range map[string]struct {
		set  *diff.ChangeSet
		last string
	}{
		"duplicate":   {b.insertsOf(t, shop(3, "x")), "INSERT INTO `jst_shops`"},
		"missing row": {missing, "UPDATE `jst_shops`"},
		"too long":    {b.insertsOf(t, shop(3000, strings.Repeat("x", 300))), "INSERT INTO `jst_shops`"},
	} {
		t.Run(name, func(t *testing.T) {
			s, cp := b.begin(t)
			if err := s.Commit(t.Context(), b.intent(cp, test.set), test.set, durable); err == nil {
				t.Fatal("Commit: got no error")
			}
			if err := s.Commit(t.Context(), b.intent(cp, test.set), test.set, durable); err == nil {
				t.Fatal("Commit again: got no error")
			}
			eventuallyIdle(t, b.db)
			sent := b.sent(t)
			if n := len(sent); n < 3 || !strings.Contains(sent[n-1], test.last) || sent[0] != "START TRANSACTION" || !strings.HasPrefix(sent[1], "UPDATE jstsync_checkpoint") {
				t.Errorf("sent from the transaction's start on: %.100q, want %q to be the last", sent, test.last)
			}
		})
	}
	mustExec(t, b.db, "SET GLOBAL general_log = OFF")
}

// sent returns the queries of the newest session that began a transaction, from there on.
func (b *bench) sent(t *testing.T) (all []string) {
	t.Helper()
	time.Sleep(50 * time.Millisecond)
	rows, err := b.db.Query("SELECT CONVERT(argument USING utf8mb4) FROM mysql.general_log WHERE command_type = 'Query'" +
		" AND thread_id = (SELECT MAX(thread_id) FROM mysql.general_log WHERE argument = 'START TRANSACTION')" +
		" ORDER BY event_time")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var q string
		if err := rows.Scan(&q); err != nil {
			t.Fatal(err)
		}
		if q == "START TRANSACTION" {
			all = nil
		}
		all = append(all, q)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

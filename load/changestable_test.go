package load_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"jstsync/diff"
	"jstsync/internal/mysqltest"
	"jstsync/load"
)

// logged is a row of a changes table.
type logged struct {
	run           uint64
	key, op, at   string
	before, after map[string]any
}

func (b *bench) onLog(t *testing.T, where string) []logged {
	t.Helper()
	rows, err := b.db.QueryContext(t.Context(), "SELECT seq, record_key, op, at, fields FROM log WHERE pipeline = 'shops' "+where+" ORDER BY seq, record_key")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all []logged
	for rows.Next() {
		l := logged{before: map[string]any{}, after: map[string]any{}}
		var text string
		if err := rows.Scan(&l.run, &l.key, &l.op, &l.at, &text); err != nil {
			t.Fatal(err)
		}
		var fields []struct {
			Name          string
			Before, After any
		}
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&fields); err != nil {
			t.Fatalf("fields %s: %v", text, err)
		}
		for _, f := range fields {
			l.before[f.Name], l.after[f.Name] = f.Before, f.After
		}
		all = append(all, l)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func withLog(t *testing.T) *bench {
	t.Helper()
	b := onShared(t, shops())
	b.target = b.openWith(t, pipeline, load.WithChangesTable("log"))
	return b
}

// Each change of a run is in the changes table, with what was before and after.
func TestSession_Commit_ChangesTable(t *testing.T) {
	b := withLog(t)
	odd := "店 \\ 'n' \"q\" \t \u2028 🏬 </script>"
	first := diff.Row{diff.IntValue(1<<62 + 1), diff.TextValue(odd), {}, diff.TextValue("2026-01-02 03:04:05.678"), diff.TextValue("")}
	k := b.key(t, first)
	b.commit(t, map[diff.Key]diff.Row{k: first})
	second := slices.Clone(first)
	second[1], second[2] = diff.Value{}, diff.IntValue(-7)
	b.commit(t, map[diff.Key]diff.Row{k: second})
	b.commit(t, map[diff.Key]diff.Row{k: nil})

	got := b.onLog(t, "")
	number := func(n int64) json.Number { return json.Number(fmt.Sprint(n)) }
	want := []logged{
		{
			2, "4611686018427387905", "insert", "2026-11-22 10:00:00.123",
			map[string]any{"shop_id": nil, "shop_name": nil, "created": nil, "url": nil},
			map[string]any{"shop_id": number(1<<62 + 1), "shop_name": odd, "created": "2026-01-02 03:04:05.678", "url": ""},
		},
		{
			4, "4611686018427387905", "update", "2026-11-22 10:00:00.123",
			map[string]any{"shop_name": odd, "co_id": nil},
			map[string]any{"shop_name": nil, "co_id": number(-7)},
		},
		{
			6, "4611686018427387905", "delete", "2026-11-22 10:00:00.123",
			map[string]any{"shop_id": number(1<<62 + 1), "co_id": number(-7), "created": "2026-01-02 03:04:05.678", "url": ""},
			map[string]any{"shop_id": nil, "co_id": nil, "created": nil, "url": nil},
		},
	}
	for i := range want {
		if i >= len(got) || got[i].run != want[i].run || got[i].key != want[i].key || got[i].op != want[i].op || got[i].at != want[i].at ||
			!maps.Equal(got[i].before, want[i].before) || !maps.Equal(got[i].after, want[i].after) {
			t.Errorf("change %d:\ngot  %+v\nwant %+v", i, got, want[i])
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %d changes, want %d", len(got), len(want))
	}
}

// Many changes, sent again after a deadlock and with the answer of COMMIT lost,
// are there once.
func TestSession_Commit_ChangesTable_Once(t *testing.T) {
	b := withLog(t)
	p := mysqltest.NewProxy(t, b.dsn)
	direct := b.target
	b.dsn = p.DSN()
	b.target = b.openWith(t, pipeline, load.WithChangesTable("log"))
	p.Arm("INSERT INTO `log`", mysqltest.ResetReply) // the connection breaks within the transaction: it is sent again
	b.commit(t, b.shopsOf(t, 2500, "a"))
	if n := len(b.onLog(t, "")); n != 2500 {
		t.Errorf("got %d changes, want 2500", n)
	}
	p.Arm("COMMIT", mysqltest.ResetReply)
	set := b.set(t, b.shopsOf(t, 1500, "b"))
	s, cp := b.begin(t)
	in := b.intent(cp, set)
	if err := s.Commit(t.Context(), in, set, durable); err == nil {
		t.Fatal("the answer was lost, and there is no error")
	}
	if committed, err := direct.Resolve(t.Context(), in); err != nil || !committed {
		t.Fatalf("got %t, %v, want it committed", committed, err)
	}
	if n := len(b.onLog(t, "AND op = 'update'")); n != 1500 {
		t.Errorf("got %d updates, want 1500", n)
	}
}

func TestSession_ChangesTable_Existing(t *testing.T) {
	for name, c := range map[string]struct {
		ddl  string
		want []string // in error and remedy; none where it will do
	}{
		"wider": {"CREATE TABLE log (id INT AUTO_INCREMENT PRIMARY KEY, pipeline VARBINARY(255), seq BIGINT, record_key VARBINARY(300)," +
			" op VARCHAR(20), at DATETIME(6), fields LONGTEXT CHARACTER SET utf8mb4, UNIQUE KEY (pipeline, seq, record_key))", nil},
		"engine": {"CREATE TABLE log (pipeline INT) ENGINE=MyISAM", []string{"cannot roll back", "ENGINE=InnoDB", "lacks the column seq", "ADD COLUMN `fields` JSON NOT NULL"}},
		"narrow": {
			load.CreateChanges("log") + "; ALTER TABLE log MODIFY record_key VARBINARY(20) NOT NULL, MODIFY at DATETIME NOT NULL",
			[]string{"record_key as varbinary(20)", "MODIFY COLUMN `at` DATETIME(3) NOT NULL"},
		},
		"no key": {load.CreateChanges("log") + "; ALTER TABLE log DROP PRIMARY KEY", []string{"no primary or unique key over exactly", "ADD UNIQUE KEY"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := withLog(t)
			for q := range strings.SplitSeq(c.ddl, "; ") {
				mustExec(t, b.db, q)
			}
			if c.want == nil {
				b.commit(t, b.shopsOf(t, 3, "a"))
				if n := len(b.onLog(t, "")); n != 3 {
					t.Errorf("got %d changes, want 3", n)
				}
				return
			}
			_, err := connect(t, b.target).Begin(t.Context(), b.head)
			wantError(t, err, diff.CodeTargetSchema, c.want...)
			_, _, err = connect(t, b.target).SchemaPlan(t.Context())
			wantError(t, err, diff.CodeTargetSchema, c.want...)
		})
	}
}

// What is on record of a run already is not written over.
func TestSession_Commit_ChangesTable_Taken(t *testing.T) {
	b := withLog(t)
	b.commit(t, b.shopsOf(t, 2, "a"))
	mustExec(t, b.db, "UPDATE log SET seq = 4")
	set := b.set(t, b.shopsOf(t, 2, "b"))
	s, cp := b.begin(t)
	err := s.Commit(t.Context(), b.intent(cp, set), set, durable)
	wantError(t, err, diff.CodeDiverged, "table log holds changes of run 4", "DELETE FROM `log` WHERE pipeline = 'shops' AND seq >= 4")
	b.check(t)
}

func TestOpen_ChangesTable(t *testing.T) {
	for _, name := range []string{"jst_shops", "JSTSYNC_checkpoint"} {
		_, err := load.Open("u:p@tcp(127.0.0.1:1)/d", pipeline, shops(), nil, load.WithChangesTable(name))
		wantError(t, err, diff.CodeConfig, "changes_table of pipeline shops is "+name)
	}
}

// A change that no statement can carry is named before anything is written.
func TestSession_CheckKeys_ChangesTable(t *testing.T) {
	table := shops()
	table.Columns[4].Type = diff.Type{Base: diff.LongText}
	server := mysqltest.Start(t, "--max-allowed-packet=1M")
	b := newBench(t, server.DSN(), table)
	long := diff.Row{diff.IntValue(7), {}, {}, {}, diff.TextValue(strings.Repeat("\"", 400_000))}
	b.commit(t, map[diff.Key]diff.Row{}) // without a log it fits
	set := b.insertsOf(t, long)
	s, _ := b.begin(t)
	if err := s.CheckKeys(t.Context(), set); err != nil {
		t.Fatal(err)
	}
	b.target = b.openWith(t, pipeline, load.WithChangesTable("log"))
	s, _ = b.begin(t)
	wantError(t, s.CheckKeys(t.Context(), set), diff.CodeTarget, "key 7", "table log", "max_allowed_packet")
}

package load_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"jstsync/diff"
	"jstsync/internal/mysqltest"
	"jstsync/load"
)

func TestMain(m *testing.M) { mysqltest.Main(m) }

const pipeline = "shops"

// shops is a table of every type there is.
func shops() *diff.Table {
	return &diff.Table{
		Name: "jst_shops",
		Columns: []diff.Column{
			{Name: "shop_id", Type: diff.Type{Base: diff.BigInt}, NotNull: true, Comment: "店铺编号"},
			{Name: "shop_name", Type: diff.Type{Base: diff.VarChar, Size: 255}, Comment: `it's a \ "name"`},
			{Name: "co_id", Type: diff.Type{Base: diff.BigInt}},
			{Name: "created", Type: diff.Type{Base: diff.DateTime, Size: 3}, Comment: "创建时间"},
			{Name: "url", Type: diff.Type{Base: diff.VarChar, Size: 1024}},
		},
		Key: []int{0},
	}
}

// bench is a target table on a database of its own, and what should be in it.
type bench struct {
	dsn    string
	db     *sql.DB
	table  *diff.Table
	target *load.Target
	head   diff.Head
	rows   map[diff.Key]diff.Row
	log    *bytes.Buffer
}

func onShared(t testing.TB, table *diff.Table) *bench { return newBench(t, mysqltest.DSN(t), table) }

func newBench(t testing.TB, dsn string, table *diff.Table) *bench {
	t.Helper()
	b := &bench{
		dsn: dsn, db: mysqltest.DB(t, dsn), table: table, log: &bytes.Buffer{},
		head: diff.Head{Instance: diff.ID{0: 0xaa, 15: 0x01}}, rows: map[diff.Key]diff.Row{},
	}
	b.target = b.open(t, pipeline)
	return b
}

func (b *bench) open(t testing.TB, name string) *load.Target { return b.openWith(t, name) }

func (b *bench) openWith(t testing.TB, name string, options ...load.Option) *load.Target {
	t.Helper()
	target, err := load.Open(b.dsn, name, b.table, slog.New(slog.NewTextHandler(b.log, nil)), options...)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return target
}

func connect(t testing.TB, target *load.Target) *load.Session {
	t.Helper()
	s, err := target.Connect(context.Background())
	if err != nil {
		t.Fatalf("Connect: %v", err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// begin connects and begins upon the head.
func (b *bench) begin(t testing.TB) (*load.Session, diff.Checkpoint) {
	t.Helper()
	s := connect(t, b.target)
	cp, err := s.Begin(context.Background(), b.head)
	if err != nil {
		t.Fatalf("Begin: %v", err)
	}
	return s, cp
}

var lastID atomic.Uint32

func newID() (id diff.ID) {
	n := lastID.Add(1)
	return diff.ID{0: 0x5c, 1: 0x27, 2: 0, 13: byte(n >> 16), 14: byte(n >> 8), 15: byte(n)} // with a backslash, a quote and a zero in it
}

// intent returns the intent of a run that commits the set upon the row.
func (b *bench) intent(cp diff.Checkpoint, set *diff.ChangeSet) *diff.Intent {
	return &diff.Intent{
		Run: b.head.Seq + 2, RunID: newID(), Kind: "sync", From: cp, Instance: b.head.Instance,
		Digest: set.Digest(b.head.Digest), CommittedAt: time.Date(2026, 11, 22, 10, 0, 0, 123_456_000, time.UTC), Changes: set.Len(),
	}
}

// set returns the changes that turn the model's rows into these; nil deletes.
func (b *bench) set(t testing.TB, now map[diff.Key]diff.Row) *diff.ChangeSet {
	t.Helper()
	set := diff.NewChangeSet(b.table.Names())
	for _, k := range slices.Sorted(maps.Keys(now)) {
		if c, ok := diff.Compare(k, b.rows[k], now[k]); ok {
			set.Add(c, 1)
		}
	}
	return set
}

// insertsOf returns a set of inserts, whatever the model holds.
func (b *bench) insertsOf(t testing.TB, rows ...diff.Row) *diff.ChangeSet {
	t.Helper()
	set := diff.NewChangeSet(b.table.Names())
	for _, r := range rows {
		set.Add(diff.Change{Op: diff.Insert, Key: b.key(t, r), After: r}, 1)
	}
	return set
}

func (b *bench) key(t testing.TB, r diff.Row) diff.Key {
	t.Helper()
	k, err := b.table.KeyOf(r)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// commit makes a run that must succeed, and compares the table with the model.
func (b *bench) commit(t testing.TB, now map[diff.Key]diff.Row) {
	t.Helper()
	s, cp := b.begin(t)
	set := b.set(t, now)
	in := b.intent(cp, set)
	if err := s.Commit(context.Background(), in, set, durable); err != nil {
		t.Fatalf("Commit: %v", err)
	}
	for k, r := range now {
		if b.rows[k] = r; r == nil {
			delete(b.rows, k)
		}
	}
	b.head = in.To()
	b.check(t)
	_ = s.Close()
}

// check compares the table and the checkpoint row with the model.
func (b *bench) check(t testing.TB) {
	t.Helper()
	got := b.read(t)
	for k, r := range b.rows {
		if !slices.Equal(got[k], r) {
			t.Fatalf("key %s: got row %q, want %q", k, got[k], r)
		}
	}
	if len(got) != len(b.rows) {
		t.Fatalf("got %d rows, want %d", len(got), len(b.rows))
	}
	if cp := b.checkpoint(t); cp.Head != b.head {
		t.Fatalf("got checkpoint %+v, want head %+v", cp, b.head)
	}
}

// read returns the target's rows.
func (b *bench) read(t testing.TB) map[diff.Key]diff.Row {
	t.Helper()
	quote := func(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }
	columns := b.table.Names()
	for i := range columns {
		columns[i] = quote(columns[i])
	}
	rows, err := b.db.Query("SELECT " + strings.Join(columns, ", ") + " FROM " + quote(b.table.Name))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	all := map[diff.Key]diff.Row{}
	for rows.Next() {
		texts := make([]sql.NullString, len(b.table.Columns))
		into := make([]any, len(texts))
		for i := range texts {
			into[i] = &texts[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		r := make(diff.Row, len(texts))
		for i, text := range texts {
			switch {
			case !text.Valid:
			case b.table.Columns[i].Type.Kind() == diff.Int:
				n, err := strconv.ParseInt(text.String, 10, 64)
				if err != nil {
					t.Fatal(err)
				}
				r[i] = diff.IntValue(n)
			default:
				r[i] = diff.TextValue(text.String)
			}
		}
		all[b.key(t, r)] = r
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// checkpoint returns the pipeline's row.
func (b *bench) checkpoint(t testing.TB) (cp diff.Checkpoint) {
	t.Helper()
	var instance, runID, digest []byte
	err := b.db.QueryRow("SELECT target, instance, epoch, seq, run_id, digest FROM jstsync_checkpoint WHERE pipeline = ?", pipeline).
		Scan(&cp.Target, &instance, &cp.Epoch, &cp.Seq, &runID, &digest)
	if err != nil {
		t.Fatalf("read the checkpoint row: %v", err)
	}
	copy(cp.Instance[:], instance)
	copy(cp.RunID[:], runID)
	copy(cp.Digest[:], digest)
	return cp
}

func mustExec(t testing.TB, db *sql.DB, query string, args ...any) {
	t.Helper()
	if _, err := db.Exec(query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// wantError asserts the error's code, and texts that its message, cause or remedy holds.
func wantError(t testing.TB, err error, code diff.Code, texts ...string) {
	t.Helper()
	e, ok := errors.AsType[*diff.Error](err)
	if !ok || e.Code != code {
		t.Fatalf("got error %v (code %s), want code %s", err, diff.CodeOf(err), code)
	}
	for _, text := range texts {
		if !strings.Contains(e.Error()+"\n"+e.Remedy, text) {
			t.Errorf("got %q (remedy %q), want %q in it", e.Error(), e.Remedy, text)
		}
	}
}

// remedy returns what the error tells a person to do.
func remedy(err error) string {
	if e, ok := errors.AsType[*diff.Error](err); ok {
		return e.Remedy
	}
	return ""
}

// eventuallyIdle waits until no transaction is open on the server.
func eventuallyIdle(t testing.TB, db *sql.DB) {
	t.Helper()
	n := -1
	for range 100 {
		if err := db.QueryRow("SELECT COUNT(*) FROM information_schema.INNODB_TRX").Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return
		}
		time.Sleep(150 * time.Millisecond) // the server renews this table only when nobody read it for 100 ms
	}
	t.Errorf("%d transactions stay open", n)
}

func shop(id int64, name string) diff.Row {
	return diff.Row{diff.IntValue(id), diff.TextValue(name), diff.IntValue(-id), diff.TextValue("2026-11-22 10:00:00.123"), {}}
}

// shopsOf returns n rows by key.
func (b *bench) shopsOf(t testing.TB, n int, name string) map[diff.Key]diff.Row {
	t.Helper()
	all := map[diff.Key]diff.Row{}
	for i := range int64(n) {
		r := shop(i, fmt.Sprintf("%s %d", name, i))
		all[b.key(t, r)] = r
	}
	return all
}

// durable says that an intent is.
func durable() error { return nil }

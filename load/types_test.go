package load_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"jstsync/diff"
	"jstsync/load"
)

func column(name, typ string) diff.Column {
	t, err := diff.ParseType(typ)
	if err != nil {
		panic(err)
	}
	return diff.Column{Name: name, Type: t}
}

// typed is a table with a column of every type.
func typed() *diff.Table {
	t := &diff.Table{Name: "typed", Key: []int{0}, Columns: []diff.Column{
		column("id", "INT"), column("big", "BIGINT"), column("money", "DECIMAL(65,30)"), column("price", "DECIMAL(12,2)"), column("whole", "DECIMAL(5,0)"),
		column("name", "VARCHAR(50)"), column("note", "TEXT"), column("at0", "DATETIME"), column("at6", "DATETIME(6)"), column("day", "DATE"),
		column("ok", "BOOL"), column("doc", "JSON"),
	}}
	t.Columns[0].NotNull = true
	return t
}

// typedRows returns rows at the ends of every type's range.
func typedRows() []diff.Row {
	text, num, null := diff.TextValue, diff.IntValue, diff.Value{}
	most := strings.Repeat("9", 35) + "." + strings.Repeat("9", 30)
	least := "0." + strings.Repeat("0", 29) + "1"
	return []diff.Row{
		{num(-1 << 31), num(-1 << 63), text("-" + most), text("-9999999999.99"), text("-99999"), text(""), text(""), text("1000-01-01 00:00:00"), text("1000-01-01 00:00:00.000000"), text("1000-01-01"), num(0), text("{}")},
		{num(1<<31 - 1), num(1<<63 - 1), text(most), text("9999999999.99"), text("99999"), text(strings.Repeat("😀", 50)), text("'\"\\\x00\r\n e\u0301漢 "), text("9999-12-31 23:59:59"), text("9999-12-31 23:59:59.999999"), text("9999-12-31"), num(1), text(`{"b": [1, "漢😀", null, 1.0], "a": "\\ \""}`)},
		{num(0), num(0), text(least), text("0.00"), text("0"), text("a "), text(strings.Repeat("漢", 21845)), text("2024-02-29 12:00:00"), text("2024-02-29 12:00:00.000001"), text("2024-02-29"), num(1), text("[]")},
		{num(7), null, null, null, null, null, null, null, null, null, null, null},
		{num(8), num(9007199254740993), text("-" + least), text("0.10"), text("-1"), text(" a"), text("\u2028"), text("2026-11-22 10:00:00"), text("2026-11-22 10:00:00.100000"), text("2026-11-22"), null, text("null")},
	}
}

// readTable reads the table back, which must work.
func (b *bench) readTable(t testing.TB, s *load.Session) (*diff.Checkpoint, map[diff.Key]diff.Row) {
	t.Helper()
	all := map[diff.Key]diff.Row{}
	var last diff.Key
	cp, err := s.ReadTable(t.Context(), func(k diff.Key, r diff.Row) error {
		if k <= last {
			t.Errorf("key %s comes after %s", k, last)
		}
		last, all[k] = k, r
		return nil
	})
	if err != nil {
		t.Fatalf("ReadTable: %v", err)
	}
	return cp, all
}

func wantRows(t testing.TB, got, want map[diff.Key]diff.Row) {
	t.Helper()
	for k, r := range want {
		if !slices.Equal(got[k], r) {
			t.Errorf("key %s: got %q, want %q", k, got[k], r)
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %d rows, want %d", len(got), len(want))
	}
}

// What is written comes back as it was, for every type, by insert and by update, in our own table and in a wider one.
func TestTypes_RoundTrip(t *testing.T) {
	for name, ddl := range map[string]string{
		"managed": "",
		"wider": "CREATE TABLE typed (id BIGINT PRIMARY KEY, big DECIMAL(30,0), money DECIMAL(65,30), price DECIMAL(30,6), whole DECIMAL(20,3)," +
			" name TEXT, note LONGTEXT, at0 DATETIME(6), at6 DATETIME(6), day DATETIME(3), ok BIGINT, doc LONGTEXT, mine INT) CHARSET utf8mb4",
	} {
		t.Run(name, func(t *testing.T) {
			b := onShared(t, typed())
			if ddl != "" {
				mustExec(t, b.db, ddl)
			}
			rows := typedRows()
			for round := range rows {
				now := map[diff.Key]diff.Row{}
				for i, r := range rows {
					r = append(diff.Row{r[0]}, rows[(i+round)%len(rows)][1:]...)
					now[b.key(t, r)] = r
				}
				s, cp := b.begin(t)
				set := b.set(t, now)
				in := b.intent(cp, set)
				if err := s.Commit(t.Context(), in, set, durable); err != nil {
					t.Fatal(err)
				}
				b.rows, b.head = now, in.To()
				_, got := b.readTable(t, connect(t, b.target))
				wantRows(t, got, now)
			}
		})
	}
}

// Keys of every type that can be one are found again by update and delete, and read in order.
func TestTypes_Keys(t *testing.T) {
	texts := func(all ...string) (values []diff.Value) {
		for _, s := range all {
			values = append(values, diff.TextValue(s))
		}
		return values
	}
	for typ, values := range map[string][]diff.Value{
		"DECIMAL(40,2)": texts("-5.00", "5.00", "10.00", "9.00", "12345678901234567890123456789012345678.90", "12345678901234567890123456789012345678.91", "0.00"),
		"DATETIME":      texts("1000-01-01 00:00:00", "2026-11-22 10:00:00", "2026-11-22 10:00:01", "9999-12-31 23:59:59"),
		"DATETIME(6)":   texts("2026-11-22 10:00:00.000001", "2026-11-22 10:00:00.000002", "2026-11-22 10:00:00.100000"),
		"DATE":          texts("1000-01-01", "2026-11-22"),
		"VARCHAR(60)":   texts("a", "A", "a ", " a", "😀", "😁", "é", "e\u0301", "", "\x00", "a\x00", "ß", "ss", "%", "/", "漢", strings.Repeat("漢", 60)),
		"TEXT":          texts("a", "A", "a "),
		"INT":           {diff.IntValue(-1), diff.IntValue(0), diff.IntValue(1)},
	} {
		t.Run(typ, func(t *testing.T) {
			table := &diff.Table{Name: "keys", Key: []int{1}, Columns: []diff.Column{column("v", "BIGINT"), column("k", typ)}}
			b := onShared(t, table)
			for round := range int64(3) {
				now := map[diff.Key]diff.Row{}
				for i, k := range values {
					r := diff.Row{diff.IntValue(round*100 + int64(i)), k}
					if now[b.key(t, r)] = r; round == 2 && i%2 == 0 {
						now[b.key(t, r)] = nil
					}
				}
				s, cp := b.begin(t)
				set := b.set(t, now)
				in := b.intent(cp, set)
				if err := s.Commit(t.Context(), in, set, durable); err != nil {
					t.Fatal(err)
				}
				b.head = in.To()
				for k, r := range now {
					if b.rows[k] = r; r == nil {
						delete(b.rows, k)
					}
				}
				_, got := b.readTable(t, connect(t, b.target))
				wantRows(t, got, b.rows)
			}
		})
	}
}

func TestDecimalText(t *testing.T) {
	for _, test := range []struct{ text, want, problem string }{
		{"1.5", "1.50", ""},
		{"-0.00", "0.00", ""},
		{".5", "0.50", ""},
		{"007.100", "7.10", ""},
		{"0", "0.00", ""},
		{"-12", "-12.00", ""},
		{"1.505", "1.505", "more than 2 digits"},
		{"123456", "123456.00", "does not fit DECIMAL(6,2)"},
		{"", "", "is no decimal"},
		{"1e3", "1e3", "is no decimal"},
		{"-", "-", "is no decimal"},
		{"1.2.3", "1.2.3", "is no decimal"},
	} {
		got, problem := load.DecimalText(test.text, diff.Type{Base: diff.Decimal, Size: 6, Scale: 2})
		if got != test.want || !strings.Contains(problem, test.problem) || (problem == "") != (test.problem == "") {
			t.Errorf("%q: got %q, %q, want %q, %q", test.text, got, problem, test.want, test.problem)
		}
	}
}

func TestDateTimeText(t *testing.T) {
	for _, test := range []struct {
		text, want string
		digits     int
		fits       bool
	}{
		{"2026-11-22 10:00:00", "2026-11-22 10:00:00", 0, true},
		{"2026-11-22 10:00:00.000", "2026-11-22 10:00:00", 0, true},
		{"2026-11-22 10:00:00", "2026-11-22 10:00:00.000", 3, true},
		{"2026-11-22 10:00:00.120000", "2026-11-22 10:00:00.120", 3, true},
		{"2026-11-22 10:00:00.120001", "2026-11-22 10:00:00.120001", 3, false},
		{"0000-00-00 00:00:00", "0000-00-00 00:00:00", 0, false},
		{"2026-00-10", "2026-00-10", 0, false},
		{"2026-11-00 00:00:00.000", "2026-11-00 00:00:00.000", 3, false},
		{"", "", 0, true},
	} {
		got, problem := load.DateTimeText(test.text, test.digits)
		if got != test.want || (problem == "") != test.fits {
			t.Errorf("%q to %d digits: got %q, %q, want %q", test.text, test.digits, got, problem, test.want)
		}
	}
}

func TestIsOn(t *testing.T) {
	for text, want := range map[string]bool{"0": false, "OFF": false, "off": false, "1": true, "ON": true, "NO_LOCK": true, "NO_LOCK_NO_ADMIN": true} {
		if got := load.IsOn(text); got != want {
			t.Errorf("%s: got %t, want %t", text, got, want)
		}
	}
}

// Defaults and comments of the columns are the server's too, whatever stands in them.
func TestCreateTable_Defaults(t *testing.T) {
	table := typed()
	awkward := "it's \\ \"x\"\n店铺"
	for i, given := range map[int]string{1: " -5 ", 3: "1.5", 5: awkward, 6: "text", 7: "2026-11-22T10:00:00", 8: "2026-11-22", 9: "2026-11-22", 10: "true", 11: "{}"} {
		table.Columns[i].Default = &given
	}
	table.Columns[5].Comment, table.Columns[5].NotNull = awkward, true
	b := onShared(t, table)
	b.begin(t)
	mustExec(t, b.db, "INSERT INTO typed (id) VALUES (1)")
	_, rows := b.readTable(t, connect(t, b.target))
	got := fmt.Sprintf("%q", rows[b.key(t, diff.Row{diff.IntValue(1)})])
	want := fmt.Sprintf("%q", diff.Row{
		diff.IntValue(1), diff.IntValue(-5),
		{},
		diff.TextValue("1.50"),
		{},
		diff.TextValue(awkward),
		{},
		diff.TextValue("2026-11-22 10:00:00"),
		diff.TextValue("2026-11-22 00:00:00.000000"), diff.TextValue("2026-11-22"), diff.IntValue(1),
		{},
	})
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	var comment string
	if err := b.db.QueryRow("SELECT COLUMN_COMMENT FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND COLUMN_NAME = 'name'").Scan(&comment); err != nil || comment != awkward {
		t.Errorf("got comment %q, %v, want %q", comment, err, awkward)
	}
}

package report_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"jstsync/diff"
	"jstsync/internal/mysqltest"
	"jstsync/internal/report"
)

func TestMain(m *testing.M) { mysqltest.Main(m) }

func planSQL(t testing.TB, p *diff.Plan) string {
	t.Helper()
	var b bytes.Buffer
	if err := (report.SQL{}).Plan(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// awkward are texts that a careless quoting would change or run.
func awkward() []string {
	texts := []string{
		"", "NULL", "0x41", `\`, `\\`, `\'`, `'`, `''`, `"`, "`", `\0`, `a\nb`, `C:\新店\`, `'; DROP TABLE t; -- `, `/*! DROP TABLE t */`,
		"a\nb", "a\r\n-- b", "\x00", "\x1a", "\t ", "-- ", "#", "?", "%s", ";", "|| 'x'", family + "母婴", "旧店铺", "é", "e\u0301",
		"\u2028\u2029\u202e\u2066\ufeff\u00a0\u3000", "\ufffd", "🇨🇳", "$1", "{fn now()}", "@x := 1", "<script>",
	}
	for from := rune(0); from < 0x180; from += 64 {
		var all strings.Builder
		for r := from; r < from+64; r++ {
			all.WriteRune(r)
		}
		texts = append(texts, all.String())
	}
	return texts
}

// The statements do to a table what the plan says, whatever the server's mode.
func TestPlanSQL_Executes(t *testing.T) {
	table := &diff.Table{Name: "a `shop` table", Key: []int{1, 0}, Columns: []diff.Column{
		{Name: "id", Type: diff.Type{Base: diff.BigInt}, NotNull: true},
		{Name: "code's", Type: diff.Type{Base: diff.VarChar, Size: 500}, NotNull: true},
		{Name: "店`铺", Type: diff.Type{Base: diff.LongText}},
		{Name: "price", Type: diff.Type{Base: diff.Decimal, Size: 12, Scale: 2}},
		{Name: "created", Type: diff.Type{Base: diff.DateTime, Size: 3}},
	}}
	p, before, after := awkwardPlan(t, table)
	script := planSQL(t, p)
	for _, mode := range []string{"", "NO_BACKSLASH_ESCAPES", "ANSI,NO_BACKSLASH_ESCAPES", "TRADITIONAL,PAD_CHAR_TO_FULL_LENGTH"} {
		t.Run(mode, func(t *testing.T) {
			dsn := mysqltest.DSN(t)
			dsn += map[bool]string{true: "&", false: "?"}[strings.Contains(dsn, "?")]
			db := mysqltest.DB(t, dsn+"multiStatements=true&interpolateParams=true&sql_mode='"+strings.ReplaceAll(mode, ",", "%2C")+"'")
			mustExec(t, db, "CREATE TABLE `a ``shop`` table` (id BIGINT, `code's` VARCHAR(500) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin, "+
				"`店``铺` LONGTEXT CHARACTER SET utf8mb4, price DECIMAL(12,2), created DATETIME(3), PRIMARY KEY (`code's`, id))")
			for _, row := range before {
				args := make([]any, len(row))
				for i, v := range row {
					if args[i] = any(v.Text()); v.Kind() == diff.Int {
						args[i] = v.Int()
					} else if v.IsNull() {
						args[i] = nil
					}
				}
				mustExec(t, db, "INSERT INTO `a ``shop`` table` VALUES (?, ?, ?, ?, ?)", args...)
			}
			if mode != "" {
				var got string
				if err := db.QueryRow("SELECT @@sql_mode").Scan(&got); err != nil || !strings.Contains(got, "NO_BACKSLASH_ESCAPES") && !strings.Contains(got, "PAD_CHAR") {
					t.Fatalf("sql_mode is %q, %v", got, err)
				}
			}
			mustExec(t, db, script)
			if got, want := tableRows(t, db), rowsText(after); !slices.Equal(got, want) {
				t.Errorf("got %d rows\n%q\nwant %d\n%q", len(got), got, len(want), want)
			}
		})
	}
}

// awkwardPlan returns a plan that deletes, updates and inserts every awkward
// text, as key and as value, and the table's rows before and after it.
func awkwardPlan(t *testing.T, table *diff.Table) (p *diff.Plan, before, after []diff.Row) {
	row := func(id int64, code, name, price string) diff.Row {
		r := diff.Row{diff.IntValue(id), diff.TextValue(code), diff.TextValue(name), diff.TextValue(price), diff.TextValue("2026-11-22 18:00:00.125")}
		if price == "" {
			r[2], r[3] = diff.Value{}, diff.Value{}
		}
		return r
	}
	var pairs [][2]diff.Row
	for i, s := range awkward() {
		n := int64(i)
		pairs = append(pairs,
			[2]diff.Row{row(n, s, "gone "+s, "1.50"), nil},
			[2]diff.Row{row(1000+n, s, s+"x", ""), row(1000+n, s, "new"+s, "-0.01")},
			[2]diff.Row{row(2000+n, s, s, "2.00"), row(2000+n, s, "", "")},
			[2]diff.Row{nil, row(-9223372036854775808+n, s, s, "9999999999.99")})
	}
	for _, pair := range pairs {
		if pair[0] != nil {
			before = append(before, pair[0])
		}
		if pair[1] != nil {
			after = append(after, pair[1])
		}
	}
	p = planOf(t, table, pairs...)
	p.Pipeline = "a\nDROP TABLE t; -- "
	p.Quarantine = []diff.Quarantined{{Key: "1\nDROP TABLE t;", Reason: "\u2028DROP TABLE t;"}}
	return p, before, after
}

func mustExec(t *testing.T, db *sql.DB, query string, args ...any) {
	t.Helper()
	if _, err := db.Exec(query, args...); err != nil {
		t.Fatal(err)
	}
}

func tableRows(t *testing.T, db *sql.DB) []string {
	rows, err := db.Query("SELECT id, `code's`, `店``铺`, price, created FROM `a ``shop`` table`")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var id int64
		var texts [4]sql.NullString
		if err := rows.Scan(&id, &texts[0], &texts[1], &texts[2], &texts[3]); err != nil {
			t.Fatal(err)
		}
		list = append(list, fmt.Sprint(id, texts))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(list)
	return list
}

func rowsText(rows []diff.Row) []string {
	var list []string
	for _, row := range rows {
		var texts [4]sql.NullString
		for i, v := range row[1:] {
			texts[i] = sql.NullString{String: v.Text(), Valid: !v.IsNull()}
		}
		list = append(list, fmt.Sprint(row[0].Int(), texts))
	}
	slices.Sort(list)
	return list
}

// Everything outside of statements is comment, and every line is one of both.
func TestPlanSQL_Lines(t *testing.T) {
	statement := regexp.MustCompile("^(SET NAMES utf8mb4|(DELETE FROM|UPDATE|INSERT INTO) `jst_shops` .*);$")
	inOrder := regexp.MustCompile(`^[- ]+S[- ]+[D ]+([- ]+[U -]+)?([- ]+[I ]+)?$`)
	p := held(t)
	p.Withheld = diff.Withheld{Keys: []diff.Key{"x"}, Reason: hard}
	p.Quarantine = []diff.Quarantined{{Key: hard, Reason: hard}}
	for _, p := range []*diff.Plan{mixed(t), p} {
		order := ""
		for line := range strings.SplitSeq(planSQL(t, p), "\n") {
			if line != "" && !strings.HasPrefix(line, "-- ") && !statement.MatchString(line) {
				t.Errorf("got line %q", line)
			}
			order += string((line + " ")[0])
		}
		if !inOrder.MatchString(order) {
			t.Errorf("lines begin with %s", order)
		}
	}
}

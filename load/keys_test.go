package load_test

import (
	"fmt"
	"strings"
	"testing"

	"jstsync/diff"
	"jstsync/internal/mysqltest"
	"jstsync/load"
)

func coded() *diff.Table {
	t := &diff.Table{Name: "coded", Key: []int{0, 1}, Columns: []diff.Column{column("code", "VARCHAR(60)"), column("n", "BIGINT"), column("v", "VARCHAR(20)")}}
	t.Columns[0].NotNull, t.Columns[1].NotNull = true, true
	return t
}

func code(text string, n int64) diff.Row {
	return diff.Row{diff.TextValue(text), diff.IntValue(n), diff.TextValue("v")}
}

// pairs are keys that one collation or another takes for one.
var pairs = [][2]string{{"a", "A"}, {"a", "a "}, {"😀", "😁"}, {"é", "e"}, {"ß", "ss"}}

// In a table of ours every text is a key of its own, whatever is done to it.
func TestSession_Keys_Managed(t *testing.T) {
	b := onShared(t, coded())
	for round := range 3 {
		now := map[diff.Key]diff.Row{}
		for i, p := range pairs {
			for j, text := range p {
				r := code(text, 1)
				r[2] = diff.TextValue(fmt.Sprint(round, i, j))
				if now[b.key(t, r)] = r; round == 2 && j == 1 {
					now[b.key(t, r)] = nil
				}
			}
		}
		b.commit(t, now)
	}
}

// In a table made by hand, keys that its collation merges are refused before the transaction, and both are named.
func TestSession_CheckKeys(t *testing.T) {
	for collation, merged := range map[string]string{
		"utf8mb4_general_ci": "aA,aa ,😀😁,ée", "utf8mb4_unicode_ci": "aA,aa ,😀😁,ée,ßss", "utf8mb4_uca1400_ai_ci": "aA,aa ,ée,ßss", "utf8mb4_bin": "aa ",
		"utf8mb4_unicode_nopad_ci": "aA,😀😁,ée,ßss", "utf8mb4_nopad_bin": "",
	} {
		t.Run(collation, func(t *testing.T) {
			b := onShared(t, coded())
			mustExec(t, b.db, load.CreateTable(b.table, collation))
			b.commit(t, map[diff.Key]diff.Row{b.key(t, code("first", 0)): code("first", 0)})
			check := func(set *diff.ChangeSet, refused bool, texts ...string) {
				t.Helper()
				s, _ := b.begin(t)
				err := s.CheckKeys(t.Context(), set)
				if !refused && err != nil {
					t.Errorf("CheckKeys: %v", err)
				}
				if refused {
					wantError(t, err, diff.CodeTargetSchema, append(texts, collation, "for one", "MODIFY COLUMN `code` varchar(60) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL")...)
				}
			}
			for _, p := range pairs {
				one, other := code(p[0], 7), code(p[1], 7)
				refused := strings.Contains(","+merged+",", ","+p[0]+p[1]+",")
				both := []string{fmt.Sprintf("%q", p[0]+"/7"), fmt.Sprintf("%q", p[1]+"/7")}
				check(b.insertsOf(t, one, code("between", 7), other), refused, both...)
				check(b.insertsOf(t, one, code(p[1], 8)), false)

				// beside a row that is there
				b.commit(t, map[diff.Key]diff.Row{b.key(t, one): one})
				check(b.insertsOf(t, other), refused, append(both, "which the table holds")...)
				if refused {
					b.fails(t, b.insertsOf(t, other), diff.CodeTargetSchema, both...)
				}
				// which goes in the same run
				b.commit(t, map[diff.Key]diff.Row{b.key(t, one): nil, b.key(t, other): other})
				b.commit(t, map[diff.Key]diff.Row{b.key(t, other): nil})
			}
		})
	}
}

// The check costs a table of ours nothing, and many keys are checked at once.
func TestSession_CheckKeys_Cost(t *testing.T) {
	b := onShared(t, coded())
	b.begin(t)
	var rows []diff.Row
	for i := range int64(3000) {
		rows = append(rows, code(strings.Repeat("漢", 60), i))
	}
	s, _ := b.begin(t)
	questions := mysqltest.Status(t, b.dsn, "Questions")
	if err := s.CheckKeys(t.Context(), b.insertsOf(t, rows...)); err != nil {
		t.Error(err)
	}
	if got := mysqltest.Status(t, b.dsn, "Questions") - questions; got > 1 { // reading the status is one
		t.Errorf("%d questions were asked of a table that tells all keys apart", got-1)
	}
	mustExec(t, b.db, "ALTER TABLE coded MODIFY code VARCHAR(60) COLLATE utf8mb4_general_ci NOT NULL")
	s, _ = b.begin(t)
	set := b.insertsOf(t, append(rows, code("z", 1), code("Z", 1))...)
	wantError(t, s.CheckKeys(t.Context(), set), diff.CodeTargetSchema, `"Z/1" and "z/1"`)
}

// Without the right to make temporary tables the insert itself is the check.
func TestSession_CheckKeys_NoGrant(t *testing.T) {
	b := onShared(t, coded())
	mustExec(t, b.db, load.CreateTable(b.table, "utf8mb4_general_ci"))
	var name string
	if err := b.db.QueryRow("SELECT DATABASE()").Scan(&name); err != nil {
		t.Fatal(err)
	}
	mustExec(t, b.db, "CREATE USER IF NOT EXISTS jst_plain@'%' IDENTIFIED BY 's3cret'")
	t.Cleanup(func() { mustExec(t, b.db, "DROP USER jst_plain@'%'") })
	mustExec(t, b.db, "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE ON "+name+".* TO jst_plain@'%'")
	b.dsn = asUser(t, b.dsn, "jst_plain", "s3cret")
	b.target = b.open(t, pipeline)
	b.commit(t, map[diff.Key]diff.Row{b.key(t, code("a", 1)): code("a", 1)})
	s, cp := b.begin(t)
	set := b.insertsOf(t, code("A", 1))
	wantError(t, s.Commit(t.Context(), b.intent(cp, set), set, durable), diff.CodeDiverged, "already holds a row")
	if !strings.Contains(b.log.String(), "GRANT CREATE TEMPORARY TABLES") {
		t.Errorf("got log %s, want the missing right named", b.log)
	}
}

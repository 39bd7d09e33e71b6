package report_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jstsync/diff"
)

var updateGolden = flag.Bool("update", false, "write the golden files under testdata")

// golden compares with testdata/name.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *updateGolden {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

// shops is a small table of them.
func shops() *diff.Table {
	text := diff.Type{Base: diff.VarChar, Size: 255}
	return &diff.Table{Name: "jst_shops", Key: []int{0}, Columns: []diff.Column{
		{Name: "shop_id", Type: diff.Type{Base: diff.BigInt}, NotNull: true},
		{Name: "shop_name", Type: text},
		{Name: "created", Type: diff.Type{Base: diff.DateTime, Size: 3}},
		{Name: "shop_url", Type: text},
		{Name: "group_id", Type: diff.Type{Base: diff.BigInt}},
	}}
}

// shop is a row of the table of shops; "-" makes NULL of a text.
func shop(id int64, name, created, url string, group int64) diff.Row {
	text := func(s string) diff.Value {
		if s == "-" {
			return diff.Value{}
		}
		return diff.TextValue(s)
	}
	return diff.Row{diff.IntValue(id), text(name), text(created), text(url), diff.IntValue(group)}
}

// planOf returns a plan of the changes between the rows before and after, which
// lie side by side, nil for none.
func planOf(t testing.TB, table *diff.Table, pairs ...[2]diff.Row) *diff.Plan {
	t.Helper()
	p := &diff.Plan{
		Pipeline: "shops", Table: table, Status: diff.Planned, Base: diff.Head{Seq: 12},
		Scan: diff.ScanInfo{Pages: 13, Verdict: diff.Complete}, Changes: diff.NewChangeSet(table.Names()),
		Summary: diff.Summary{Read: 1204, Pages: 13, Calls: 14},
	}
	for _, pair := range pairs {
		row := pair[1]
		if row == nil {
			row = pair[0]
		}
		key, err := table.KeyOf(row)
		if err != nil {
			t.Fatal(err)
		}
		c, changed := diff.Compare(key, pair[0], pair[1])
		if !changed {
			t.Fatalf("key %s: nothing changes", key)
		}
		p.Changes.Add(c, 1)
	}
	s := &p.Summary
	s.Insert, s.Update, s.Delete = p.Changes.Count(diff.Insert), p.Changes.Count(diff.Update), p.Changes.Count(diff.Delete)
	s.Unchanged = s.Read - s.Insert - s.Update
	if p.Changes.Len() == 0 {
		p.Status = diff.Unchanged
	}
	return p
}

const family = "👨‍👩‍👧‍👦"

// mixed is a plan with one change of everything that is awkward to print.
func mixed(t testing.TB) *diff.Plan {
	at := "2026-11-22 18:00:00.000"
	long := "https://shop.example.com/" + strings.Repeat("path/", 30) + "?q=店铺"
	return planOf(t, shops(),
		[2]diff.Row{nil, shop(10394540, "新店铺", at, "-", 1)},
		[2]diff.Row{shop(10394533, "旧", at, "-", 1), shop(10394533, "0103测试店铺", at, "", 1)},
		[2]diff.Row{shop(10394534, family+"母婴", at, long, 1), shop(10394534, family+family+"母婴", "-", long+"x", 9007199254740993)},
		[2]diff.Row{shop(10394535, strings.Repeat("旗舰店", 30), at, "a", 1), shop(10394535, strings.Repeat("旗舰店", 31)+family, at, "b", 1)},
		[2]diff.Row{shop(10394999, "旧店铺", at, "-", 1), nil},
		[2]diff.Row{shop(10395000, "-", at, "-", 1), nil},
		[2]diff.Row{shop(-7, `say "hi" \o/`, at, `C:\a`, 1), shop(-7, `say "hi" \o/`, at, `"C:\b"`, 1)},
	)
}

// held is a plan that the guard stopped: 29 of 30 shops gone.
func held(t testing.TB) *diff.Plan {
	var pairs [][2]diff.Row
	for n := range int64(29) {
		pairs = append(pairs, [2]diff.Row{shop(10394500+n, "店铺", "-", "-", n), nil})
	}
	p := planOf(t, shops(), pairs...)
	p.Status = diff.Held
	p.Summary = diff.Summary{Read: 1, Pages: 1, Calls: 2, Unchanged: 1, Delete: 29}
	p.Guard = diff.Guard{MaxDeletes: 5, MaxDeletePercent: 10}.Check(30, 1, 29, 0)
	return p
}

func runs() []diff.Run {
	start := time.Date(2026, 11, 22, 18, 0, 0, 5e6, time.FixedZone("Beijing", 8*3600))
	return []diff.Run{
		{
			Run: 1<<53 + 1, Pipeline: "shops", RunID: diff.ID{1}, Trigger: "sync", Status: diff.Committed,
			Started: start, Ended: start.Add(1234 * time.Millisecond), CommittedAt: start.Add(time.Second),
			Scan: diff.Unstable, ScanNote: "2 keys came twice, the first 10394540",
			Summary:  diff.Summary{Read: 1204, Pages: 13, Calls: 14, Unchanged: 1195, Insert: 3, Update: 5, Delete: 1, Quarantined: 1},
			Withheld: 2, WithheldWhy: "1 records had no readable key", Quarantine: []diff.Quarantined{{Reason: "bad\nkey"}, {Key: "7", Reason: "too long"}},
		},
		{
			Run: 12, Pipeline: "店铺", RunID: diff.ID{2}, Trigger: "sync", Status: diff.Held, Started: start, Ended: start.Add(time.Minute),
			Scan: diff.Complete, Guard: "delete", Summary: diff.Summary{Read: 1, Pages: 1, Calls: 2, Unchanged: 1, Delete: 29},
		},
		{
			Run: 3, Pipeline: "shops", RunID: diff.ID{3}, Trigger: "sync", Status: diff.Failed, Started: start, Ended: start,
			Scan: diff.Partial, Error: "=HYPERLINK(\"x\")\x1b[31m, a \"quote\"\r\nand more", ErrorCode: diff.CodeUnreachable,
		},
		{Run: 2, Pipeline: "-shops", RunID: diff.ID{4}, Trigger: "sync", Status: diff.Pending, Started: start, Scan: diff.Complete},
	}
}

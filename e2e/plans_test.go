package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jstsync/diff"
	"jstsync/internal/report"
)

var printed = time.Date(2026, 11, 22, 18, 0, 0, 0, time.FixedZone("", 8*60*60))

// shops is the table as the product makes it, in short.
func shops() *diff.Table {
	text := diff.Type{Base: diff.VarChar, Size: 255}
	return &diff.Table{Name: "jst_shops", Key: []int{0}, Columns: []diff.Column{
		{Name: "shop_id", Type: diff.Type{Base: diff.BigInt}, NotNull: true, Comment: "店铺编号"},
		{Name: "shop_name", Type: text, Comment: "店铺名称"},
		{Name: "shop_site", Type: text, Comment: "店铺站点"},
		{Name: "shop_url", Type: text, Comment: "店铺网址"},
		{Name: "created", Type: diff.Type{Base: diff.DateTime, Size: 3}, Comment: "创建时间"},
		{Name: "session_expires_at", Type: diff.Type{Base: diff.DateTime, Size: 3}, Comment: "授权过期时间"},
		{Name: "short_name", Type: text, Comment: "店铺简称"},
		{Name: "group_id", Type: diff.Type{Base: diff.BigInt}, Comment: "分组编号"},
		{Name: "group_name", Type: text, Comment: "分组名称"},
	}}
}

// shop is a row; "-" makes NULL of a text.
func shop(id int64, texts ...string) diff.Row {
	row := make(diff.Row, 9)
	row[0], row[7] = diff.IntValue(id), diff.IntValue(int64(len(texts)))
	columns := []int{1, 2, 3, 4, 5, 6, 8}
	for i, s := range texts {
		if s != "-" {
			row[columns[i]] = diff.TextValue(s)
		}
	}
	return row
}

// planOf returns a plan of the changes between rows side by side, nil for none.
func planOf(t testing.TB, pairs ...[2]diff.Row) *diff.Plan {
	t.Helper()
	table := shops()
	p := &diff.Plan{
		Pipeline: "shops", Table: table, Status: diff.Planned, Base: diff.Head{Seq: 12},
		Scan: diff.ScanInfo{Pages: 13, Verdict: diff.Complete}, Changes: diff.NewChangeSet(table.Names()),
		Summary: diff.Summary{Read: 1204, Pages: 13, Calls: 14},
		Guard:   diff.GuardVerdict{Rows: 1202},
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
	s.Unchanged = max(0, s.Read-s.Insert-s.Update)
	return p
}

const hostile = `<script>alert(1)</script>"'><img src=https://evil.example/x onerror=alert(1)>`

// typical is a plan as most are, with some names that are hard to show.
func typical(t testing.TB) *diff.Plan {
	const at, soon, later = "2024-03-18 09:30:00.000", "2026-12-01 00:00:00.000", "2027-12-01 00:00:00.000"
	long := "https://shop.example.com/store/" + strings.Repeat("category/", 12) + "index.html?from=erp&lang="
	p := planOf(t,
		[2]diff.Row{shop(10394533, "晴川食品工厂店", "淘宝", "https://qingchuan.example.com", at, soon, "晴川", "食品"), shop(10394533, "晴川食品旗舰店🎉", "淘宝", "https://qingchuan.example.com", at, later, "晴川", "食品")},
		[2]diff.Row{shop(10394541, "远山亲子👨‍👩‍👧‍👦店", "京东", "-", at, soon, "", "母婴"), shop(10394541, "远山亲子👨‍👩‍👧店", "京东", "https://yuanshan.example.com/", at, soon, "远山", "母婴")},
		[2]diff.Row{shop(10394562, "木与石家居", "拼多多", long+"zh", at, soon, "木石", "家居"), shop(10394562, "木与石家居", "拼多多", long+"en", at, soon, "木石", "家居")},
		[2]diff.Row{shop(10394570, "西湖龙井 专营店", "抖音", "-", at, soon, "龙井", "茶"), shop(10394570, "西湖龙井\n\u202e专营店", "抖音", "-", at, soon, "龙井", "茶")},
		[2]diff.Row{shop(10394580, "حبر وورق", "Shopee", "-", at, "-", "ink", "海外"), shop(10394580, "حبر وورق ٢", "Shopee", "-", at, "-", "ink", "海外")},
		[2]diff.Row{nil, shop(10394601, "新岸户外旗舰店", "天猫", "https://xinan.example.com", at, later, "新岸", "户外")},
		[2]diff.Row{nil, shop(10394602, hostile, "天猫", "javascript:alert(1)", at, later, "-", "-")},
		[2]diff.Row{nil, shop(10394603, "白鹭文具店", "淘宝", "-", at, later, "白鹭", "文具")},
		[2]diff.Row{shop(10394999, "旧时光杂货铺", "淘宝", "https://old.example.com", at, "-", "旧时光", "杂货"), nil})
	withheld, _ := diff.NewKey(diff.IntValue(10394777))
	p.Withheld = diff.Withheld{Keys: []diff.Key{withheld}, Reason: "the answer did not hold the control record 10394533, which the pages had shown"}
	p.Quarantine = []diff.Quarantined{
		{Key: "10394810", Reason: `member created: "2024-02-30" is not a date (column created DATETIME(3))`},
		{Reason: `unreadable key: member shop_id: "abc" is not an integer (column shop_id BIGINT)`},
	}
	p.Summary.Quarantined = 2
	return p
}

// held is a plan that the guard stopped.
func held(t testing.TB) *diff.Plan {
	var pairs [][2]diff.Row
	for n := range int64(29) {
		pairs = append(pairs, [2]diff.Row{shop(10394500+n, fmt.Sprintf("店铺 %d 号", n+1), "淘宝", "-", "2024-03-18 09:30:00.000", "-", "-", "食品"), nil})
	}
	p := planOf(t, pairs...)
	p.Status, p.Summary = diff.Held, diff.Summary{Read: 1, Pages: 1, Calls: 2, Unchanged: 1, Delete: 29}
	p.Guard = diff.Guard{MaxDeletes: 5, MaxDeletePercent: 10}.Check(30, 1, 29, 0)
	p.Scan = diff.ScanInfo{Pages: 1, Verdict: diff.Unstable, Note: "2 keys came twice, the first 10394540"}
	return p
}

// many is a plan of n changes, a third of each kind.
func many(t testing.TB, n int64) *diff.Plan {
	var pairs [][2]diff.Row
	for i := range n {
		one := shop(10000000+i, fmt.Sprintf("店铺 %d 号", i), "淘宝", "https://shop.example.com", "2024-03-18 09:30:00.000", "-", "简称", "食品")
		two := shop(10000000+i, fmt.Sprintf("新店铺 %d 号", i), "淘宝", "https://shop.example.com", "2024-03-18 09:30:00.000", "-", "简称", "食品")
		pairs = append(pairs, [][2]diff.Row{{nil, one}, {one, two}, {one, nil}}[i%3])
	}
	return planOf(t, pairs...)
}

// page writes the plans as a page and returns its path.
func page(t testing.TB, plans ...*diff.Plan) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "plan.html")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	h := report.NewHTML(f, printed)
	for _, p := range plans {
		if err := h.Plan(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

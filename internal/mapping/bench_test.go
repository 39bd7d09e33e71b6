package mapping_test

import "testing"

// A record as the source answers it becomes a row of the default table.
func BenchmarkMapper_Row(b *testing.B) {
	m := shops(b)
	r := record("shop_id", "10394533", "shop_name", `"晴川食品工厂店"`, "co_id", "12252", "shop_site", `"商家自有商城"`,
		"shop_url", "null", "created", `"2023-01-03 09:43:26.487"`, "nick", `"self_5018396669216298128"`,
		"session_expired", `"2028-06-09 16:15:28"`, "session_uid", `"4020541464018"`, "short_name", `""`,
		"group_id", "707", "group_name", `"自有商城"`, "organization", "null")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Row(r); err != nil {
			b.Fatal(err)
		}
	}
}

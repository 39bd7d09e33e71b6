package diff_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"jstsync/diff"
)

// shop returns the members of a record such as the source answers.
func shop(n int) []diff.Member {
	id := fmt.Sprint(10_000_000 + n)
	var members []diff.Member
	for _, m := range [][2]string{
		{"shop_id", id},
		{"shop_name", `"晴川食品工厂店` + id + `"`},
		{"co_id", "12252"},
		{"shop_site", `"商家自有商城"`},
		{"shop_url", "null"},
		{"created", `"2023-01-03 09:43:26.487"`},
		{"nick", `"self_5018396669216` + id + `"`},
		{"session_expired", `"------永久授权------"`},
		{"session_uid", `"4020541464018"`},
		{"short_name", `""`},
		{"group_id", "707"},
		{"group_name", `"自有商城"`},
		{"organization", "null"},
	} {
		members = append(members, diff.Member{Name: m[0], Raw: []byte(m[1])})
	}
	return members
}

func perRecord(b *testing.B, records int) {
	b.ReportAllocs()
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(records), "ns/record")
}

// Records with members in one order, and each in its own.
func BenchmarkHasher(b *testing.B) {
	for _, order := range []string{"same", "shuffled"} {
		b.Run(order, func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 2))
			records := make([][]diff.Member, 1000)
			for i := range records {
				records[i] = shop(i)
				if order == "shuffled" {
					m := records[i]
					r.Shuffle(len(m), func(i, j int) { m[i], m[j] = m[j], m[i] })
				}
			}
			h := diff.NewHasher(func(name string) bool { return name != "organization" })
			for b.Loop() {
				for _, m := range records {
					h.Hash(m)
				}
			}
			perRecord(b, len(records))
		})
	}
}

// A snapshot is loaded and each of its records observed, unchanged.
func BenchmarkIndex(b *testing.B) {
	const n = 100_000
	for _, order := range []string{"same", "shuffled"} {
		b.Run(order, func(b *testing.B) {
			keys := make([]diff.Key, n)
			for i := range keys {
				keys[i] = intKey(int64(10_000_000 + 8*i))
			}
			seen := make([]diff.Key, n)
			copy(seen, keys)
			if order == "shuffled" {
				rand.New(rand.NewPCG(1, 2)).Shuffle(n, func(i, j int) { seen[i], seen[j] = seen[j], seen[i] })
			}
			for b.Loop() {
				x := diff.NewIndex(n)
				for _, k := range keys {
					x.Load(k, 7)
				}
				for _, k := range seen {
					if x.Observe(k, 7) != diff.Same {
						b.Fatal("not the same")
					}
				}
			}
			perRecord(b, n)
		})
	}
}

// Two rows of a table that differ in one value.
func BenchmarkCompare(b *testing.B) {
	row := func(name string) diff.Row {
		r := diff.Row{diff.IntValue(10394533), diff.TextValue(name)}
		for range 11 {
			r = append(r, diff.TextValue("2023-01-03 09:43:26.487"))
		}
		return r
	}
	before, after := row("旧名字"), row("新名字")
	b.ReportAllocs()
	for b.Loop() {
		if _, changed := diff.Compare(intKey(10394533), before, after); !changed {
			b.Fatal("no change")
		}
	}
}

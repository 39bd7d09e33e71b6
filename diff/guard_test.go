package diff_test

import (
	"testing"

	"pgregory.net/rapid"

	"jstsync/diff"
)

func TestGuard_Check(t *testing.T) {
	defaults := diff.Guard{MaxDeletes: 5, MaxDeletePercent: 10, MaxUpdates: 20, MaxUpdatePercent: 50}
	with := func(f func(*diff.Guard)) diff.Guard { g := defaults; f(&g); return g }
	zero := diff.Guard{MaxUpdates: 20, MaxUpdatePercent: 50}
	off := diff.Guard{MaxDeletePercent: 100, MaxUpdatePercent: 100}
	empty := with(func(g *diff.Guard) { g.AllowEmpty = true })
	for _, tt := range []struct {
		name                         string
		guard                        diff.Guard
		rows, read, deletes, updates int
		want                         string // the kind that trips
	}{
		{"29 of 30 removed", defaults, 30, 1, 29, 0, "delete"},
		{"2 of 5", defaults, 5, 3, 2, 0, ""},
		{"60 of 100", defaults, 100, 40, 60, 0, "delete"},
		{"120 of 1,204", defaults, 1204, 1084, 120, 0, ""},
		{"130 of 1,204", defaults, 1204, 1074, 130, 0, "delete"},
		{"a rename of one of one", defaults, 1, 1, 0, 1, ""},
		{"a rename of 80 % of 100", defaults, 100, 100, 0, 80, "update"},
		{"half of 100 renamed", defaults, 100, 100, 0, 50, ""},
		{"51 of 100 renamed", defaults, 100, 100, 0, 51, "update"},
		{"20 of 20 renamed", defaults, 20, 20, 0, 20, ""},
		{"21 of 21 renamed", defaults, 21, 21, 0, 21, "update"},
		{"5 of 6 deleted", defaults, 6, 1, 5, 0, ""},
		{"6 of 7 deleted", defaults, 7, 1, 6, 0, "delete"},
		{"10 of 100 deleted", defaults, 100, 90, 10, 0, ""},
		{"11 of 100 deleted", defaults, 100, 89, 11, 0, "delete"},
		{"both", defaults, 100, 40, 60, 40, "delete"},
		{"the first load", defaults, 0, 5000, 0, 0, ""},
		{"0/0 and one delete", zero, 100_000, 99_999, 1, 0, "delete"},
		{"0/0 and no delete", zero, 100, 100, 0, 1, ""},
		{"percent 100", off, 100, 1, 99, 1, ""},
		{"percent 100, all renamed", off, 100, 100, 0, 100, ""},
		{"percent 100, empty scan", off, 100, 0, 100, 0, "empty"},
		{"empty scan", defaults, 1, 0, 1, 0, "empty"},
		{"empty scan, deletes withheld", defaults, 3, 0, 0, 0, "empty"},
		{"empty scan of nothing", defaults, 0, 0, 0, 0, ""},
		{"empty scan allowed, few rows", empty, 5, 0, 5, 0, ""},
		{"empty scan allowed, many rows", empty, 6, 0, 6, 0, "delete"},
		{"a fraction of a percent", with(func(g *diff.Guard) { g.MaxDeletePercent = 0.5 }), 2000, 1990, 10, 0, ""},
		{"exactly a fraction that has no binary", with(func(g *diff.Guard) { g.MaxDeletePercent = 0.29 }), 50_000, 49_855, 145, 0, ""},
		{"over a fraction of a percent", with(func(g *diff.Guard) { g.MaxDeletePercent = 0.5 }), 2000, 1989, 11, 0, "delete"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.guard.Check(tt.rows, tt.read, tt.deletes, tt.updates)
			want := diff.GuardVerdict{Tripped: tt.want != "", Kind: tt.want, Rows: tt.rows}
			switch tt.want {
			case "empty":
				want.Count = tt.rows
			case "delete":
				want.Count, want.Limit, want.Percent = tt.deletes, tt.guard.MaxDeletes, tt.guard.MaxDeletePercent
			case "update":
				want.Count, want.Limit, want.Percent = tt.updates, tt.guard.MaxUpdates, tt.guard.MaxUpdatePercent
			}
			if got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

func TestGuard_Properties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.IntRange(1, 10_000).Draw(t, "rows")
		n := rapid.IntRange(0, rows).Draw(t, "count")
		limit, hundredths := rapid.IntRange(0, 100).Draw(t, "limit"), rapid.IntRange(0, 100_00).Draw(t, "percent")
		percent := float64(hundredths) / 100
		g := diff.Guard{MaxDeletes: limit, MaxDeletePercent: percent, MaxUpdates: limit, MaxUpdatePercent: percent}
		want := n > limit && 100_00*n > hundredths*rows
		if got := g.Check(rows, 1, n, 0).Tripped; got != want {
			t.Fatalf("%d deletes: got %t, want %t", n, got, want)
		}
		if got := g.Check(rows, 1, 0, n).Tripped; got != want {
			t.Fatalf("%d updates: got %t, want %t", n, got, want)
		}
		if hundredths == 100_00 && want {
			t.Fatal("percent 100 does not switch the kind off")
		}
	})
}

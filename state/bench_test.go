package state_test

import (
	"fmt"
	"path/filepath"
	"testing"
)

// A run's changes are staged in a new file: few in one transaction, many in
// chunks.
func BenchmarkJournal_Stage(b *testing.B) {
	for _, n := range []int{100, 50_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			changes := inserts(n)
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				w := newWorld(filepath.Join(b.TempDir(), "jstsync.db"))
				in, plan, run := w.prepare(b, changes, nil)
				b.StartTimer()
				if err := w.journal.Stage(in, plan, run); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/change")
		})
	}
}

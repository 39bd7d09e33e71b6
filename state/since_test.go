package state_test

import (
	"slices"
	"testing"
	"time"

	"jstsync/diff"
	"jstsync/state"
)

// A clock that goes back hides no change from a question about a time.
func TestReader_Changes_ClockBack(t *testing.T) {
	hours := []int{0, 2, 9, 3, 1, 4} // of runs 1, 2, …
	w := inTemp(t)
	w.at = func(run uint64) time.Time { return start.Add(time.Duration(hours[run-1]) * time.Hour) }
	for n := range hours {
		w.commit(t, []change{{key(1), row(1, string(rune('a'+n))), diff.SourceHash(n + 1)}}, nil)
	}
	wantClean(t, w.path)
	for since := range 11 {
		var got, want []uint64
		q := state.Query{Since: start.Add(time.Duration(since) * time.Hour)}
		err := state.NewReader(w.path, pipeline).Changes(q, func(v diff.Version) error {
			got = append(got, v.Commit.Run)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for n := len(hours) - 1; n >= 0; n-- {
			if hours[n] >= since {
				want = append(want, uint64(n+1))
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("since hour %d: got runs %d, want %d", since, got, want)
		}
	}
}

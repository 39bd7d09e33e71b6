package load_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"jstsync/load"
)

func TestAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // fails where a goroutine is left
		wrong := errors.New("wrong")
		begun := 0
		seq := func(yield func(int, error) bool) {
			for n := range 5 {
				begun++
				if !yield(n, nil) {
					return
				}
			}
			yield(0, wrong)
		}
		var got []int
		var failed error
		for n, err := range load.Ahead(seq) {
			if failed = err; err == nil {
				synctest.Wait()
				if want := min(n+2, 5); begun != want {
					t.Errorf("with %d: %d begun, want %d", n, begun, want)
				}
				got = append(got, n)
			}
		}
		if want := []int{0, 1, 2, 3, 4}; !slices.Equal(got, want) || !errors.Is(failed, wrong) {
			t.Errorf("got %v, %v, want %v, %v", got, failed, want, wrong)
		}
		for n, err := range load.Ahead(seq) {
			if n != 0 || err != nil {
				t.Errorf("got %d, %v, want 0", n, err)
			}
			break
		}
	})
}

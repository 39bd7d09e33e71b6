package load

import (
	"iter"
	"sync"
)

// ahead lists what seq lists, which goes on by as much as one item while the
// last one is dealt with. It runs in a goroutine of its own that has ended when
// the listing has.
func ahead[T any](seq iter.Seq2[T, error]) iter.Seq2[T, error] {
	type item struct {
		v   T
		err error
	}
	return func(yield func(T, error) bool) {
		items, done := make(chan item), make(chan struct{})
		var group sync.WaitGroup
		group.Go(func() {
			defer close(items)
			for v, err := range seq {
				select {
				case items <- item{v, err}:
				case <-done:
					return
				}
			}
		})
		defer group.Wait()
		defer close(done)
		for i := range items {
			if !yield(i.v, i.err) {
				return
			}
		}
	}
}

package extract

import "sync"

// ahead fetches pages before they are asked for, as far as they are known to
// exist.
type ahead struct {
	width  int // pages under way at once
	fetch  func(page int) (*answer, error)
	known  int // pages that exist
	begun  int // pages fetched or under way
	coming map[int]chan outcome
	group  sync.WaitGroup
}

type outcome struct {
	a   *answer
	err error
}

func newAhead(width int, fetch func(page int) (*answer, error)) *ahead {
	return &ahead{width: width, fetch: fetch, coming: make(map[int]chan outcome)}
}

// exist says that so many pages are known to exist.
func (h *ahead) exist(pages int) { h.known = pages }

// get returns a page; pages are asked for one after another from 1.
func (h *ahead) get(page int) (*answer, error) {
	last := min(h.known, page+h.width-1)
	for next := max(page, h.begun+1); next <= last; next++ {
		h.begin(next)
	}
	coming, ok := h.coming[page]
	if !ok {
		h.begun = page
		return h.fetch(page)
	}
	delete(h.coming, page)
	o := <-coming
	return o.a, o.err
}

func (h *ahead) begin(page int) {
	coming := make(chan outcome, 1)
	h.coming[page] = coming
	h.begun = page
	h.group.Go(func() {
		a, err := h.fetch(page)
		coming <- outcome{a, err}
	})
}

// wait returns when nothing is under way any more.
func (h *ahead) wait() { h.group.Wait() }

package extract

import "sync"

// ahead fetches pages before they are asked for, as far as they are known to
// exist.
type ahead struct {
	width   int // pages under way at once
	fetch   func(page int) (*answer, error)
	known   int // pages that exist
	begun   int // pages fetched or under way
	coming  map[int]chan outcome
	queue   chan job // for the workers, whose stacks need to grow but once
	workers int
	group   sync.WaitGroup
}

type outcome struct {
	a   *answer
	err error
}

// job is a page to fetch.
type job struct {
	page int
	done chan<- outcome
}

func newAhead(width int, fetch func(page int) (*answer, error)) *ahead {
	return &ahead{width: width, fetch: fetch, coming: make(map[int]chan outcome), queue: make(chan job, width)}
}

// expect says that the page is asked for next, and how many pages are likely
// to exist.
func (h *ahead) expect(page, pages int) {
	h.known = max(pages, page)
	for next := h.begun + 1; next <= min(h.known, page+h.width-1); next++ {
		h.begin(next)
	}
}

// get returns a page that was expected.
func (h *ahead) get(page int) (*answer, error) {
	o := <-h.coming[page]
	delete(h.coming, page)
	return o.a, o.err
}

func (h *ahead) begin(page int) {
	coming := make(chan outcome, 1)
	h.coming[page] = coming
	h.begun = page
	h.queue <- job{page, coming}
	if h.workers < h.width {
		h.workers++
		h.group.Go(h.work)
	}
}

func (h *ahead) work() {
	for j := range h.queue {
		a, err := h.fetch(j.page)
		j.done <- outcome{a, err}
	}
}

// wait returns when nothing is under way any more. No page is fetched afterwards.
func (h *ahead) wait() {
	close(h.queue)
	h.group.Wait()
}

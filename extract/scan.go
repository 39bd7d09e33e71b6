package extract

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"jstsync/diff"
	"jstsync/internal/fault"
)

const (
	maxPages = 10_000 // of one scan
	maxOdd   = 3      // pages in a row that bring nothing and promise more
)

// Scan reads every page once, in order, and passes each one's records to
// visit, which must not keep them, or what they hold, after it returns.
//
// The end is has_next false; where it is absent, fewer rows than the page size
// that the answer repeats. The verdict is [diff.Unstable] when a page repeated
// an earlier one or an empty one promised more; both are read on from, but
// three in a row that promise more end the scan: empty ones as if it were the
// end, repeated ones with an error. Keys are not looked at.
//
// expect is the number of records that are likely there, such as that of the
// last scan: as far as they fill pages, pages are fetched ahead. A source that
// goes on beyond that is trusted to go on for an eighth of that part again.
//
// The error is visit's as it is, wraps ctx's, or is a [diff.Error] naming the
// page that could not be had; the verdict is then [diff.Partial].
func (s *Shops) Scan(ctx context.Context, expect int, visit func(diff.Page) error) (diff.ScanInfo, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	scan := int(s.scans.Add(1))
	pages := newAhead(s.o.Ahead, func(page int) (*answer, error) {
		return s.call(ctx, request{scan: scan, page: page, biz: s.pageBiz(page)})
	})
	defer cancel(nil)
	defer pages.wait()
	if s.o.Replay == nil { // calls that a recorded run had begun count here too
		defer cancel(nil)
	}
	c := course{pageSize: s.o.PageSize, seen: make(map[uint64]int), info: diff.ScanInfo{Verdict: diff.Complete}}
	pages.expect(1, 1)
	for page := 1; ; page++ {
		a, err := pages.get(page)
		if err != nil {
			return c.partial(err)
		}
		if err := fault.Hit(fault.PageRead); err != nil {
			return c.partial(err)
		}
		c.info.Pages = page
		more, err := c.follow(page, a)
		if err != nil {
			return c.partial(err)
		}
		if more { // it is under way while this one is visited
			pages.expect(page+1, likely(page, (expect+c.pageSize-1)/c.pageSize))
		}
		if err := visit(diff.Page{Index: page, Records: a.rows}); err != nil {
			return c.partial(err)
		}
		a.release()
		if !more {
			if s.o.Replay == nil {
				cancel(errUnneeded)
			}
			return c.info, nil
		}
	}
}

// errUnneeded ends the calls that are under way when a scan ends.
var errUnneeded = errors.New(diff.Unneeded)

// likely returns how many pages there seem to be when a page promises more and so
// many were expected.
func likely(page, expected int) int {
	if page < expected {
		return expected
	}
	return min(page+(page-expected)/8, maxPages)
}

// pageBiz returns the business object that asks for a page.
func (s *Shops) pageBiz(page int) string {
	return `{"page_index":` + strconv.Itoa(page) + `,"page_size":` + strconv.Itoa(s.o.PageSize) + `}`
}

// course follows a scan from page to page.
type course struct {
	info     diff.ScanInfo
	pageSize int
	seen     map[uint64]int // page by the hash of its content
	empty    int            // pages in a row that were empty and promised more
	repeats  int            // pages in a row that repeated earlier ones
}

// follow says whether another page is to be read after this one.
func (c *course) follow(page int, a *answer) (more bool, err error) {
	if a.pageSize > 0 && a.pageSize < c.pageSize {
		c.pageSize = a.pageSize // the API asked for less at a time
	}
	more = a.more(c.pageSize)
	if len(a.rows) == 0 {
		return c.followEmpty(page, more), nil
	}
	c.empty = 0
	content := contentHash(a.rows)
	earlier, repeated := c.seen[content]
	if !repeated {
		c.seen[content], c.repeats = page, 0
	} else {
		c.unstable("page %d repeats page %d", page, earlier)
		c.repeats++
	}
	switch {
	case !more:
		return false, nil
	case c.repeats >= maxOdd:
		return false, &diff.Error{
			Code:    diff.CodeBadAnswer,
			Message: fmt.Sprintf("pages %d to %d repeat earlier pages and promise more", page-maxOdd+1, page),
			Remedy:  "the API, or something before it, does not page: try again later",
			Err:     ErrBadAnswer,
		}
	case page >= maxPages:
		return false, &diff.Error{
			Code:    diff.CodeBadAnswer,
			Message: fmt.Sprintf("page %d, the last that is read, promises more", page),
			Remedy:  "raise source.page_size",
			Err:     ErrBadAnswer,
		}
	}
	return true, nil
}

func (c *course) followEmpty(page int, more bool) bool {
	if !more {
		return false
	}
	c.unstable("page %d is empty and promises more", page)
	c.empty++
	return c.empty < maxOdd && page < maxPages
}

func (c *course) unstable(format string, args ...any) {
	c.info.Verdict = diff.Unstable
	if c.info.Note == "" {
		c.info.Note = fmt.Sprintf(format, args...)
	}
}

func (c *course) partial(err error) (diff.ScanInfo, error) {
	c.info.Verdict, c.info.Note = diff.Partial, err.Error()
	return c.info, err
}

// more reports whether the answer promises another page.
func (a *answer) more(pageSize int) bool {
	if a.hasNext != nil {
		return *a.hasNext
	}
	if a.pageSize > 0 {
		pageSize = min(pageSize, a.pageSize)
	}
	return len(a.rows) >= pageSize
}

// idMember is the member that holds a shop's id.
const idMember = "shop_id"

// contentHash returns a hash over which records a page holds: over their ids,
// as they are spelled, and of one without one, over its members. The order of
// records and that of members do not matter: the API keeps to neither.
func contentHash(records []diff.Record) uint64 {
	var sum uint64
	for i := range records {
		var h diff.SourceHash
		if id := records[i].Member(idMember); id != nil {
			h = h.Add(idMember, id)
		} else {
			for _, m := range records[i].Members {
				h = h.Add(m.Name, m.Raw)
			}
		}
		sum += h.Mixed() // so that records do not cancel out
	}
	return sum
}

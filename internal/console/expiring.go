package console

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"time"

	"jstsync/diff"
)

// expiring finds the shops whose authorisation ends soon. It reads the whole
// table, some rows at a time, after a commit and every hour; pages show what was
// found last, also when a reading failed.
type expiring struct {
	c *Console

	mu sync.Mutex
	of map[string]*expiry
}

// expiry is what was found in one pipeline's table.
type expiry struct {
	Soon, Over int
	First      []ending // the next to end
	Days       int

	run   uint64 // whose state was read
	at    time.Time
	busy  bool
	known bool
}

type ending struct {
	Key   string
	Label []Piece
	Ends  moment
	Left  string
	Past  bool

	at    time.Time
	label string
}

// How many rows are read at once, how many shops are named, and for how long at
// most a page waits for a new reading.
const (
	expiryRows  = 1000
	expiryFirst = 5
	expiryAge   = time.Hour
	expiryRetry = time.Minute // after a reading that failed
	expiryWait  = 30 * time.Millisecond
	expiryRest  = 4 // times as long as a reading took, pages go first
)

// get returns nil where nothing is to be said.
func (e *expiring) get(ctx context.Context, p *page, pl *Pipeline) (*expiry, error) {
	if pl.Expires == "" {
		return nil, nil //nolint:nilnil // the table does not say
	}
	head, err := recall(ctx, e.c.memo, "head\x00"+pl.Name, func() (uint64, error) {
		return e.c.o.Audit(pl.Name).RunAt(p.now.AddDate(100, 0, 0))
	})
	if err != nil || head == 0 {
		return nil, err
	}
	e.refresh(p, pl, head)
	e.mu.Lock()
	defer e.mu.Unlock()
	was := e.of[pl.Name]
	if was == nil || !was.known || was.Soon+was.Over == 0 {
		return nil, nil //nolint:nilnil // nothing to be said
	}
	shown := *was
	shown.Days = int(p.settings.Warning.Hours() / 24)
	shown.First = slices.Clone(was.First)
	for i := range shown.First {
		one := &shown.First[i]
		one.Label, one.Ends = e.c.o.Writing.Shown(one.label), p.at(one.at)
		if one.Past = one.at.Before(p.now); !one.Past {
			one.Left = p.span(one.at.Sub(p.now))
		}
	}
	return &shown, nil
}

// refresh begins a new reading where one is due, and waits for it a little.
func (e *expiring) refresh(p *page, pl *Pipeline, head uint64) {
	e.mu.Lock()
	was := e.of[pl.Name]
	if was == nil {
		was = &expiry{}
		e.of[pl.Name] = was
	}
	if was.busy || was.known && was.run == head && p.now.Sub(was.at) < expiryAge {
		e.mu.Unlock()
		return
	}
	was.busy = true
	e.mu.Unlock()
	done := make(chan struct{})
	own, now, warning := *pl, p.now, p.settings.Warning
	go func() {
		defer close(done)
		found, err := e.read(e.c.o.Context, &own, head, now, warning)
		e.mu.Lock()
		defer e.mu.Unlock()
		if err != nil {
			e.c.o.Log.Warn("look for authorisations that end", "pipeline", own.Name, "err", err)
			found, now = was, now.Add(expiryRetry-expiryAge) // until the next look
		}
		found.run, found.at, found.busy, found.known = head, now, false, true
		e.of[own.Name] = found
	}()
	t := time.NewTimer(expiryWait)
	defer t.Stop()
	select {
	case <-done:
	case <-t.C:
	}
}

func (e *expiring) read(ctx context.Context, pl *Pipeline, head uint64, now time.Time, warning time.Duration) (*expiry, error) {
	found, audit := &expiry{}, e.c.o.Audit(pl.Name)
	for from, more := diff.Key(""), true; more; more = from != "" {
		var columns []string
		var rows []diff.Row
		var took time.Duration
		err := e.c.memo.gate.do(ctx, func() (err error) {
			began := e.c.o.Now()
			columns, rows, from, err = audit.Rows(head, from, expiryRows)
			took = e.c.o.Now().Sub(began)
			return err
		})
		if err != nil {
			return nil, err
		}
		if from != "" {
			time.Sleep(min(expiryRest*took, time.Second))
		}
		column := slices.Index(columns, pl.Expires)
		if column < 0 {
			return found, nil
		}
		for _, row := range rows {
			ends, ok := e.c.o.Ends(row[column].Text())
			if !ok || ends.Sub(now) > warning {
				continue
			}
			found.add(pl.Table, columns, row, ends, now)
		}
	}
	return found, nil
}

// add counts a shop, and keeps it where it is one of the next to end.
func (x *expiry) add(table *diff.Table, columns []string, row diff.Row, ends, now time.Time) {
	if ends.Before(now) {
		x.Over++
	} else {
		x.Soon++
	}
	key, err := table.KeyOf(diff.Reshape(row, columns, table.Names()))
	if err != nil {
		return
	}
	x.First = append(x.First, ending{Key: key.String(), at: ends, label: labelOf(table, columns, row)})
	// those still to end first, the sooner the earlier; then those that ended last
	slices.SortStableFunc(x.First, func(a, b ending) int {
		if past := a.at.Before(now); past != b.at.Before(now) {
			return map[bool]int{true: 1, false: -1}[past]
		}
		if a.at.Before(now) {
			return b.at.Compare(a.at)
		}
		return a.at.Compare(b.at)
	})
	x.First = x.First[:min(len(x.First), expiryFirst)]
}

// percent writes a share with as many digits as matter.
func percent(n float64) string {
	digits := 0
	switch {
	case n == 0:
	case n < 1:
		digits = 2
	case n < 10:
		digits = 1
	}
	return strconv.FormatFloat(n, 'f', digits, 64) + " %"
}

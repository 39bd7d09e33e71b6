package extract

import (
	"context"
	"net/http"
	"time"
)

// Probe is what one call showed, whether it succeeded or not.
type Probe struct {
	Took time.Duration
	// Ahead is by how much this machine's clock is ahead of the API's, negative
	// when it is behind; 0 for what the call's length and whole seconds explain.
	Ahead time.Duration
	Dated bool // the answer told the time
}

// Probe asks for one shop, once: nothing is repeated, and no token renewed. The
// error is as that of [Shops.Scan].
func (s *Shops) Probe(ctx context.Context) (Probe, error) {
	r := request{path: shopsPath, doing: "ask for one shop", biz: `{"page_index":1,"page_size":1}`, decode: decodeAnswer}
	token, err := s.token(ctx)
	if err != nil {
		return Probe{}, r.wrap(err)
	}
	x, a, f, err := s.tried(ctx, r, map[string]string{"access_token": token, "biz": r.biz, "version": "2"}, 1)
	p := Probe{Took: x.end.Sub(x.start)}
	p.Ahead, p.Dated = clockAhead(x.header, x.start, x.end)
	switch {
	case err != nil:
		return p, r.wrap(err)
	case f != nil:
		return p, f.report(1)
	}
	a.release()
	return p, nil
}

// clockAhead returns by how much this machine's clock is ahead of that of the sender
// of an answer to a call made between two times, as far as the call's length
// and the header's rounding do not explain it.
func clockAhead(h http.Header, began, ended time.Time) (by time.Duration, ok bool) {
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return 0, false
	}
	by = ended.Sub(date)
	if slack := ended.Sub(began) + 2*time.Second; by.Abs() <= slack {
		by = 0
	}
	return by, true
}

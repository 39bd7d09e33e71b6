package sandbox

import "time"

// window remembers the calls of the last minute, oldest first.
type window struct {
	at []time.Time
}

// count is the number of calls remembered in the span that ends now.
func (w *window) count(now time.Time, span time.Duration, fixed bool) int {
	n := 0
	for i := len(w.at) - 1; i >= 0; i-- {
		inside := now.Sub(w.at[i]) < span
		if fixed {
			inside = w.at[i].Truncate(span).Equal(now.Truncate(span))
		}
		if !inside {
			break
		}
		n++
	}
	return n
}

func (w *window) add(now time.Time) {
	drop := 0
	for drop < len(w.at) && now.Sub(w.at[drop]) >= time.Minute {
		drop++
	}
	w.at = append(w.at[drop:], now)
}

// checkRate counts the call or refuses it. The caller holds s.mu.
func (s *Server) checkRate(now time.Time) failure {
	o := &s.opt
	var f failure
	switch {
	case o.PerSecond > 0 && s.window.count(now, time.Second, o.FixedWindows) >= o.PerSecond:
		f = o.Table.perSecond()
	case o.PerMinute > 0 && s.window.count(now, time.Minute, o.FixedWindows) >= o.PerMinute:
		f = o.Table.perMinute()
	}
	limited := o.PerSecond > 0 || o.PerMinute > 0
	if limited && (f.code == 0 || o.CountRejected) {
		s.window.add(now)
	}
	return f
}

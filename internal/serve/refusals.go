package serve

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Whoever sends refused requests must not be able to fill the log: so many lines
// are written at once, and then one each time this long has passed.
const (
	burst = 10
	quiet = time.Second
)

// refusals logs what was refused, and how many were left out.
type refusals struct {
	log *slog.Logger

	mu      sync.Mutex
	recent  int
	skipped int
}

func (r *refusals) note(why string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.recent >= burst {
		r.skipped++
		return
	}
	if r.skipped > 0 {
		args = append(args, "unlogged", r.skipped)
	}
	r.recent, r.skipped = r.recent+1, 0
	time.AfterFunc(time.Duration(r.recent)*quiet, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.recent--
	})
	r.log.Warn("refused a request: "+why, args...)
}

// watch tells connections that sent something and were closed before it made a
// request: too slow, too long, or not HTTP. The library says nothing of them.
type watch struct {
	refused *refusals

	mu   sync.Mutex
	open map[net.Conn]*bool // whether what was sent made a request
}

type watchKey struct{}

func (w *watch) context(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, watchKey{}, c)
}

// served marks the connections of requests.
func (w *watch) served(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		c, _ := r.Context().Value(watchKey{}).(net.Conn)
		w.mu.Lock()
		if made := w.open[c]; made != nil {
			*made = true
		}
		w.mu.Unlock()
		next.ServeHTTP(rw, r)
	})
}

func (w *watch) state(c net.Conn, state http.ConnState) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch state {
	case http.StateActive:
		w.open[c] = new(bool)
	case http.StateClosed:
		if made := w.open[c]; made != nil && !*made {
			w.refused.note("too slow, too long, or not HTTP", "from", c.RemoteAddr().String())
		}
		delete(w.open, c)
	default:
	}
}

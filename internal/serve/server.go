package serve

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"jstsync/internal/schedule"
)

// Scheduler is what a [Server] shows and steers.
type Scheduler interface {
	// Jobs returns how the jobs stand, by name.
	Jobs() []schedule.Status

	// Pause keeps a job from being run, Resume lets it be run again; both
	// report whether there is such a job.
	Pause(name string) bool
	Resume(name string) bool
}

// What a request may take. A scrape is a few kilobytes, and the largest body that
// is sent here is a form with a token.
const (
	headerTime  = 5 * time.Second
	readTime    = 10 * time.Second
	writeTime   = 30 * time.Second
	idleTime    = 2 * time.Minute
	headerBytes = 4 << 10 // the library adds 4 KiB of its own
	bodyBytes   = 4 << 10
	endTime     = 2 * time.Second // for requests under way when the server ends
)

// Server answers requests.
type Server struct {
	scheduler Scheduler
	metrics   http.Handler
	pages     http.Handler // nil for none
	log       *refusals
	token     atomic.Pointer[string]
	ending    atomic.Bool
}

// New returns a server that asks for no token and therefore answers this
// machine only.
func New(scheduler Scheduler, metrics http.Handler, log *slog.Logger) *Server {
	s := &Server{scheduler: scheduler, metrics: metrics, log: &refusals{log: log}}
	s.SetToken("")
	return s
}

// SetToken changes the token that requests must bring; "" is none.
func (s *Server) SetToken(token string) { s.token.Store(&token) }

// SetPages makes everything that the server does not answer itself be answered
// by others, who ask for the token themselves. It is to be called before Serve.
func (s *Server) SetPages(pages http.Handler) { s.pages = pages }

// Refused notes a request that was refused, in a bounded number of lines.
func (s *Server) Refused(why string, args ...any) { s.log.note(why, args...) }

// Serve answers on the listener until ctx ends, and closes it.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	watch := &watch{refused: s.log, open: map[net.Conn]*bool{}}
	server := &http.Server{
		Handler:           watch.served(s.Handler()),
		ReadHeaderTimeout: headerTime, ReadTimeout: readTime, WriteTimeout: writeTime, IdleTimeout: idleTime,
		MaxHeaderBytes: headerBytes,
		ErrorLog:       slog.NewLogLogger(s.log.log.Handler(), slog.LevelDebug),
		ConnState:      watch.state,
		ConnContext:    watch.context,
	}
	ended := make(chan struct{})
	defer context.AfterFunc(ctx, func() {
		defer close(ended)
		s.ending.Store(true)
		patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
		defer cancel()
		if server.Shutdown(patience) != nil {
			_ = server.Close() // those who are still there are slow on purpose
		}
	})()
	err := server.Serve(limit(l, server.SetKeepAlivesEnabled))
	if errors.Is(err, http.ErrServerClosed) {
		<-ended
		return nil
	}
	return err
}

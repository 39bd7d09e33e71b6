package mysqltest

import (
	"errors"
	"fmt"
	"testing"
)

// Server is a private mariadbd that belongs to one test, which may stop, kill and start it again. Data and address
// stay the same. Its methods are not for use by several goroutines at once.
type Server struct {
	tb testing.TB
	in *instance
}

// Start starts a server for tb alone and removes it when tb ends. The arguments are added to mariadbd's command
// line, such as "--max-allowed-packet=1M". JSTSYNC_TEST_DSN is no substitute: that server is not ours to kill.
func Start(tb testing.TB, args ...string) *Server {
	tb.Helper()
	theSuite(tb)
	in, err := newInstance(args)
	if errors.Is(err, errNoServer) {
		err = fmt.Errorf("%w (this test needs a mariadbd of its own, which %s cannot be)", errNoServer, envDSN)
	}
	if err != nil {
		unavailable(tb, err)
	}
	tb.Cleanup(func() {
		if err := in.remove(); err != nil {
			tb.Errorf("mysqltest: %v", err)
		}
	})
	return &Server{tb: tb, in: in}
}

// Addr returns the host and port the server listens on.
func (s *Server) Addr() string { return s.in.addr() }

// DSN creates an empty database on the server, which must be running, and returns the administrator's DSN of it.
func (s *Server) DSN() string {
	s.tb.Helper()
	dsn, _ := createDatabase(s.tb, s.in.config())
	return dsn
}

// Kill ends the server as a power failure of its process would (SIGKILL). A server that is down stays down.
func (s *Server) Kill() { s.in.proc.kill() }

// Stop shuts the server down. A server that is down stays down.
func (s *Server) Stop() { s.in.proc.stop() }

// Restart starts the server again, stopping it first if it runs, and returns when it answers.
func (s *Server) Restart() {
	s.tb.Helper()
	s.in.proc.stop()
	if err := s.in.start(); err != nil {
		s.tb.Fatalf("mysqltest: restart: %v", err)
	}
}

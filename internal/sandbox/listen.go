package sandbox

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

// Listen serves s on addr (host:port, port 0 for a free one) until shut is
// called. The base URL has no trailing slash; for an unspecified host it names
// the loopback address. shut ends open connections at once and gives the error
// that ended serving, if any.
func Listen(addr string, s *Server) (baseURL string, shut func() error, err error) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return "", nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	srv := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      time.Minute, // delaying faults lift it for their answer
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          log.New(io.Discard, "", 0), // broken connections are wanted here
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ln) }()
	shut = func() error {
		closing := srv.Close()
		served, ok := <-done
		if ok {
			close(done)
		}
		if served != nil && !errors.Is(served, http.ErrServerClosed) {
			return fmt.Errorf("serve on %s: %w", addr, served)
		}
		return closing
	}
	return "http://" + reachable(ln.Addr()), shut, nil
}

// reachable is the address a local client can dial.
func reachable(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return addr.String()
	}
	return net.JoinHostPort("127.0.0.1", fmt.Sprint(tcp.Port))
}

package serve

import (
	"net"
	"sync"

	"jstsync/internal/request"
)

// Loopback reports whether only this machine can reach what listens on the
// address host:port.
func Loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	return err == nil && request.Loopback(host)
}

// connections is how many are open at once; others wait to be accepted.
const connections = 64

// limit bounds how many connections of a listener are open at once. While there
// is no place for another, keep is told that none may be kept for later.
func limit(l net.Listener, keep func(bool)) net.Listener {
	return &limited{Listener: l, keep: keep, free: make(chan struct{}, connections), closed: make(chan struct{})}
}

type limited struct {
	net.Listener
	keep   func(bool)
	free   chan struct{}
	closed chan struct{}
	once   sync.Once
}

// Accept waits until there is a place for another connection.
func (l *limited) Accept() (net.Conn, error) {
	select {
	case l.free <- struct{}{}:
	default:
		l.keep(false)
		select {
		case l.free <- struct{}{}:
			l.keep(true)
		case <-l.closed:
			return nil, net.ErrClosed
		}
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.free
		return nil, err
	}
	return &placed{Conn: c, leave: sync.OnceFunc(func() { <-l.free })}, nil
}

// Close also ends an Accept that waits for a place.
func (l *limited) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// placed is a connection that holds a place.
type placed struct {
	net.Conn
	leave func()
}

// Close gives the place back.
func (p *placed) Close() error {
	defer p.leave()
	return p.Conn.Close()
}

//go:build !windows

package faulttest_test

import (
	"bytes"
	"net"
	"sync"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// fate is what becomes of the first COMMIT that passes a proxy.
type fate int

const (
	lost       fate = iota // it does not arrive, and the connection breaks
	unanswered             // it arrives, and the connection breaks before its answer
	held                   // it arrives once the proxy is told to deliver it, whoever has hung up meanwhile
)

// proxy stands before the server.
type proxy struct {
	fate    fate
	server  string
	seen    chan struct{} // closed when the COMMIT has come
	deliver chan struct{} // closed to deliver a held one
	once    sync.Once
}

// behind puts a proxy between the world and its server.
func (w *world) behind(t *testing.T, f fate) *proxy {
	t.Helper()
	cfg, err := mysql.ParseDSN(w.dsn)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	p := &proxy{fate: f, server: cfg.Addr, seen: make(chan struct{}), deliver: make(chan struct{})}
	cfg.Addr = l.Addr().String()
	w.dsn = cfg.FormatDSN()
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(client)
		}
	}()
	return p
}

// serve passes one connection's bytes on, both ways. A client sends a command
// at a time and waits for its answer, so that one read brings one command.
func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		return
	}
	defer server.Close()
	mute := make(chan struct{})
	go p.answers(client, server, mute)
	buf := make([]byte, 1<<16)
	for {
		n, err := client.Read(buf)
		if bytes.Contains(buf[:n], []byte("\x03COMMIT")) && p.first() {
			switch p.fate {
			case lost:
				close(p.seen)
				return
			case unanswered:
				close(mute)
			case held:
				close(p.seen)
				<-p.deliver
			}
		}
		if _, writeErr := server.Write(buf[:n]); err != nil || writeErr != nil {
			return
		}
	}
}

func (p *proxy) first() (first bool) {
	p.once.Do(func() { first = true })
	return first
}

// answers passes the server's answers on; once it is to be mute, it breaks the
// connection with the next one.
func (p *proxy) answers(client, server net.Conn, mute chan struct{}) {
	buf := make([]byte, 1<<16)
	for {
		n, err := server.Read(buf)
		select {
		case <-mute:
			close(p.seen)
			_ = client.Close()
			return
		default:
		}
		if _, writeErr := client.Write(buf[:n]); err != nil || writeErr != nil {
			_ = client.Close()
			return
		}
	}
}

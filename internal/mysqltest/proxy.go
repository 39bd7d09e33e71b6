package mysqltest

import (
	"bufio"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Trouble is what a [Proxy] does to one statement.
type Trouble int

// The kinds of trouble. What is held stays held, also when the client has given up and gone, until [Trap.Release] or
// [Trap.Discard].
const (
	HoldRequest  Trouble = iota // the statement does not reach the server
	HoldReply                   // the server executes it; its answer does not reach the client
	ResetRequest                // both connections are reset, and the statement does not reach the server
	ResetReply                  // the server executes it; then both connections are reset
	HalfClose                   // the server executes it; the client gets the end of the stream in place of its answer
)

// Proxy stands between clients and a server. It passes everything on, but for the statements that it was told to
// trap. It reads connections without TLS or compression.
type Proxy struct {
	tb       testing.TB
	dsn      string
	server   string
	listener net.Listener
	links    sync.WaitGroup

	mu    sync.Mutex
	traps []*Trap // those armed and not met
	open  map[net.Conn]bool
}

// Trap is trouble for one statement.
type Trap struct {
	// Met is closed when a statement was met and, where the server is to execute it, the server has answered.
	Met     <-chan struct{}
	met     chan struct{}
	prefix  string
	trouble Trouble
	once    sync.Once
	done    chan struct{} // closed when it is decided what becomes of what is held
	deliver bool          // the decision
}

// Execute is what a [Proxy] takes for a statement where a prepared one is executed.
const Execute = "EXECUTE"

// NewProxy returns a proxy before the server that dsn names. It ends with tb, and its connections with it.
func NewProxy(tb testing.TB, dsn string) *Proxy {
	tb.Helper()
	cfg := parse(tb, dsn)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatalf("mysqltest: listen: %v", err)
	}
	p := &Proxy{tb: tb, server: cfg.Addr, listener: l, open: map[net.Conn]bool{}}
	cfg.Addr = l.Addr().String()
	p.dsn = cfg.FormatDSN()
	p.links.Go(p.accept)
	tb.Cleanup(func() {
		_ = l.Close()
		p.Cut()
		p.links.Wait()
	})
	return p
}

// DSN returns the DSN that leads through the proxy.
func (p *Proxy) DSN() string { return p.dsn }

// Arm traps the next statement that begins with the prefix, such as "COMMIT", on whichever connection it comes, and
// none after it. Of several traps the one armed first is met first. What is held is discarded when the test ends.
func (p *Proxy) Arm(prefix string, trouble Trouble) *Trap {
	t := &Trap{met: make(chan struct{}), prefix: prefix, trouble: trouble, done: make(chan struct{})}
	t.Met = t.met
	p.mu.Lock()
	p.traps = append(p.traps, t)
	p.mu.Unlock()
	p.tb.Cleanup(t.Discard) // before the proxy's own, which waits for it
	return t
}

// Release lets what is held go on: a statement to the server, an answer to the client if it is still there.
func (t *Trap) Release() { t.decide(true) }

// Discard throws away what is held and resets its connections.
func (t *Trap) Discard() { t.decide(false) }

func (t *Trap) decide(deliver bool) {
	t.once.Do(func() {
		t.deliver = deliver
		close(t.done)
	})
}

// decided waits for the decision.
func (t *Trap) decided() (deliver bool) {
	<-t.done
	return t.deliver
}

// Cut resets every connection.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		reset(c)
	}
}

// reset closes a connection without the end of its stream.
func reset(c net.Conn) {
	_ = c.(*net.TCPConn).SetLinger(0)
	_ = c.Close()
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		p.links.Go(func() { p.link(client) })
	}
}

// link passes on what client and server say, until one of them ends.
func (p *Proxy) link(client net.Conn) {
	server, err := net.DialTimeout("tcp", p.server, 10*time.Second)
	if err != nil {
		reset(client)
		return
	}
	p.keep(client, true)
	p.keep(server, true)
	l := &link{proxy: p, client: client, server: server}
	var down sync.WaitGroup
	down.Go(l.down)
	l.up()
	down.Wait()
	_, _ = client.Close(), server.Close()
	p.keep(client, false)
	p.keep(server, false)
}

func (p *Proxy) keep(c net.Conn, open bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if open {
		p.open[c] = true
	} else {
		delete(p.open, c)
	}
}

// trapOf returns the trap for a statement, which is then disarmed.
func (p *Proxy) trapOf(statement string) *Trap {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, t := range p.traps {
		if strings.HasPrefix(statement, t.prefix) {
			p.traps = append(p.traps[:i:i], p.traps[i+1:]...)
			return t
		}
	}
	return nil
}

// link is one client's connection and the one made for it.
type link struct {
	proxy          *Proxy
	client, server net.Conn
	reply          atomic.Pointer[Trap] // for what the server says next
}

func (l *link) reset() {
	reset(l.client)
	reset(l.server)
}

// A packet is three bytes of length, one that counts packets within a command, and the payload. A command's first
// byte tells its kind.
const (
	headerLength = 4
	comQuery     = 3
	comExecute   = 23
	maxPrefix    = 256
)

// up passes on what the client says.
func (l *link) up() {
	from := bufio.NewReaderSize(l.client, 64<<10)
	for {
		header, err := from.Peek(headerLength)
		if err != nil { // the client has gone; what it said before still arrives
			_ = l.server.(*net.TCPConn).CloseWrite()
			return
		}
		size := headerLength + (int(header[0]) | int(header[1])<<8 | int(header[2])<<16)
		begin, err := from.Peek(min(size, headerLength+1+maxPrefix))
		if err == nil && begin[3] == 0 && len(begin) > headerLength {
			if t := l.proxy.trapOf(statementOf(begin[headerLength:])); t != nil && !l.spring(t) {
				return
			}
		}
		if _, err := io.CopyN(l.server, from, int64(size)); err != nil {
			l.reset()
			return
		}
	}
}

// statementOf returns how the statement begins that a command sends, "" where it sends none.
func statementOf(command []byte) string {
	switch command[0] {
	case comQuery:
		return string(command[1:])
	case comExecute:
		return Execute
	default:
		return ""
	}
}

// spring makes the trouble before the statement is passed on, and reports whether it is to be.
func (l *link) spring(t *Trap) bool {
	switch t.trouble {
	case HoldRequest:
		close(t.met)
		if t.decided() {
			return true
		}
		l.reset()
		return false
	case ResetRequest:
		l.reset()
		close(t.met)
		return false
	default:
		l.reply.Store(t)
		return true
	}
}

// down passes on what the server says.
func (l *link) down() {
	buf := make([]byte, 64<<10)
	mute := false
	for {
		n, err := l.server.Read(buf)
		if err != nil {
			_ = l.client.Close()
			return
		}
		if t := l.reply.Swap(nil); t != nil {
			switch t.trouble {
			case HoldReply:
				close(t.met)
				if !t.decided() {
					l.reset()
					return
				}
			case ResetReply:
				l.reset()
				close(t.met)
				return
			default:
				_ = l.client.(*net.TCPConn).CloseWrite()
				mute = true
				close(t.met)
			}
		}
		if !mute {
			_, _ = l.client.Write(buf[:n]) // a client that has gone is noticed on the way up
		}
	}
}

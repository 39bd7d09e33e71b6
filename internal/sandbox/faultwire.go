package sandbox

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	jsonType = "application/json;charset=UTF-8"
	// longest is how long a stall waits for a client that never gives up.
	longest = 10 * time.Minute
)

// replaceAnswer answers the kinds that need no data. The caller holds s.mu.
func (s *Server) replaceAnswer(c *Call, f *Fault) (reply, bool) {
	a := reply{wire: f, delay: f.Delay}
	switch f.Kind {
	case KindCode:
		a.status, c.Code = s.opt.ErrorStatus, f.Code
		msg := f.Msg
		if c.Code == 0 {
			c.Code = 150
		}
		if msg == "" {
			msg = "内部处理异常"
		}
		a.body = s.failureBody(failure{c.Code, msg})
	case KindExpireToken:
		s.expireToken()
		late := s.fail(c, s.opt.Table.badToken())
		a.status, a.body = late.status, late.body
	case KindStatus, KindHTML:
		c.Code, a.status = -1, f.statusOr()
		a.body = []byte(http.StatusText(a.status) + "\n")
		if f.Kind == KindHTML {
			a.body = []byte(loginPage)
		}
	case KindReset:
		c.Code = -1
	default:
		return reply{}, false
	}
	return a, true
}

func (f Fault) statusOr() int {
	switch {
	case f.Status != 0:
		return f.Status
	case f.Kind == KindHTML:
		return http.StatusOK
	}
	return http.StatusInternalServerError
}

const loginPage = `<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>登录</title></head>
<body><form action="/login" method="post"><input name="user"><input name="password" type="password"></form></body></html>
`

// through gives the answer to a transmission fault to damage when it is sent.
func (a reply) through(f *Fault) reply {
	if f == nil {
		return a
	}
	a.wire, a.delay = f, f.Delay
	switch f.Kind {
	case KindLatency:
		if a.delay == 0 {
			a.delay = 250 * time.Millisecond
		}
	case KindPad:
		a.body = padded(a.body, f.orN(1<<20))
	case KindTruncate:
		a.body = a.body[:f.half(len(a.body))]
	case KindGzip:
		a.body = compressed(padded(a.body, f.N))
	}
	return a
}

// half is where the body is cut: at N bytes, or in the middle.
func (f Fault) half(n int) int { return min(f.orN(n/2), n) }

// padded adds white space before the last byte of the object.
func padded(body []byte, n int) []byte {
	end := len(body) - 1
	out := append(bytes.Clone(body[:end]), strings.Repeat(" ", n)...)
	return append(out, body[end])
}

func compressed(body []byte) []byte {
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	_, _ = zip.Write(body) // a Buffer takes all
	_ = zip.Close()
	return out.Bytes()
}

// send writes the answer. It panics with http.ErrAbortHandler where the
// connection has to end early.
func (a reply) send(w http.ResponseWriter, r *http.Request) {
	kind := Kind("")
	if a.wire != nil {
		kind = a.wire.Kind
	}
	if a.delay > 0 && kind != KindStall && !pause(w, r, a.delay) {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", jsonType)
	switch kind {
	case KindReset:
		hijack(w, nil, 0)
	case KindWrongLength:
		hijack(w, a.body, max(len(a.body)+a.wire.orN(16), 0))
	case KindStall:
		a.stall(w, r)
	default:
		a.plain(w, kind)
	}
}

func (a reply) plain(w http.ResponseWriter, kind Kind) {
	h := w.Header()
	switch kind {
	case KindHTML:
		h.Set("Content-Type", "text/html; charset=utf-8")
	case KindStatus:
		h.Set("Content-Type", "text/plain; charset=utf-8")
		if a.wire.RetryAfter != "" {
			h.Set("Retry-After", a.wire.RetryAfter)
		}
	case KindGzip:
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // a client that left is no concern of ours
}

func (a reply) stall(w http.ResponseWriter, r *http.Request) {
	at := a.wire.half(len(a.body))
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body[:at])
	_ = http.NewResponseController(w).Flush()
	if a.delay == 0 || !pause(w, r, a.delay) {
		pause(w, r, longest)
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(a.body[at:])
}

// pause waits; false means the client left first. It lifts the timeouts of the
// connection, which a wait would use up.
func pause(w http.ResponseWriter, r *http.Request, d time.Duration) bool {
	ctl := http.NewResponseController(w)
	_ = ctl.SetWriteDeadline(time.Time{}) // a recorder has none: nothing to lift
	_ = ctl.SetReadDeadline(time.Time{})
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// hijack writes a whole answer with a declared length of its own and closes the
// connection; without a body it resets the connection. On a connection that
// cannot be taken over it aborts.
func hijack(w http.ResponseWriter, body []byte, declared int) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer func() { _ = conn.Close() }()
	if body == nil {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		return
	}
	_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", jsonType, declared, body)
}

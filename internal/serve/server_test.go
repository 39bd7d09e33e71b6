package serve_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"jstsync/internal/schedule"
	"jstsync/internal/serve"
)

// jobs is a scheduler of which nothing runs.
type jobs []schedule.Status

func (j jobs) Jobs() []schedule.Status { return j }
func (j jobs) Pause(name string) bool  { return j.has(name) }
func (j jobs) Resume(name string) bool { return j.has(name) }
func (j jobs) has(name string) bool    { return len(j) > 0 && j[0].Name == name }

// logged collects log lines.
type logged struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *logged) await(t *testing.T, text string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !strings.Contains(l.String(), text); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%q is not in the log:\n%s", text, l)
		}
	}
}

func newServer(j jobs) (*serve.Server, *logged) {
	log := &logged{}
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "metrics") })
	return serve.New(j, page, slog.New(slog.NewTextHandler(log, nil))), log
}

// listening serves on a port until the test ends.
func listening(t *testing.T) (address string, log *logged) {
	t.Helper()
	s, log := newServer(jobs{{Name: "shops", Runs: 1}})
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		end()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String(), log
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// A request from another address is refused without the token, whatever the
// server believes it listens on.
func TestServer_Handler(t *testing.T) {
	for _, tt := range []struct {
		name, token, from, target, header string
		want                              int
	}{
		{"this machine", "", "127.0.0.1:9", "GET http://localhost/metrics", "", 200},
		{"this machine by IPv6", "", "[::1]:9", "GET http://[::1]:8321/metrics", "", 200},
		{"another address, no token is set", "", "192.0.2.7:9", "GET http://127.0.0.1/metrics", "", 401},
		{"another address, none is sent", "secret", "192.0.2.7:9", "GET http://host/metrics", "", 401},
		{"another address, a wrong one", "secret", "192.0.2.7:9", "GET http://host/metrics", "Bearer Secret", 401},
		{"another address, an empty one", "secret", "192.0.2.7:9", "GET http://host/metrics", "Bearer ", 401},
		{"another address, as basic", "secret", "192.0.2.7:9", "GET http://host/metrics", "Basic secret", 401},
		{"another address, the right one", "secret", "192.0.2.7:9", "GET http://host/metrics", "bearer secret", 200},
		{"this machine, one is set and not sent", "secret", "127.0.0.1:9", "GET http://localhost/metrics", "", 401},
		{"pausing from elsewhere", "secret", "192.0.2.7:9", "POST http://host/pause", "", 401},
		{"pausing", "secret", "192.0.2.7:9", "POST http://host/pause", "Bearer secret", 200},
		{"pausing two of which one is there", "", "127.0.0.1:9", "POST http://localhost/pause?pipeline=shops&pipeline=none", "", 404},
		{"pausing by following a link", "", "127.0.0.1:9", "GET http://localhost/pause", "", 404},
		{"a probe from elsewhere", "secret", "192.0.2.7:9", "GET http://host/healthz", "", 200},
		{"a name that was made to point here", "", "127.0.0.1:9", "GET http://evil.example/metrics", "", 421},
		{"traversal", "", "127.0.0.1:9", "GET http://localhost/metrics/../../etc/passwd", "", 404},
		{"traversal in disguise", "", "127.0.0.1:9", "GET http://localhost/%2e%2e/%2e%2e/etc/passwd", "", 404},
		{"traversal the other way", "", "127.0.0.1:9", `GET http://localhost/..%5c..%5cjstsync.db`, "", 404},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, log := newServer(jobs{{Name: "shops"}})
			s.SetToken(tt.token)
			method, url, _ := strings.Cut(tt.target, " ")
			r := httptest.NewRequestWithContext(t.Context(), method, url, nil)
			r.RemoteAddr = tt.from
			if tt.header != "" {
				r.Header.Set("Authorization", tt.header)
			}
			w := httptest.NewRecorder()
			s.Handler().ServeHTTP(w, r)
			if w.Code != tt.want {
				t.Errorf("got %d: %s, want %d", w.Code, w.Body, tt.want)
			}
			if refused := strings.Contains(log.String(), "refused a request"); refused != (tt.want >= 400) {
				t.Errorf("got log %q", log)
			}
			if strings.Contains(log.String()+w.Body.String(), "ecret") {
				t.Errorf("a token was told: %s%s", log, w.Body)
			}
		})
	}
}

// Pages are not given more of a form than the server takes.
func TestServer_longForm(t *testing.T) {
	s, _ := newServer(nil)
	var err error
	s.SetPages(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { err = r.ParseForm() }))
	for size, ok := range map[int]bool{4000: true, 5000: false} {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "http://localhost/act", strings.NewReader(strings.Repeat("x", size)))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		s.Handler().ServeHTTP(httptest.NewRecorder(), r)
		if (err == nil) != ok {
			t.Errorf("%d bytes: got %v", size, err)
		}
	}
}

func TestServer_ready(t *testing.T) {
	for _, tt := range []struct {
		jobs jobs
		want int
	}{
		{nil, 503}, // the scheduler has not begun
		{jobs{{Name: "a", Runs: 1}, {Name: "b"}}, 503},
		{jobs{{Name: "a", Runs: 1}, {Name: "b", Paused: true}}, 200},
		{jobs{{Name: "a", Runs: 1, Failures: 1}}, 200},
	} {
		s, _ := newServer(tt.jobs)
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "http://localhost/readyz", nil))
		if w.Code != tt.want {
			t.Errorf("%+v: got %d, want %d", tt.jobs, w.Code, tt.want)
		}
	}
}

// Who sends a header a byte at a time is cut off, told of, and keeps nobody
// else from being answered meanwhile.
func TestServer_SlowLoris(t *testing.T) {
	address, log := listening(t)
	began := time.Now()
	slow := make([]net.Conn, 40)
	for i := range slow {
		slow[i] = dial(t, address)
		fmt.Fprint(slow[i], "GET /metrics HTTP/1.1\r\nHost: localhost\r\nX-A: ")
	}
	resp, err := http.Get("http://" + address + "/metrics") //nolint:noctx // a test
	if err != nil || resp.StatusCode != 200 {
		t.Fatal(resp, err)
	}
	_ = resp.Body.Close()
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("an honest request took %s", took)
	}
	for _, c := range slow {
		go func() {
			for range 100 {
				if _, err := fmt.Fprint(c, "a"); err != nil {
					return
				}
				time.Sleep(100 * time.Millisecond)
			}
		}()
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
		if _, err := io.Copy(io.Discard, c); err != nil && strings.Contains(err.Error(), "timeout") {
			t.Fatal("a slow client is still connected")
		}
	}
	if took := time.Since(began); took > 12*time.Second {
		t.Errorf("slow clients were cut off only after %s", took)
	}
	log.await(t, "too slow, too long, or not HTTP")
}

// Headers that do not end, bodies, and what is not HTTP are refused.
func TestServer_Limits(t *testing.T) {
	long := strings.Repeat("a", 16<<10)
	for name, tt := range map[string]struct{ request, want string }{
		"header":       {"GET /metrics HTTP/1.1\r\nHost: localhost\r\nX-Long: " + long + "\r\n\r\n", " 431 "},
		"path":         {"GET /" + long + " HTTP/1.1\r\nHost: localhost\r\n\r\n", " 431 "},
		"not HTTP":     {"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", " 400 "},
		"two lengths":  {"POST /pause HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na", " 400 "},
		"without host": {"GET /metrics HTTP/1.1\r\n\r\n", " 400 "},
	} {
		t.Run(name, func(t *testing.T) {
			address, log := listening(t)
			c := dial(t, address)
			fmt.Fprint(c, tt.request)
			_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
			line, err := bufio.NewReader(c).ReadString('\n')
			if err != nil || !strings.Contains(line, tt.want) {
				t.Errorf("got %q, %v; want%s", line, err, tt.want)
			}
			_ = c.Close()
			log.await(t, "refused a request")
		})
	}
}

// More connections than there are places for wait, and are answered in turn.
func TestServer_ManyConnections(t *testing.T) {
	address, _ := listening(t)
	idle := make([]net.Conn, 80)
	for i := range idle {
		idle[i] = dial(t, address)
	}
	done := make(chan error, 1)
	go func() {
		resp, err := http.Get("http://" + address + "/healthz") //nolint:noctx // a test
		if err == nil {
			err = resp.Body.Close()
		}
		done <- err
	}()
	select {
	case err := <-done:
		t.Fatalf("a connection more than there are places for was answered: %v", err)
	case <-time.After(200 * time.Millisecond):
	}
	for _, c := range idle {
		_ = c.Close()
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// Clients that keep their connections for later make room for others.
func TestServer_KeptConnections(t *testing.T) {
	address, _ := listening(t)
	for range 64 {
		c := dial(t, address)
		fmt.Fprint(c, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
		if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || !strings.Contains(line, " 200 ") {
			t.Fatalf("got %q, %v", line, err)
		}
	}
	c := &http.Client{Timeout: 10 * time.Second}
	resp, err := c.Get("http://" + address + "/healthz") //nolint:noctx // a test
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
}

// However much is refused, the log stays short.
func TestServer_LogIsBounded(t *testing.T) {
	s, log := newServer(nil)
	began := time.Now()
	for range 1000 {
		s.Handler().ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "GET", "http://localhost/"+strings.Repeat("x", 5000), nil))
	}
	// Ten lines a second: on a slow machine a thousand requests take some.
	if n, most := strings.Count(log.String(), "\n"), 12+10*int(time.Since(began)/time.Second); n > most || len(log.String()) > 500*most {
		t.Errorf("got %d lines of %d bytes, want %d at most", n, len(log.String()), most)
	}
	time.Sleep(1100 * time.Millisecond)
	s.Handler().ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "GET", "http://localhost/x", nil))
	log.await(t, "path=/x status")
	told := strings.Count(log.String(), "\n")
	for _, n := range regexp.MustCompile(`unlogged=(\d+)`).FindAllStringSubmatch(log.String(), -1) {
		more, err := strconv.Atoi(n[1])
		if told += more; err != nil {
			t.Error(err)
		}
	}
	if told != 1001 {
		t.Errorf("the log tells of %d requests, want 1001", told)
	}
}

func TestLoopback(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1:1": true, "127.8.8.8:1": true, "[::1]:1": true, "localhost:1": true, "[::ffff:127.0.0.1]:1": true,
		":8321": false, "0.0.0.0:1": false, "[::]:1": false, "192.0.2.1:1": false, "example.com:1": false,
		"localhost.example.com:1": false, "127.0.0.1.example.com:1": false, "nonsense": false, "": false,
	} {
		if got := serve.Loopback(address); got != want {
			t.Errorf("%q: got %v, want %v", address, got, want)
		}
	}
}

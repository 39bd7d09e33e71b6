package mysqltest

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// The environment variables that steer the package.
const (
	envDSN     = "JSTSYNC_TEST_DSN"        // an administrator's DSN to use instead of a private server
	envRequire = "JSTSYNC_TEST_REQUIRE_DB" // 1: fail where a test would skip for want of a server
)

// errNoServer says that no server can be had on this machine. Any other error is a fault to report.
var errNoServer = errors.New("no MariaDB: install mariadb-server or set " + envDSN)

// Runner runs tests and then stops what they started.
type Runner struct {
	m interface{ Run() int }
}

// Main runs a package's tests and then stops the shared server. Call it last in TestMain.
func Main(m interface{ Run() int }) { Wrap(m).Run() }

// Wrap returns a [Runner] around m, which is a *testing.M or wraps one in turn.
func Wrap(m interface{ Run() int }) Runner { return Runner{m} }

// Run runs the tests, stops the shared server if one was started, and returns the tests' exit code.
func (r Runner) Run() int {
	s := &suite{observers: map[string]*sql.DB{}}
	current.Store(s)
	defer s.close()
	return r.m.Run()
}

// current is the suite of this test process; nil outside of [Runner.Run].
var current atomic.Pointer[suite]

// suite is what the tests of one process share.
type suite struct {
	mu        sync.Mutex
	asked     bool          // admin and err are settled
	admin     *mysql.Config // an administrator's account on the shared server
	err       error
	private   *instance // nil with JSTSYNC_TEST_DSN
	observers map[string]*sql.DB
}

// theSuite returns the running suite.
func theSuite(tb testing.TB) *suite {
	tb.Helper()
	s := current.Load()
	if s == nil {
		tb.Fatal("mysqltest: TestMain of this package must call mysqltest.Main or run mysqltest.Wrap")
	}
	return s
}

// server returns an administrator's account on the shared server, which the first call finds or starts.
func (s *suite) server() (*mysql.Config, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.asked {
		s.asked = true
		s.admin, s.err = s.findServer()
	}
	return s.admin, s.err
}

func (s *suite) findServer() (*mysql.Config, error) {
	if dsn := os.Getenv(envDSN); dsn != "" {
		cfg, err := mysql.ParseDSN(dsn)
		if err != nil {
			return nil, fmt.Errorf("parse %s: %w", envDSN, err)
		}
		return cfg, nil
	}
	in, err := newInstance(nil)
	if err != nil {
		return nil, err
	}
	s.private = in
	return in.config(), nil
}

func (s *suite) close() {
	current.Store(nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, db := range s.observers {
		_ = db.Close() // the server goes next, and takes the connections along
	}
	if s.private == nil {
		return
	}
	if err := s.private.remove(); err != nil {
		fmt.Fprintln(os.Stderr, "mysqltest:", err)
	}
}

// unavailable ends a test that got err instead of a server.
func unavailable(tb testing.TB, err error) {
	tb.Helper()
	if errors.Is(err, errNoServer) && os.Getenv(envRequire) != "1" {
		tb.Skipf("%v", err)
	}
	tb.Fatalf("mysqltest: %v", err)
}

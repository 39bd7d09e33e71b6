package load_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"jstsync/diff"
	"jstsync/internal/mysqltest"
	"jstsync/load"
)

// edited returns the DSN after a change to it.
func edited(t *testing.T, dsn string, change func(*mysql.Config)) string {
	t.Helper()
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	change(cfg)
	return cfg.FormatDSN()
}

func TestTarget_Connect_Errors(t *testing.T) {
	b := onShared(t, shops())
	mustExec(t, b.db, "CREATE USER IF NOT EXISTS jst_reader@'%' IDENTIFIED BY 's3cret'")
	t.Cleanup(func() { mustExec(t, b.db, "DROP USER jst_reader@'%'") })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := l.Addr().String()
	_ = l.Close()
	var addr string
	edited(t, b.dsn, func(c *mysql.Config) { addr = c.Addr })

	for name, test := range map[string]struct {
		change func(*mysql.Config)
		code   diff.Code
		texts  []string
	}{
		"wrong password":   {func(c *mysql.Config) { c.User, c.Passwd = "jst_reader", "wr0ng" }, diff.CodeTargetAccess, []string{addr, "jst_reader", "check user, password"}},
		"no grant":         {func(c *mysql.Config) { c.User, c.Passwd = "jst_reader", "s3cret" }, diff.CodeTargetAccess, []string{addr, "check user, password and database"}},
		"unknown database": {func(c *mysql.Config) { c.DBName = "no`where" }, diff.CodeTargetAccess, []string{addr, "CREATE DATABASE `no``where`"}},
		"closed port":      {func(c *mysql.Config) { c.Addr = closed }, diff.CodeUnreachable, []string{closed, "check that the server runs and that host and port"}},
		"unknown host":     {func(c *mysql.Config) { c.Addr = "jst.invalid:3306" }, diff.CodeUnreachable, []string{"jst.invalid:3306"}},
	} {
		t.Run(name, func(t *testing.T) {
			target, err := load.Open(edited(t, b.dsn, test.change), pipeline, shops(), slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			_, err = target.Connect(t.Context())
			wantError(t, err, test.code, test.texts...)
			for _, password := range []string{"wr0ng", "s3cret"} {
				if strings.Contains(err.Error()+remedy(err), password) {
					t.Errorf("%v shows the password", err)
				}
			}
		})
	}
}

// A user that may not create tables is told which right is missing.
func TestSession_Begin_NoGrant(t *testing.T) {
	b := onShared(t, shops())
	var name string
	edited(t, b.dsn, func(c *mysql.Config) { name = c.DBName })
	mustExec(t, b.db, "CREATE USER IF NOT EXISTS jst_poor@'%' IDENTIFIED BY 's3cret'")
	t.Cleanup(func() { mustExec(t, b.db, "DROP USER jst_poor@'%'") })
	mustExec(t, b.db, "GRANT SELECT ON "+name+".* TO jst_poor@'%'")
	b.dsn = edited(t, b.dsn, func(c *mysql.Config) { c.User, c.Passwd = "jst_poor", "s3cret" })
	_, err := connect(t, b.open(t, pipeline)).Begin(t.Context(), b.head)
	wantError(t, err, diff.CodeTargetAccess, "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE ON `"+name+"`.*")
}

// proxy passes bytes on to the server, after replacing some of the client's by
// others of the same length.
func proxy(t *testing.T, addr, from, to string) string {
	t.Helper()
	if len(from) != len(to) {
		t.Fatalf("%q and %q differ in length", from, to)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", addr)
			if err != nil {
				_ = client.Close()
				continue
			}
			go func() { _, _ = io.Copy(client, server); _ = client.Close() }()
			go func() {
				buf := make([]byte, 1<<16)
				for {
					n, err := client.Read(buf)
					_, _ = server.Write(bytes.ReplaceAll(buf[:n], []byte(from), []byte(to)))
					if err != nil {
						_ = server.Close()
						return
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

// A setting that does not take is noticed, as with a proxy that pins it.
func TestTarget_Connect_VerifiesSettings(t *testing.T) {
	b := onShared(t, shops())
	for _, test := range []struct{ from, to, text string }{
		{"SET SESSION sql_mode", "SET @pinned_sql_mode", "keeps sql_mode at "},
		{", time_zone =", ", @ime_zone =", "keeps time_zone at "},
		{"SET NAMES utf8mb4", "SET NAMES latin1 ", `keeps character_set_client at "latin1"`},
	} {
		t.Run(test.from, func(t *testing.T) {
			b := *b
			b.dsn = edited(t, b.dsn, func(c *mysql.Config) { c.Addr = proxy(t, c.Addr, test.from, test.to) })
			_, err := b.open(t, pipeline).Connect(t.Context())
			wantError(t, err, diff.CodeTarget, test.text)
		})
	}
	t.Run("nothing pinned", func(t *testing.T) {
		b := *b
		b.dsn = edited(t, b.dsn, func(c *mysql.Config) { c.Addr = proxy(t, c.Addr, "x", "x") })
		connect(t, b.open(t, pipeline))
	})
}

func TestTarget_Connect_ReadOnly(t *testing.T) {
	server := mysqltest.Start(t, "--read-only=1")
	b := newBench(t, server.DSN(), shops())
	_, err := b.target.Connect(t.Context())
	wantError(t, err, diff.CodeTarget, "read_only", "name the primary server, not a replica")
	mustExec(t, b.db, "SET GLOBAL read_only = 0")
	connect(t, b.target)
}

// An administrator sees what the session is.
func TestTarget_Connect_Attributes(t *testing.T) {
	b := onShared(t, shops())
	before := mysqltest.Status(t, b.dsn, "Threads_connected")
	s := connect(t, b.target)
	if got := mysqltest.Status(t, b.dsn, "Threads_connected"); got != before+1 {
		t.Errorf("Connect opened %d connections, want one", got-before)
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close again: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.target.Connect(ctx); err == nil {
		t.Error("Connect after cancellation: got no error")
	}
}

func asUser(t *testing.T, dsn, user, password string) string {
	t.Helper()
	return edited(t, dsn, func(c *mysql.Config) { c.User, c.Passwd = user, password })
}

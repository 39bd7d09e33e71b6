package mysqltest_test

import (
	"database/sql"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"jstsync/internal/mysqltest"
)

func TestMain(m *testing.M) { mysqltest.Main(m) }

func TestDSN(t *testing.T) {
	one, two := mysqltest.DSN(t), mysqltest.DSN(t)
	if one == two {
		t.Fatalf("two databases have one DSN: %s", one)
	}
	if !strings.Contains(one, "/jst_test_") {
		t.Errorf("got DSN %s, want a database named jst_test_…", one)
	}
	mustExec(t, mysqltest.DB(t, one), "CREATE TABLE t (id INT)")
	_, err := mysqltest.DB(t, two).Exec("SELECT id FROM t")
	if err == nil {
		t.Error("a table of one database is seen in the other")
	}
}

func TestDSN_dropsTheDatabase(t *testing.T) {
	observer := mysqltest.DB(t, mysqltest.DSN(t))
	var name string
	t.Run("test", func(t *testing.T) {
		if err := mysqltest.DB(t, mysqltest.DSN(t)).QueryRow("SELECT DATABASE()").Scan(&name); err != nil {
			t.Fatal(err)
		}
	})
	var left int
	row := observer.QueryRow("SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?", name)
	if err := row.Scan(&left); err != nil {
		t.Fatal(err)
	}
	if left != 0 {
		t.Errorf("database %s is left after its test", name)
	}
}

func TestStatus(t *testing.T) {
	dsn := mysqltest.DSN(t)
	before := mysqltest.Status(t, dsn, "Connections")
	if got := mysqltest.Status(t, dsn, "Connections"); got != before {
		t.Fatalf("reading the counter moved it from %d to %d", before, got)
	}
	db := mysqltest.DB(t, dsn)
	if got := mysqltest.Status(t, dsn, "Connections"); got != before+1 {
		t.Errorf("after one connection: got %d, want %d", got, before+1)
	}
	mustExec(t, db, "CREATE TABLE t (id INT)")
	inserts := mysqltest.Status(t, dsn, "Com_insert")
	mustExec(t, db, "INSERT INTO t VALUES (1), (2)")
	if got := mysqltest.Status(t, dsn, "Com_insert"); got != inserts+1 {
		t.Errorf("after one INSERT: got Com_insert %d, want %d", got, inserts+1)
	}
}

func TestTableRowsChanged(t *testing.T) {
	dsn := mysqltest.DSN(t)
	db := mysqltest.DB(t, dsn)
	mustExec(t, db, "CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(9))")
	for _, step := range []struct {
		statement string
		want      int64
	}{
		{"SELECT id FROM t", 0},
		{"INSERT INTO t VALUES (1, 'a'), (2, 'b')", 2},
		{"UPDATE t SET name = 'c' WHERE id = 1", 3},
		{"UPDATE t SET name = 'c' WHERE id = 1", 3},
		{"DELETE FROM t", 5},
	} {
		mustExec(t, db, step.statement)
		if got := mysqltest.TableRowsChanged(t, dsn, "t"); got != step.want {
			t.Errorf("after %s: got %d rows changed, want %d", step.statement, got, step.want)
		}
	}
}

func TestServer(t *testing.T) {
	var addr, data string
	t.Run("life", func(t *testing.T) {
		s := mysqltest.Start(t, "--max-allowed-packet=2M")
		addr = s.Addr()
		dsn := s.DSN()
		db := mysqltest.DB(t, dsn)
		var packet int
		if err := db.QueryRow("SELECT @@max_allowed_packet, @@datadir").Scan(&packet, &data); err != nil {
			t.Fatal(err)
		}
		if packet != 2<<20 {
			t.Errorf("got max_allowed_packet %d, want the argument's %d", packet, 2<<20)
		}
		mustExec(t, db, "CREATE TABLE t (id INT)")
		mustExec(t, db, "INSERT INTO t VALUES (1)")
		for _, end := range []struct {
			name string
			by   func()
		}{{"Kill", s.Kill}, {"Stop", s.Stop}, {"Restart", func() {}}} {
			end.by()
			if end.name != "Restart" && answers(addr) {
				t.Errorf("after %s: it still answers", end.name)
			}
			s.Restart()
			var rows int
			if err := db.QueryRow("SELECT COUNT(*) FROM t").Scan(&rows); err != nil || rows != 1 {
				t.Errorf("after %s and Restart: got %d rows, %v, want the one committed", end.name, rows, err)
			}
			if got := mysqltest.TableRowsChanged(t, dsn, "t"); got != 0 {
				t.Errorf("after %s and Restart: got %d rows changed, want 0 in a new process", end.name, got)
			}
		}
		s.Kill()
		s.Kill() // a second time is nothing
		s.Stop()
	})
	if answers(addr) {
		t.Error("the server outlives its test")
	}
	if _, err := os.Stat(filepath.Dir(filepath.Clean(data))); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its directory is left: %v", err)
	}
}

// A test process that is killed takes its servers along, which no code of its own can do any more, and the next
// server to start removes their directory. Those of servers in use stay.
func TestStart_diesWithTheProcess(t *testing.T) {
	const env = "MYSQLTEST_ORPHAN"
	if os.Getenv(env) != "" {
		s := mysqltest.Start(t)
		var data string
		if err := mysqltest.DB(t, s.DSN()).QueryRow("SELECT @@datadir").Scan(&data); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stdout.WriteString(s.Addr() + " " + data + "\n"); err != nil {
			t.Fatal(err)
		}
		select {} // until killed
	}
	if runtime.GOOS != "linux" {
		return // promised on Linux only
	}
	mine := mysqltest.Start(t) // where there is no server, it ends here

	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), env+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 256)
	n, err := out.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	addr, data, _ := strings.Cut(strings.TrimSpace(string(buf[:n])), " ")
	dir := filepath.Dir(filepath.Clean(data))
	if !strings.HasPrefix(filepath.Base(dir), "jstmy") {
		t.Fatalf("got %q, want an address and a data directory", buf[:n])
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if !answers(addr) {
		t.Fatalf("no answer at %s", addr)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed, as it says
	for range 100 {
		if !answers(addr) {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if answers(addr) {
		t.Fatal("the server outlives a killed test process")
	}

	mysqltest.Start(t)
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its directory is left: %v", err)
	}
	mustExec(t, mysqltest.DB(t, mine.DSN()), "CREATE TABLE t (id INT)")
}

// The server that JSTSYNC_TEST_DSN names is used and left as it was.
func TestDSN_named(t *testing.T) {
	s := mysqltest.Start(t)
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.v", "-test.run=^(TestDSN|TestStatus|TestTableRowsChanged)$")
	cmd.Env = append(os.Environ(), "JSTSYNC_TEST_DSN=root@tcp("+s.Addr()+")/", "JSTSYNC_TEST_REQUIRE_DB=1")
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Count(string(out), "--- PASS") != 3 {
		t.Fatalf("got %v, want three tests passed:\n%s", err, out)
	}
	dsn := s.DSN()
	if got := mysqltest.Status(t, dsn, "Com_create_db"); got != 5 {
		t.Errorf("got %d databases created on the named server, want 4 and this test's own", got)
	}
	var left int
	row := mysqltest.DB(t, dsn).QueryRow("SELECT COUNT(*) FROM information_schema.SCHEMATA" +
		" WHERE SCHEMA_NAME LIKE 'jst\\_test\\_%' AND SCHEMA_NAME <> DATABASE()")
	if err := row.Scan(&left); err != nil {
		t.Fatal(err)
	}
	if left != 0 {
		t.Errorf("%d databases are left on the named server", left)
	}
}

func TestUnavailable(t *testing.T) {
	for _, c := range []struct {
		name, require string
		err           error
		want          string
	}{
		{"no server", "", mysqltest.ErrNoServer, "skip"},
		{"no server, one required", "1", mysqltest.ErrNoServer, "fail"},
		{"a fault", "", errors.New("disk full"), "fail"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("JSTSYNC_TEST_REQUIRE_DB", c.require)
			tb := &recorder{TB: t}
			done := make(chan struct{})
			go func() {
				defer close(done)
				mysqltest.Unavailable(tb, c.err)
			}()
			<-done
			if tb.got != c.want {
				t.Errorf("got %q, want %q", tb.got, c.want)
			}
		})
	}
}

// recorder notes how a test ended, and ends the goroutine as a test would.
type recorder struct {
	testing.TB
	got string
}

func (r *recorder) Helper() {}

func (r *recorder) Skipf(string, ...any) { r.got = "skip"; runtime.Goexit() }

func (r *recorder) Fatalf(string, ...any) { r.got = "fail"; runtime.Goexit() }

func mustExec(t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
}

func answers(addr string) bool {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

package main

import (
	"context"
	"database/sql" //nolint:depguard // it counts the server's connections
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/go-sql-driver/mysql" //nolint:depguard // it counts the server's connections
)

const database = "jstsync_bench"

// errNoMariaDB says that there is no server to measure against.
var errNoMariaDB = errors.New("no MariaDB: install mariadb-server")

// mariadb is a private server on the loopback interface with an empty database.
type mariadb struct {
	cmd     *exec.Cmd
	ended   chan struct{} // closed when it has ended
	dsn     string
	addr    string
	client  string // the stock client
	version string
	reading counters // what reading the counters adds to them
	db      *sql.DB  // the one connection that is not counted
}

// startMariaDB starts a server whose files are in dir.
func startMariaDB(ctx context.Context, dir string) (*mariadb, error) {
	daemon, err := find("mariadbd")
	if err != nil {
		return nil, err
	}
	install, err := find("mariadb-install-db")
	if err != nil {
		return nil, err
	}
	common := []string{"--no-defaults", "--datadir=" + filepath.Join(dir, "data")}
	if os.Geteuid() == 0 {
		common = append(common, "--user=root")
	}
	args := append(common[:len(common):len(common)], "--auth-root-authentication-method=normal", "--skip-test-db")
	// A server that starts removes the temporary files of others in its directory.
	environ := append(os.Environ(), "TMPDIR="+dir)
	installing := exec.CommandContext(ctx, install, args...)
	installing.Env = environ
	if out, err := installing.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("run mariadb-install-db: %w\n%s", err, out)
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	m := &mariadb{ended: make(chan struct{})}
	if m.client, err = find("mariadb"); err != nil {
		return nil, err
	}
	m.cmd = exec.Command(daemon, append(common, "--bind-address=127.0.0.1", "--port="+strconv.Itoa(port),
		"--socket="+filepath.Join(dir, "s"), "--skip-log-bin", "--skip-name-resolve", "--userstat=1")...)
	m.cmd.Env = environ
	if err := m.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start mariadbd: %w", err)
	}
	go func() {
		defer close(m.ended)
		_ = m.cmd.Wait()
	}()
	if err := m.ready(ctx, port); err != nil {
		m.close()
		return nil, err
	}
	return m, nil
}

func find(name string) (string, error) {
	for _, candidate := range []string{name, "/usr/sbin/" + name, "/usr/local/sbin/" + name} {
		if path, err := exec.LookPath(candidate); err == nil {
			return path, nil
		}
	}
	return "", errNoMariaDB
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// ready waits until the server answers, and creates the database.
func (m *mariadb) ready(ctx context.Context, port int) error {
	cfg := mysql.NewConfig()
	cfg.User, cfg.Net, cfg.Addr, cfg.Logger = "root", "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), &mysql.NopLogger{}
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return fmt.Errorf("make connector: %w", err)
	}
	m.db = sql.OpenDB(connector)
	m.db.SetMaxOpenConns(1)
	for range 600 {
		if err = m.db.QueryRowContext(ctx, "SELECT VERSION()").Scan(&m.version); err == nil {
			break
		}
		select {
		case <-m.ended:
			return errors.New("start mariadbd: it ended at once")
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	if err != nil {
		return fmt.Errorf("wait for mariadbd: %w", err)
	}
	cfg.DBName = database
	m.dsn, m.addr = cfg.FormatDSN(), cfg.Addr
	if err := m.empty(ctx); err != nil {
		return err
	}
	return m.calibrate(ctx)
}

// empty gives the database back as it was at first.
func (m *mariadb) empty(ctx context.Context) error {
	for _, query := range []string{"DROP DATABASE IF EXISTS " + database, "CREATE DATABASE " + database + " CHARACTER SET utf8mb4"} {
		if _, err := m.db.ExecContext(ctx, query); err != nil {
			return fmt.Errorf("empty the database: %w", err)
		}
	}
	return nil
}

// counters are what the server counts.
type counters struct {
	Connections int
	Statements  int
	Received    int64         // bytes
	Rows        int           // changed in the target
	Checkpoint  int           // rows changed in the checkpoint table
	Server      time.Duration // CPU time
}

// count reads the counters, in two statements.
func (m *mariadb) count(ctx context.Context) (c counters, err error) {
	err = m.each(ctx, `SELECT TABLE_NAME, ROWS_CHANGED FROM information_schema.TABLE_STATISTICS WHERE TABLE_SCHEMA = '`+database+`'`, map[string]any{
		"jst_shops": &c.Rows, "jstsync_checkpoint": &c.Checkpoint,
	})
	if err == nil {
		err = m.each(ctx, `SELECT VARIABLE_NAME, VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS
			WHERE VARIABLE_NAME IN ('CONNECTIONS', 'QUESTIONS', 'BYTES_RECEIVED')`, map[string]any{
			"CONNECTIONS": &c.Connections, "QUESTIONS": &c.Statements, "BYTES_RECEIVED": &c.Received,
		})
	}
	if err != nil {
		return c, fmt.Errorf("read the server's counters: %w", err)
	}
	c.Server = cpuTime(m.cmd.Process.Pid)
	return c, nil
}

// each scans the values that a query gives by name.
func (m *mariadb) each(ctx context.Context, query string, into map[string]any) error {
	rows, err := m.db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var value sql.RawBytes
		if err := rows.Scan(&name, &value); err != nil {
			return err
		}
		if n, ok := into[name]; ok {
			if _, err := fmt.Sscan(string(value), n); err != nil {
				return err
			}
		}
	}
	return rows.Err()
}

// since returns by how much the counters moved, but for what reading them adds.
func (m *mariadb) since(before, after counters) counters {
	return counters{
		Connections: after.Connections - before.Connections - m.reading.Connections,
		Statements:  after.Statements - before.Statements - m.reading.Statements,
		Received:    after.Received - before.Received - m.reading.Received,
		Rows:        after.Rows - before.Rows,
		Checkpoint:  after.Checkpoint - before.Checkpoint,
		Server:      after.Server - before.Server,
	}
}

// calibrate learns what reading the counters adds to them.
func (m *mariadb) calibrate(ctx context.Context) error {
	before, err1 := m.count(ctx)
	after, err2 := m.count(ctx)
	m.reading = m.since(before, after)
	return errors.Join(err1, err2)
}

// cpuTime returns what a process has taken, to a hundredth of a second, and 0
// where there is no /proc.
func cpuTime(pid int) time.Duration {
	text, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	_, after, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(after)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// export writes the target's rows for load, and makes room for them.
func (m *mariadb) export(ctx context.Context, file string) error {
	if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for _, query := range []string{
		"SELECT * INTO OUTFILE '" + file + "' CHARACTER SET utf8mb4 FROM " + database + ".jst_shops",
		"CREATE TABLE " + database + ".loaded LIKE " + database + ".jst_shops",
	} {
		if _, err := m.db.ExecContext(ctx, query); err != nil {
			return fmt.Errorf("export the rows: %w", err)
		}
	}
	return nil
}

// load returns the stock client's command that loads what export wrote.
func (m *mariadb) load(file string) []string {
	host, port, _ := net.SplitHostPort(m.addr)
	return []string{
		m.client, "--no-defaults", "--local-infile=1", "--user=root", "--host=" + host, "--port=" + port, database,
		"--execute=LOAD DATA LOCAL INFILE '" + file + "' INTO TABLE loaded CHARACTER SET utf8mb4",
	}
}

// close ends the server, however it ends.
func (m *mariadb) close() {
	if m.db != nil {
		_ = m.db.Close()
	}
	_ = m.cmd.Process.Signal(syscall.SIGTERM) // fails when it has ended already
	select {
	case <-m.ended:
	case <-time.After(30 * time.Second):
		_ = m.cmd.Process.Kill()
		<-m.ended
	}
}

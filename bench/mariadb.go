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
	version string
	db      *sql.DB // the one connection that is not counted
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
	m.cmd = exec.Command(daemon, append(common, "--bind-address=127.0.0.1", "--port="+strconv.Itoa(port),
		"--socket="+filepath.Join(dir, "s"), "--skip-log-bin", "--skip-name-resolve")...)
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
	m.dsn = cfg.FormatDSN()
	return m.empty(ctx)
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

// connections returns how many connections the server has counted.
func (m *mariadb) connections(ctx context.Context) (n int, err error) {
	var name string
	if err := m.db.QueryRowContext(ctx, "SHOW GLOBAL STATUS LIKE 'Connections'").Scan(&name, &n); err != nil {
		return 0, fmt.Errorf("read the server's connection counter: %w", err)
	}
	return n, nil
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

package mysqltest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
)

// queryTimeout bounds one statement of the package's own. They take milliseconds; what takes longer hangs.
const queryTimeout = 30 * time.Second

// DSN creates an empty database on the shared server and returns the administrator's DSN of it, such as
// root@tcp(127.0.0.1:40123)/jst_test_k3v5. The database is dropped when tb ends, which fails tb when a
// transaction that it left open still holds a table.
func DSN(tb testing.TB) string {
	tb.Helper()
	admin, err := theSuite(tb).server()
	if err != nil {
		unavailable(tb, err)
	}
	dsn, name := createDatabase(tb, admin)
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), queryTimeout)
		defer cancel()
		if _, err := observer(tb, admin).ExecContext(ctx, "DROP DATABASE "+name); err != nil {
			tb.Errorf("mysqltest: drop database: %v", err)
		}
	})
	return dsn
}

// createDatabase creates a database and returns its DSN and its name.
func createDatabase(tb testing.TB, admin *mysql.Config) (dsn, name string) {
	tb.Helper()
	name = "jst_test_" + strings.ToLower(rand.Text()[:12])
	ctx, cancel := context.WithTimeout(tb.Context(), queryTimeout)
	defer cancel()
	if _, err := observer(tb, admin).ExecContext(ctx, "CREATE DATABASE "+name); err != nil {
		tb.Fatalf("mysqltest: create database: %v", err)
	}
	cfg := admin.Clone()
	cfg.DBName = name
	return cfg.FormatDSN(), name
}

// DB opens a database and closes it when tb ends. It fails tb when the server does not answer.
func DB(tb testing.TB, dsn string) *sql.DB {
	tb.Helper()
	db, err := open(parse(tb, dsn))
	if err != nil {
		tb.Fatalf("mysqltest: %v", err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Errorf("mysqltest: close: %v", err)
		}
	})
	ctx, cancel := context.WithTimeout(tb.Context(), queryTimeout)
	defer cancel()
	if err := db.PingContext(ctx); err != nil {
		tb.Fatalf("mysqltest: reach %s: %v", parse(tb, dsn).Addr, err)
	}
	return db
}

// Status returns a counter of SHOW GLOBAL STATUS, such as Connections or Com_insert, of the server that dsn names.
// Reading keeps one connection of its own open, so that two readings differ by no connection of theirs; each adds
// one to Com_show_status.
func Status(tb testing.TB, dsn, name string) int64 {
	tb.Helper()
	var got string
	var value int64
	if err := scan(tb, dsn, "SHOW GLOBAL STATUS WHERE Variable_name = ?", []any{name}, &got, &value); err != nil {
		tb.Fatalf("mysqltest: read status %s: %v", name, err)
	}
	return value
}

// TableRowsChanged returns how many rows of a table in dsn's database were inserted, updated or deleted since the
// server started, as the server counts them in TABLE_STATISTICS; 0 for a table never changed. A row that a
// statement matched and left as it was is not counted. It needs a server with userstat on, as the private ones
// are; with another, tb ends as without a server.
func TableRowsChanged(tb testing.TB, dsn, table string) int64 {
	tb.Helper()
	var name, userstat string
	err := scan(tb, dsn, "SHOW GLOBAL VARIABLES WHERE Variable_name = ?", []any{"userstat"}, &name, &userstat)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		tb.Fatalf("mysqltest: read variable userstat: %v", err)
	}
	if userstat != "ON" {
		unavailable(tb, fmt.Errorf("%w (the server named there counts no changed rows: userstat is not ON)", errNoServer))
	}
	const count = "SELECT COALESCE(SUM(ROWS_CHANGED), 0) FROM information_schema.TABLE_STATISTICS" +
		" WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?"
	var rows int64
	if err := scan(tb, dsn, count, []any{parse(tb, dsn).DBName, table}, &rows); err != nil {
		tb.Fatalf("mysqltest: read statistics of table %s: %v", table, err)
	}
	return rows
}

// scan reads one row from the server that dsn names, over the observer's connection. It works in a clean-up too,
// when tb's own context is done.
func scan(tb testing.TB, dsn, text string, args []any, dest ...any) error {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(tb.Context()), queryTimeout)
	defer cancel()
	return observer(tb, parse(tb, dsn)).QueryRowContext(ctx, text, args...).Scan(dest...)
}

// observer returns the suite's one connection to cfg's server, on which no test works.
func observer(tb testing.TB, cfg *mysql.Config) *sql.DB {
	tb.Helper()
	cfg = cfg.Clone()
	cfg.DBName = ""
	cfg.InterpolateParams = true // else each reading counts as a prepared statement as well
	cfg.Params = map[string]string{"lock_wait_timeout": "10"}
	key := cfg.FormatDSN()

	s := theSuite(tb)
	s.mu.Lock()
	defer s.mu.Unlock()
	if db, ok := s.observers[key]; ok {
		return db
	}
	db, err := open(cfg)
	if err != nil {
		tb.Fatalf("mysqltest: %v", err)
	}
	db.SetMaxOpenConns(1)
	s.observers[key] = db
	return db
}

func parse(tb testing.TB, dsn string) *mysql.Config {
	tb.Helper()
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		tb.Fatalf("mysqltest: parse DSN: %v", err)
	}
	return cfg
}

// open opens a database without connecting. The driver's own log stays silent: what matters comes back as an error,
// and a server that is not up yet is no news.
func open(cfg *mysql.Config) (*sql.DB, error) {
	cfg = cfg.Clone()
	cfg.Logger = &mysql.NopLogger{}
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, fmt.Errorf("configure the driver: %w", err)
	}
	return sql.OpenDB(connector), nil
}

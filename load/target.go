package load

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"

	"jstsync/diff"
)

// sqlMode is the session's sql_mode: a value that a column cannot hold is an
// error, never a different value.
const sqlMode = "STRICT_ALL_TABLES,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION," +
	"NO_AUTO_VALUE_ON_ZERO" // else a key of 0 in a user's AUTO_INCREMENT column becomes another

// Target is one pipeline's table on a MySQL server.
type Target struct {
	cfg      *mysql.Config
	pipeline string
	table    *diff.Table
	log      *slog.Logger
	doubt    time.Duration // how long a run's fate may stay unknown before giving up
	deletes  Deletes
	shared   bool
	json     func([]byte) (string, error) // the mapping's spelling; may be nil
	warned   warned
}

// Open reads the DSN and returns the target. It does not connect. A DSN that
// is wrong or sets what the product sets itself, and options that contradict
// the table, are errors of [diff.CodeConfig].
func Open(dsn, pipeline string, table *diff.Table, log *slog.Logger, options ...Option) (*Target, error) {
	cfg, err := config(dsn, log)
	if err != nil {
		return nil, err
	}
	t := &Target{cfg: cfg, pipeline: pipeline, table: table, log: log, doubt: doubtLimit, deletes: DeleteHard}
	for _, option := range options {
		option(t)
	}
	if err := t.check(); err != nil {
		return nil, err
	}
	return t, nil
}

// warned remembers what the log was told, so that it is told once.
type warned struct {
	mu   sync.Mutex
	told map[string]bool
}

// warn logs what a person should know but need not act on now, once.
func (t *Target) warn(message string) {
	t.warned.mu.Lock()
	defer t.warned.mu.Unlock()
	if t.warned.told == nil {
		t.warned.told = map[string]bool{}
	}
	if !t.warned.told[message] {
		t.warned.told[message] = true
		t.log.Warn(message, "pipeline", t.pipeline)
	}
}

// Session is one connection to the target, its settings verified. After an
// error from any method it is of no further use but to be closed.
type Session struct {
	target *Target
	db     *sql.DB
	conn   *sql.Conn
	packet int64  // the server's max_allowed_packet, bytes
	fold   bool   // the server takes table names that differ in case only for one
	name   string // the table's, as the server compares it

	keyTypes []string        // of an existing table's key columns, for comparisons; see keyType
	sharers  []string        // other pipelines of a shared table
	checked  *diff.ChangeSet // what CheckKeys found nothing wrong with
}

// Connect opens a session and verifies that its settings took.
func (t *Target) Connect(ctx context.Context) (*Session, error) {
	if mode := t.cfg.TLSConfig; mode == "skip-verify" || mode == "preferred" {
		t.warn("tls=" + mode + " in target.dsn (MYSQL_DSN) does not prove which server answers; use tls=true")
	}
	connector, err := mysql.NewConnector(t.cfg)
	if err != nil {
		return nil, fmt.Errorf("make connector: %w", err)
	}
	s := &Session{target: t, db: sql.OpenDB(connector)}
	s.db.SetMaxOpenConns(1)
	if s.conn, err = s.db.Conn(ctx); err != nil {
		return nil, errors.Join(t.failure("connect", err), s.db.Close())
	}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(t.failure("prepare the session", err), s.Close())
	}
	return s, nil
}

// Close ends the connection. A transaction that is open is rolled back by the
// server.
func (s *Session) Close() error {
	_ = s.conn.Raw(func(any) error { return driver.ErrBadConn }) // never back into a pool
	return s.db.Close()
}

// prepare sets the session's variables and reads them back.
func (s *Session) prepare(ctx context.Context) error {
	for _, set := range []string{
		"SET SESSION sql_mode = '" + sqlMode + "'",
		"SET SESSION time_zone = '+00:00'",
		"SET SESSION wait_timeout = 60",
	} {
		if _, err := s.conn.ExecContext(ctx, set); err != nil {
			return err
		}
	}
	if _, err := s.conn.ExecContext(ctx, "SET SESSION innodb_lock_wait_timeout = 5"); err != nil {
		s.target.log.Warn("server refuses a lock wait limit", "err", err)
	}
	return s.verify(ctx)
}

// verify reads the settings back.
func (s *Session) verify(ctx context.Context) error {
	var mode, zone, charset, readOnly string
	var lowerCase int
	err := s.conn.QueryRowContext(ctx,
		"SELECT @@SESSION.sql_mode, @@SESSION.time_zone, @@SESSION.character_set_client, @@SESSION.max_allowed_packet, @@GLOBAL.read_only, @@lower_case_table_names").
		Scan(&mode, &zone, &charset, &s.packet, &readOnly, &lowerCase)
	if err != nil {
		return err
	}
	s.name = s.target.table.Name
	if s.fold = lowerCase != 0; s.fold {
		s.name = strings.ToLower(s.name)
	}
	switch {
	case !strings.Contains(mode, "STRICT_ALL_TABLES"), !strings.Contains(mode, "NO_AUTO_VALUE_ON_ZERO"):
		return s.refuse("sql_mode", mode, "a proxy may pin it; connect to the server directly")
	case zone != "+00:00":
		return s.refuse("time_zone", zone, "a proxy may pin it; connect to the server directly")
	case charset != "utf8mb4":
		return s.refuse("character_set_client", charset, "let the server accept utf8mb4")
	case isOn(readOnly):
		return s.refuse("read_only", "ON", "name the primary server, not a replica, in target.dsn (MYSQL_DSN)")
	}
	return nil
}

// isOn reads a variable that some servers show as a number and others, which
// know more than two settings of it, as a word.
func isOn(variable string) bool {
	return variable != "0" && !strings.EqualFold(variable, "OFF")
}

// same reports whether the server takes two table names for one.
func (s *Session) same(a, b string) bool {
	return a == b || s.fold && strings.EqualFold(a, b)
}

func (s *Session) refuse(name, value, remedy string) error {
	return &diff.Error{
		Code:    diff.CodeTarget,
		Message: fmt.Sprintf("MySQL server %s keeps %s at %q", s.target.cfg.Addr, name, value),
		Remedy:  remedy,
	}
}

package load

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"jstsync/diff"
	"jstsync/internal/fault"
)

// sqlMode is the session's sql_mode: a value that a column cannot hold is an
// error, never a different value.
const sqlMode = "STRICT_ALL_TABLES,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION," +
	"NO_AUTO_VALUE_ON_ZERO" // else a key of 0 in a user's AUTO_INCREMENT column becomes another

// lockWait is how long a statement waits for a row lock, in seconds.
const lockWait = 5

// How long the server keeps a session that says nothing, in seconds: before the
// transaction, when nothing is locked, and in it, whose locks a session that lost
// its client would otherwise hold for hours.
const (
	idleTimeout        = 3600
	transactionTimeout = 60
)

// settings are the session's, which are read back. autocommit is among them
// since a claim commits by itself, REPEATABLE READ since a table and its
// checkpoint row are read as of one moment.
var settings = [...]string{
	"sql_mode = '" + sqlMode + "', time_zone = '+00:00', autocommit = 1," +
		" innodb_lock_wait_timeout = " + fmt.Sprint(lockWait) + ", wait_timeout = " + fmt.Sprint(idleTimeout),
	"TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ WRITE",
}

// Session is one connection to the target, its settings verified. Commit and
// TakeOver replace the connection when a transaction has to be sent again.
// After an error from any method it is of no further use but to be closed.
type Session struct {
	*conn
	target *Target
	again  bool   // it is not the first connection
	packet int64  // the longest statement, bytes
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
	s := &Session{target: t}
	if err := s.connect(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// connect gives the session a new connection, prepared as the first one. What
// the session knows of the tables stays.
func (s *Session) connect(ctx context.Context) error {
	if s.conn != nil {
		_ = s.close() // it failed; why was told
		s.again = true
	}
	err := fault.Hit(fault.TargetConnect)
	if err != nil {
		return s.target.failure("connect", err)
	}
	c, err := dial(ctx, s.target.cfg)
	if err != nil {
		return s.target.failure("connect", err)
	}
	s.conn = c
	if err := s.prepare(ctx); err != nil {
		return errors.Join(s.target.failure("prepare the session", err), s.Close())
	}
	return nil
}

// Close ends the connection. A transaction that is open is rolled back by the
// server.
func (s *Session) Close() error { return s.close() }

// prepare sets the session's variables and reads them back.
func (s *Session) prepare(ctx context.Context) error {
	for _, set := range settings {
		if _, err := s.exec(ctx, "SET SESSION "+set); err != nil {
			return err
		}
	}
	vars, err := s.variables(ctx)
	if err != nil {
		return err
	}
	if err := s.verify(vars); err != nil {
		return err
	}
	packet, err := strconv.ParseInt(vars["max_allowed_packet"], 10, 64)
	if err != nil {
		return fmt.Errorf("read max_allowed_packet: %w", err)
	}
	s.packet = min(packet, int64(s.target.cfg.MaxAllowedPacket))
	s.name = s.target.table.Name
	if s.fold = vars["lower_case_table_names"] != "0"; s.fold {
		s.name = strings.ToLower(s.name)
	}
	return nil
}

// variables reads what verify looks at. Servers differ in which of these they
// have.
func (s *Session) variables(ctx context.Context) (map[string]string, error) {
	vars := map[string]string{}
	err := s.each(ctx, func(scan func(...any) error) error {
		var name, value string
		err := scan(&name, &value)
		vars[strings.ToLower(name)] = value
		return err
	}, "SHOW SESSION VARIABLES WHERE Variable_name IN ('sql_mode', 'time_zone', 'autocommit', 'tx_isolation', 'transaction_isolation',"+
		" 'tx_read_only', 'transaction_read_only', 'read_only', 'super_read_only', 'innodb_read_only', 'innodb_lock_wait_timeout',"+
		" 'character_set_client', 'character_set_connection', 'character_set_results', 'max_allowed_packet', 'lower_case_table_names')")
	return vars, err
}

// errReadOnly says that the server takes no writes, as one does that is about
// to hand over to another.
var errReadOnly = errors.New("the server is read-only")

// verify refuses a session in which a setting did not take, and a server that
// cannot be written.
func (s *Session) verify(vars map[string]string) error {
	const direct = "a proxy may pin it; connect to the server directly"
	modes := strings.Split(vars["sql_mode"], ",")
	for mode := range strings.SplitSeq(sqlMode, ",") {
		if !slices.Contains(modes, mode) {
			return s.refuse("sql_mode", vars, direct)
		}
	}
	if slices.Contains(modes, "NO_BACKSLASH_ESCAPES") { // on which the literals in statements build
		return s.refuse("sql_mode", vars, direct)
	}
	for _, name := range []string{"character_set_client", "character_set_connection", "character_set_results"} {
		if vars[name] != "utf8mb4" {
			return s.refuse(name, vars, "let the server accept utf8mb4")
		}
	}
	for _, name := range []string{"read_only", "super_read_only", "innodb_read_only"} {
		if value, ok := vars[name]; ok && isOn(value) {
			err := s.refuse(name, vars, "name the primary server, not a replica, in target.dsn (MYSQL_DSN)")
			err.Err = errReadOnly
			return err
		}
	}
	for name, want := range map[string]string{
		"time_zone": "+00:00", "autocommit": "ON", "tx_isolation": "REPEATABLE-READ", "transaction_isolation": "REPEATABLE-READ",
		"tx_read_only": "OFF", "transaction_read_only": "OFF",
	} {
		if value, ok := vars[name]; ok && !reads(value, want) {
			return s.refuse(name, vars, direct)
		}
	}
	if vars["innodb_lock_wait_timeout"] != strconv.Itoa(lockWait) {
		s.target.warn(fmt.Sprintf("MySQL server %s keeps innodb_lock_wait_timeout at %q, not %d s: a run waits that much longer for a locked row, and an unfinished one may need several runs to be decided",
			s.target.cfg.Addr, vars["innodb_lock_wait_timeout"], lockWait))
	}
	return nil
}

// reads reports whether a variable has the wanted value.
func reads(value, want string) bool {
	switch want {
	case "ON":
		return isOn(value)
	case "OFF":
		return !isOn(value)
	default:
		return value == want
	}
}

// isOn reads a variable that some servers show as a number and others, which
// know more than two settings of it, as a word.
func isOn(variable string) bool {
	return variable != "0" && !strings.EqualFold(variable, "OFF")
}

func (s *Session) refuse(name string, vars map[string]string, remedy string) *diff.Error {
	return &diff.Error{
		Code:    diff.CodeTarget,
		Message: fmt.Sprintf("MySQL server %s keeps %s at %q", s.target.cfg.Addr, name, vars[name]),
		Remedy:  remedy,
	}
}

// begin opens a transaction, whose locks are not to outlive its client for
// long.
func (s *Session) begin(ctx context.Context) error {
	if _, err := s.exec(ctx, "SET SESSION wait_timeout = "+strconv.Itoa(fault.Limit("wait", transactionTimeout))); err != nil {
		return err
	}
	_, err := s.exec(ctx, "START TRANSACTION")
	return err
}

// same reports whether the server takes two table names for one.
func (s *Session) same(a, b string) bool {
	return a == b || s.fold && strings.EqualFold(a, b)
}

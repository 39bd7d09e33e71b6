package load

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/go-sql-driver/mysql"

	"jstsync/diff"
)

// MySQL error numbers that are told apart.
const (
	erRecordChanged  = 1020
	erDiskFull       = 1021
	erTooMany        = 1040 // connections
	erDBAccess       = 1044
	erAccess         = 1045
	erUnknownDB      = 1049
	erShutdown       = 1053
	erDupEntry       = 1062
	erTableFull      = 1114
	erTableAccess    = 1142
	erColumnAccess   = 1143
	erNoSuchTable    = 1146
	erLockWait       = 1205
	erDeadlock       = 1213
	erSpecificAccess = 1227
	erUnprepared     = 1243 // a proxy lost the prepared statement
	erPrevented      = 1290 // the server runs with --read-only
	erReferenced     = 1451 // a foreign key of another table names the row
	erRefers         = 1452
	erTooManyStmts   = 1461 // prepared ones
	erReprepare      = 1615 // the server could not keep up with changes of what it prepared
	erReadOnlyTx     = 1792
	erReadOnlyMode   = 1836
	erKilled         = 1927 // MariaDB: the connection was killed
	erGone           = 2006 // of proxies; the driver has errors of its own for it
	erLost           = 2013
	erRolledBack     = 3101 // group replication: a member could not certify it
	erCheck          = 3819 // a CHECK constraint
	erCheckMaria     = 4025 // the same in MariaDB
	erTryAgain       = 8022 // TiDB: the commit failed, nothing was kept
	erWriteConflict  = 9007 // TiDB
)

// number returns the server's error number, or 0 when the error is not its.
func number(err error) uint16 {
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return e.Number
	}
	return 0
}

// retryable reports whether the same intent may be sent again on a new
// connection: the server gave the transaction up for reasons that pass (a
// deadlock, a lock wait, a failover), or the connection was lost before
// COMMIT, or could not be made. It is false for an error of COMMIT itself,
// whichever it is: that outcome only [Target.Resolve] knows.
func retryable(err error) bool {
	if _, ok := errors.AsType[*commitError](err); ok || err == nil {
		return false
	}
	switch number(err) {
	case erRecordChanged, erTooMany, erShutdown, erLockWait, erDeadlock, erPrevented, erReadOnlyTx, erReadOnlyMode,
		erUnprepared, erTooManyStmts, erReprepare, erKilled, erGone, erLost, erRolledBack, erTryAgain, erWriteConflict:
		return true
	}
	for _, lost := range []error{mysql.ErrInvalidConn, driver.ErrBadConn, sql.ErrConnDone, io.EOF, io.ErrUnexpectedEOF, errReadOnly} {
		if errors.Is(err, lost) {
			return true
		}
	}
	_, ok := errors.AsType[*net.OpError](err)
	return ok
}

// commitError is an error of COMMIT: the transaction may have taken effect.
type commitError struct{ err error }

func (e *commitError) Error() string { return "commit: " + e.err.Error() }
func (e *commitError) Unwrap() error { return e.err }

// failure wraps an error of the server or the connection.
func (t *Target) failure(doing string, err error) error {
	if _, ok := errors.AsType[*diff.Error](err); ok {
		return err
	}
	e := &diff.Error{Code: diff.CodeTarget, Message: fmt.Sprintf("%s on MySQL server %s", doing, t.cfg.Addr), Err: err}
	switch n := number(err); {
	case n == erAccess, n == erDBAccess:
		e.Code, e.Remedy = diff.CodeTargetAccess, "check user, password and database in target.dsn (MYSQL_DSN)"
	case n == erUnknownDB:
		e.Code = diff.CodeTargetAccess
		e.Remedy = "create the database, or correct its name in target.dsn (MYSQL_DSN): CREATE DATABASE " + quote(t.cfg.DBName) + " CHARACTER SET utf8mb4"
	case n == erTableAccess, n == erColumnAccess, n == erSpecificAccess:
		e.Code = diff.CodeTargetAccess
		e.Remedy = "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE ON " + quote(t.cfg.DBName) + ".* to the user of target.dsn"
	case n != 0:
		e.Remedy = statementRemedy(n)
	case errors.Is(err, mysql.ErrNoTLS):
		e.Remedy = "the server offers no TLS: let it have a certificate, or take tls out of target.dsn (MYSQL_DSN)"
	case untrusted(err):
		e.Code = diff.CodeUnreachable
		e.Remedy = "check the host name in target.dsn (MYSQL_DSN), and the server's certificate against this system's CA certificates"
	case errors.Is(err, context.Canceled):
		e.Code = diff.CodeInterrupted
	case errors.Is(err, context.DeadlineExceeded) && !dialing(err):
		e.Remedy = "the server took too long to answer; run again, and see what keeps it busy with SHOW PROCESSLIST"
	default:
		e.Code, e.Remedy = diff.CodeUnreachable, "check that the server runs and that host and port in target.dsn (MYSQL_DSN) are right"
	}
	return e
}

// untrusted reports whether the server's certificate was refused.
func untrusted(err error) bool {
	_, unverified := errors.AsType[*tls.CertificateVerificationError](err)
	_, host := errors.AsType[x509.HostnameError](err)
	_, authority := errors.AsType[x509.UnknownAuthorityError](err)
	return unverified || host || authority
}

// dialing reports whether no connection was made at all.
func dialing(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

// statementRemedy says what helps against an error of the server's that is not
// about the right to do something.
func statementRemedy(n uint16) string {
	switch n {
	case erTooMany:
		return "end sessions that nobody needs, or raise max_connections on the server, then run again"
	case erLockWait:
		return "another session holds the lock: see SHOW PROCESSLIST, and run again when it has ended"
	case erRecordChanged, erDeadlock, erShutdown, erKilled, erGone, erLost, erRolledBack, erTryAgain, erWriteConflict:
		return "the server gave it up, which passes: run again"
	case erPrevented, erReadOnlyTx, erReadOnlyMode:
		return "name the primary server, not a replica, in target.dsn (MYSQL_DSN)"
	case erDiskFull, erTableFull:
		return "free some space where the server keeps its data, then run again"
	case erReferenced, erRefers, erCheck, erCheckMaria:
		return "change the record in Jushuitan or the constraint of the table, then run again; a rule with on_fail: quarantine sets such records aside"
	default:
		return "change what the server complains of, then run again"
	}
}

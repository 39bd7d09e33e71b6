package load_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"jstsync/diff"
	"jstsync/load"
)

func TestRetryable(t *testing.T) {
	for n, want := range map[uint16]bool{
		1020: true, 1040: true, 1053: true, 1205: true, 1213: true, 1290: true, 1792: true, 1836: true, 1927: true, 2006: true, 2013: true,
		1243: true, 1461: true, 1615: true, 3101: true, 8022: true, 9007: true, 1062: false, 1406: false, 1045: false, 1317: false,
	} {
		server := &mysql.MySQLError{Number: n}
		err := fmt.Errorf("write: %w", errors.Join(&diff.Error{Code: diff.CodeTarget, Err: server}, errors.New("close")))
		if got := load.Retryable(err); got != want {
			t.Errorf("%d: got %t, want %t", n, got, want)
		}
		if load.Retryable(load.CommitError(server)) {
			t.Errorf("%d of COMMIT: got true", n)
		}
	}
	for err, want := range map[error]bool{
		mysql.ErrInvalidConn: true, driver.ErrBadConn: true, sql.ErrConnDone: true, io.ErrUnexpectedEOF: true, &net.OpError{Op: "dial", Err: errors.New("refused")}: true,
		context.Canceled: false, context.DeadlineExceeded: false, errors.New("x"): false, nil: false,
	} {
		if got := load.Retryable(err); got != want {
			t.Errorf("%v: got %t, want %t", err, got, want)
		}
		if load.Retryable(load.CommitError(err)) {
			t.Errorf("%v of COMMIT: got true", err)
		}
	}
}

func TestFailure_Interrupted(t *testing.T) {
	b := onShared(t, shops())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := b.target.Connect(ctx)
	wantError(t, err, diff.CodeInterrupted)
	s := connect(t, b.target)
	_, err = s.Begin(ctx, b.head)
	wantError(t, err, diff.CodeInterrupted)
}

func TestTarget_Resolve_Damaged(t *testing.T) {
	b, s, in, set := inDoubt(t)
	if err := s.Commit(t.Context(), in, set, durable); err != nil {
		t.Fatal(err)
	}
	before := b.checkpoint(t)
	in.Digest[3]++
	begun := time.Now()
	_, err := b.target.Resolve(t.Context(), in)
	wantError(t, err, diff.CodeState, "is committed, but the digest in jstsync_checkpoint is not that", "state check")
	if took := time.Since(begun); took > time.Second {
		t.Errorf("took %v, want it not asked again", took)
	}
	if got := b.checkpoint(t); got != before {
		t.Errorf("the row became %+v", got)
	}
}

func TestTarget_Resolve_NamesBlocker(t *testing.T) {
	b, _, in, _ := inDoubt(t)
	holder, err := b.db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = holder.Rollback() }()
	var id int64
	if err := holder.QueryRow("SELECT CONNECTION_ID() FROM jstsync_checkpoint FOR UPDATE").Scan(&id); err != nil {
		t.Fatal(err)
	}
	b.target.SetDoubtLimit(1500 * time.Millisecond)
	_, err = b.target.Resolve(t.Context(), in)
	wantError(t, err, diff.CodeInDoubt, fmt.Sprintf("session %d (root from ", id), "locks the row of jstsync_checkpoint", "KILL it")

	// without the right to see it
	var name string
	if err := b.db.QueryRow("SELECT DATABASE()").Scan(&name); err != nil {
		t.Fatal(err)
	}
	mustExec(t, b.db, "CREATE USER IF NOT EXISTS jst_blind@'%' IDENTIFIED BY 's3cret'")
	t.Cleanup(func() { mustExec(t, b.db, "DROP USER jst_blind@'%'") })
	mustExec(t, b.db, "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE ON "+name+".* TO jst_blind@'%'")
	b.dsn = asUser(t, b.dsn, "jst_blind", "s3cret")
	blind := b.open(t, pipeline)
	blind.SetDoubtLimit(1500 * time.Millisecond)
	_, err = blind.Resolve(t.Context(), in)
	wantError(t, err, diff.CodeInDoubt, "SHOW PROCESSLIST")
	if strings.Contains(err.Error(), "session") {
		t.Errorf("got %v, want no session named", err)
	}
}

func TestTarget_Connect_WeakTLS(t *testing.T) {
	b := onShared(t, shops())
	b.dsn = edited(t, b.dsn, func(c *mysql.Config) { c.TLSConfig = "preferred" })
	target := b.open(t, pipeline)
	for range 3 {
		connect(t, target)
	}
	if n := strings.Count(b.log.String(), "tls=preferred"); n != 1 {
		t.Errorf("got %d warnings, want one:\n%s", n, b.log)
	}
}

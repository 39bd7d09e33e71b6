package mysqltest_test

import (
	"context"
	"testing"
	"time"

	"jstsync/internal/mysqltest"
)

// What a statement under each kind of trouble comes to, for its client and on the server.
func TestProxy(t *testing.T) {
	for _, test := range []struct {
		name     string
		trouble  mysqltest.Trouble
		end      func(*mysqltest.Trap) // once it was met and the client has gone
		executed bool
	}{
		{"HoldRequest, released late", mysqltest.HoldRequest, (*mysqltest.Trap).Release, true},
		{"HoldRequest, discarded", mysqltest.HoldRequest, (*mysqltest.Trap).Discard, false},
		{"HoldReply, released late", mysqltest.HoldReply, (*mysqltest.Trap).Release, true},
		{"HoldReply, discarded", mysqltest.HoldReply, (*mysqltest.Trap).Discard, true},
		{"ResetRequest", mysqltest.ResetRequest, nil, false},
		{"ResetReply", mysqltest.ResetReply, nil, true},
		{"HalfClose", mysqltest.HalfClose, nil, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			dsn := mysqltest.DSN(t)
			direct := mysqltest.DB(t, dsn)
			mustExec(t, direct, "CREATE TABLE t (id INT)")
			p := mysqltest.NewProxy(t, dsn)
			through := mysqltest.DB(t, p.DSN())
			trap := p.Arm("INSERT", test.trouble)
			mustExec(t, through, "DELETE FROM t") // not trapped
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := make(chan error, 1)
			go func() {
				_, err := through.ExecContext(ctx, "INSERT INTO t VALUES (1)")
				ended <- err
			}()
			<-trap.Met
			held := test.end != nil
			if held {
				cancel()
			}
			if err := <-ended; err == nil {
				t.Error("the client was told of success")
			}
			if held {
				test.end(trap)
			}
			if got := eventually(t, dsn, test.executed); got != test.executed {
				t.Errorf("got executed %t, want %t", got, test.executed)
			}
			mustExec(t, through, "INSERT INTO t VALUES (2)") // a trap is met once
		})
	}
}

// eventually reports whether table t holds a row, and waits a moment for one that is wanted.
func eventually(t *testing.T, dsn string, wanted bool) bool {
	t.Helper()
	db := mysqltest.DB(t, dsn)
	for range 200 {
		var n int
		if err := db.QueryRow("SELECT COUNT(*) FROM t").Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n > 0 || !wanted {
			return n > 0
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false
}

// A client that waits gets what is released.
func TestTrap_Release(t *testing.T) {
	for _, trouble := range []mysqltest.Trouble{mysqltest.HoldRequest, mysqltest.HoldReply} {
		p := mysqltest.NewProxy(t, mysqltest.DSN(t))
		db := mysqltest.DB(t, p.DSN())
		trap := p.Arm("SELECT 7", trouble)
		go func() {
			<-trap.Met
			trap.Release()
		}()
		var got int
		if err := db.QueryRow("SELECT 7").Scan(&got); err != nil || got != 7 {
			t.Errorf("got %d, %v, want 7", got, err)
		}
	}
}

func TestProxy_Cut(t *testing.T) {
	p := mysqltest.NewProxy(t, mysqltest.DSN(t))
	conn, err := mysqltest.DB(t, p.DSN()).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p.Cut()
	if err := conn.PingContext(t.Context()); err == nil {
		t.Error("the connection outlives Cut")
	}
}

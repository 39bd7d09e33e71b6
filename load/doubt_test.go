package load_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"jstsync/diff"
	"jstsync/internal/mysqltest"
	"jstsync/load"
)

// doubtful is a bench behind a proxy, with one commit behind it and the next one about to be sent.
type doubtful struct {
	*bench
	proxy   *mysqltest.Proxy
	session *load.Session
	in      *diff.Intent
	set     *diff.ChangeSet
	now     map[diff.Key]diff.Row // if it is committed
}

func newDoubtful(t *testing.T, dsn string) *doubtful {
	t.Helper()
	b := newBench(t, dsn, shops())
	b.commit(t, b.shopsOf(t, 5, "a"))
	p := mysqltest.NewProxy(t, dsn)
	b.dsn = p.DSN()
	b.target = b.open(t, pipeline)
	b.target.SetPatience(300 * time.Millisecond)
	s, cp := b.begin(t)
	d := &doubtful{bench: b, proxy: p, session: s}
	d.set, d.now = b.replaced(t)
	d.in = b.intent(cp, d.set)
	return d
}

// failsOnCommit sends the transaction, whose COMMIT must fail, and must not be sent again.
func (d *doubtful) failsOnCommit(t *testing.T) {
	t.Helper()
	neverAgain(t, d.target)
	if err := d.session.Commit(t.Context(), d.in, d.set, durable); err == nil {
		t.Fatal("Commit: got no error")
	}
}

// resolves asserts what Resolve says and that it is so, for good.
func (d *doubtful) resolves(t *testing.T, committed bool) {
	t.Helper()
	got, err := d.target.Resolve(t.Context(), d.in)
	if got != committed || err != nil {
		t.Fatalf("Resolve: got committed %t, %v, want %t", got, err, committed)
	}
	d.settled(t, committed)
}

func (d *doubtful) settled(t *testing.T, committed bool) {
	t.Helper()
	d.target.SetPatience(time.Minute)
	epoch := d.in.From.Epoch
	if committed {
		d.became(t, d.in, d.now)
	} else if d.check(t); d.checkpoint(t).Epoch <= epoch {
		t.Error("not committed, and the epoch was not raised: it could be yet")
	}
	d.commit(t, d.shopsOf(t, 3, "next")) // the next run goes on from there
	eventuallyIdle(t, d.db)
	d.check(t)
}

// waitsForLock returns once a transaction waits for a row lock, and with which statement.
func (d *doubtful) waitsForLock(t *testing.T) (query string) {
	t.Helper()
	for range 100 {
		err := d.db.QueryRow("SELECT trx_query FROM information_schema.INNODB_TRX WHERE trx_state = 'LOCK WAIT'").Scan(&query)
		if err == nil {
			return query
		}
		if !errors.Is(err, sql.ErrNoRows) {
			t.Fatal(err)
		}
		time.Sleep(150 * time.Millisecond) // as in eventuallyIdle
	}
	t.Fatal("nobody waits for a lock")
	return ""
}

// COMMIT or its answer is lost: never sent again, and Resolve tells which it was.
func TestTarget_Resolve_LostCommit(t *testing.T) {
	for _, test := range []struct {
		name      string
		trouble   mysqltest.Trouble
		after     func(*mysqltest.Trap)
		committed bool
	}{
		{"request dropped", mysqltest.HoldRequest, (*mysqltest.Trap).Discard, false},
		{"reply dropped", mysqltest.HoldReply, func(*mysqltest.Trap) {}, true},
		{"reply late", mysqltest.HoldReply, (*mysqltest.Trap).Release, true},
		{"delivered late", mysqltest.HoldRequest, (*mysqltest.Trap).Release, true},
		{"reset before", mysqltest.ResetRequest, func(*mysqltest.Trap) {}, false},
		{"reset after", mysqltest.ResetReply, func(*mysqltest.Trap) {}, true},
		{"half-closed", mysqltest.HalfClose, func(*mysqltest.Trap) {}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := newDoubtful(t, mysqltest.DSN(t))
			trap := d.proxy.Arm("COMMIT", test.trouble)
			d.failsOnCommit(t)
			<-trap.Met
			test.after(trap)
			d.resolves(t, test.committed)
		})
	}
}

// A COMMIT that is still on its way is waited for. A plain read would have said that it is not committed.
func TestTarget_Resolve_LateCommit(t *testing.T) {
	for _, test := range []struct {
		name      string
		end       func(*mysqltest.Trap)
		committed bool
	}{{"delivered", (*mysqltest.Trap).Release, true}, {"dropped", (*mysqltest.Trap).Discard, false}} {
		t.Run(test.name, func(t *testing.T) {
			d := newDoubtful(t, mysqltest.DSN(t))
			trap := d.proxy.Arm("COMMIT", mysqltest.HoldRequest)
			d.failsOnCommit(t)
			type answer struct {
				committed bool
				err       error
			}
			answers := make(chan answer, 1)
			go func() {
				committed, err := d.target.Resolve(t.Context(), d.in)
				answers <- answer{committed, err}
			}()
			if q := d.waitsForLock(t); !strings.HasSuffix(q, "FOR UPDATE") {
				t.Errorf("what waits is %q, want the reading of the row", q)
			}
			if cp := d.checkpoint(t); !cp.Same(d.in.From.Head) {
				t.Fatalf("a plain read says %+v: this test is not about a late COMMIT", cp)
			}
			select {
			case a := <-answers:
				t.Fatalf("decided %+v before the COMMIT arrived", a)
			default:
			}
			test.end(trap)
			if a := <-answers; a.committed != test.committed || a.err != nil {
				t.Fatalf("got %+v, want committed %t", a, test.committed)
			}
			d.settled(t, test.committed)
		})
	}
}

// While a COMMIT stays on its way the run stays in doubt.
func TestTarget_Resolve_StuckCommit(t *testing.T) {
	d := newDoubtful(t, mysqltest.DSN(t))
	trap := d.proxy.Arm("COMMIT", mysqltest.HoldRequest)
	d.failsOnCommit(t)
	d.target.SetDoubtLimit(1200 * time.Millisecond)
	_, err := d.target.Resolve(t.Context(), d.in)
	wantError(t, err, diff.CodeInDoubt, "session ", "locks the row of jstsync_checkpoint")
	if cp := d.checkpoint(t); cp != d.in.From {
		t.Errorf("the row became %+v, want %+v", cp, d.in.From)
	}
	trap.Discard()
	d.target.SetDoubtLimit(30 * time.Second)
	d.resolves(t, false)
}

// A statement that arrives once the run was decided finds the epoch raised.
func TestTarget_Resolve_LateStatement(t *testing.T) {
	d := newDoubtful(t, mysqltest.DSN(t))
	trap := d.proxy.Arm(fence, mysqltest.HoldRequest)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.session.Commit(ctx, d.in, d.set, durable) }()
	<-trap.Met
	cancel()
	if err := <-ended; err == nil {
		t.Fatal("got no error")
	}
	if committed, err := d.target.Resolve(t.Context(), d.in); committed || err != nil {
		t.Fatalf("got %t, %v, want not committed", committed, err)
	}
	before, updates := d.checkpoint(t), mysqltest.Status(t, d.dsn, "Com_update")
	trap.Release()
	for range 200 {
		if mysqltest.Status(t, d.dsn, "Com_update") > updates {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	eventuallyIdle(t, d.db)
	if got := d.checkpoint(t); got != before {
		t.Errorf("the late statement made the row %+v, want %+v", got, before)
	}
	d.settled(t, false)
}

// Doubt about the COMMIT of the raised epoch is doubt still: it is asked again, and raising it once more is harmless.
func TestTarget_Resolve_LostBump(t *testing.T) {
	for name, test := range map[string]struct {
		trouble mysqltest.Trouble
		bumps   int64 // that took effect at the end
	}{"not raised": {mysqltest.ResetRequest, 1}, "raised": {mysqltest.ResetReply, 2}} {
		t.Run(name, func(t *testing.T) {
			d := newDoubtful(t, mysqltest.DSN(t))
			d.proxy.Arm("COMMIT", test.trouble)
			if committed, err := d.target.Resolve(t.Context(), d.in); committed || err != nil {
				t.Fatalf("got %t, %v, want not committed", committed, err)
			}
			if !strings.Contains(d.log.String(), "asking again") {
				t.Errorf("a lost answer was taken for success; the log:\n%s", d.log)
			}
			if got := d.checkpoint(t).Epoch - d.in.From.Epoch; got != test.bumps {
				t.Errorf("got the epoch raised by %d, want %d", got, test.bumps)
			}
			d.settled(t, false)
		})
	}
}

// A server that is killed and started again has what it committed, and nothing else.
func TestTarget_Resolve_ServerKilled(t *testing.T) {
	server := mysqltest.Start(t)
	for _, test := range []struct {
		name      string
		trouble   mysqltest.Trouble
		committed bool
	}{
		{"before COMMIT arrives", mysqltest.HoldRequest, false},
		{"right after COMMIT", mysqltest.HoldReply, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := newDoubtful(t, server.DSN())
			d.target.SetPatience(time.Minute)
			trap := d.proxy.Arm("COMMIT", test.trouble)
			killed := make(chan struct{})
			go func() {
				defer close(killed)
				<-trap.Met
				server.Kill()
				trap.Discard()
			}()
			d.failsOnCommit(t)
			<-killed
			server.Restart()
			d.resolves(t, test.committed)
		})
	}
	t.Run("in mid-transaction", func(t *testing.T) {
		d := newDoubtful(t, server.DSN())
		trap := d.proxy.Arm(add, mysqltest.HoldRequest)
		killed := make(chan struct{})
		go func() {
			defer close(killed)
			<-trap.Met
			server.Kill()
			trap.Discard()
		}()
		hurry(d.target, func(pause int) {
			if pause == 2 { // the first attempt after the kill finds no server
				<-killed
				server.Restart()
			}
		})
		if err := d.session.Commit(t.Context(), d.in, d.set, durable); err != nil {
			t.Fatalf("Commit: %v", err)
		}
		d.resolves(t, true)
	})
	t.Run("in mid-transaction, for good", func(t *testing.T) {
		d := newDoubtful(t, server.DSN())
		trap := d.proxy.Arm(add, mysqltest.HoldRequest)
		killed := make(chan struct{})
		go func() {
			defer close(killed)
			<-trap.Met
			server.Kill()
			trap.Discard()
		}()
		d.target.SetResending(3, 0, nil, func(context.Context, time.Duration) error { return nil })
		err := d.session.Commit(t.Context(), d.in, d.set, durable)
		wantError(t, err, diff.CodeUnreachable)
		<-killed
		server.Restart()
		d.resolves(t, false)
	})
}
